# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped policies on the linter's own good and bad manifests, by real engines of CEL and of Rego.

Proven is what the expressions say. Kyverno's, Gatekeeper's and conftest's own programs and an API server are not here.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.model import ACCEPT
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.rules import BY_ID, RULES
from ansible_collections.netmedic.calico.tests.unit.policies import engines

FOLDER = Path(__file__).parents[1] / "plugins" / "plugin_utils" / "_lint" / "rules"
BAD = sorted(FOLDER.glob("*/bad/*"))
GOOD = sorted(FOLDER.glob("*/good/*"))

needs_rego = pytest.mark.skipif(not engines.there("regopy"), reason="the Rego engine regopy is not installed")


@pytest.fixture(scope="module")
def cel():
    if not engines.there("cel"):
        pytest.skip("the CEL engine common-expression-language is not installed")
    return engines.Cel()


def name_of(path):
    return "/".join(path.relative_to(FOLDER).with_suffix("").parts)


def refused(path, ask):
    """The messages for each object of a file."""
    return [message for one in engines.documents(path) for message in ask(path.parents[1].name, one)]


def by_vap(cel):
    return lambda rule, one: engines.cel_refuses(cel, engines.of_rule("vap", rule)[0]["spec"], one)


def by_kyverno(cel):
    return lambda rule, one: engines.cel_refuses(cel, engines.of_rule("kyverno", rule)[0]["spec"], one)


@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_cel_refuses_what_is_bad(cel, path):
    rule = path.parents[1].name
    for ask in (by_vap(cel), by_kyverno(cel)):
        told = refused(path, ask)
        assert told
        assert all(one.startswith(f"{rule}: ") and BY_ID[rule].fix in one for one in told)


def of_policies(paths):
    return [path for path in paths if BY_ID[path.parents[1].name].policy]


@pytest.mark.parametrize("path", of_policies(GOOD), ids=name_of)
def test_cel_takes_what_is_good(cel, path):
    assert refused(path, by_vap(cel)) == []
    assert refused(path, by_kyverno(cel)) == []


@needs_rego
@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_rego_refuses_what_is_bad(path):
    rule = path.parents[1].name
    for ask in (engines.conftest_refuses, engines.gatekeeper_refuses):
        told = refused(path, ask)
        assert told
        assert all(one.startswith(f"{rule}: ") and BY_ID[rule].fix in one for one in told)


@needs_rego
@pytest.mark.parametrize("path", of_policies(GOOD), ids=name_of)
def test_rego_takes_what_is_good(path):
    assert refused(path, engines.conftest_refuses) == []
    assert refused(path, engines.gatekeeper_refuses) == []


def changed(path):
    """A bad object, and it with nothing changed but a label."""
    old = engines.documents(path)[0]
    new = copy.deepcopy(old)
    new["metadata"]["labels"] = {"more": "1"}
    return old, new


@pytest.mark.parametrize("rule", engines.RULES)
def test_what_is_there_already_can_still_be_labelled_and_accepted(cel, rule):
    path = next(one for one in BAD if one.parents[1].name == rule)
    old, new = changed(path)
    spec = engines.of_rule("vap", rule)[0]["spec"]
    assert engines.cel_refuses(cel, spec, new)
    assert engines.cel_refuses(cel, spec, new, old) == []
    without = {key: value for key, value in old.items() if key != "spec"}
    assert engines.cel_refuses(cel, spec, new, without)
    for accepted in (f"other_rule, {rule}", f"other_rule\n{rule}\n"):
        new["metadata"]["annotations"] = {ACCEPT: accepted}
        assert engines.cel_refuses(cel, spec, new) == []
    new["metadata"]["annotations"] = {ACCEPT: f"{rule}s"}
    assert engines.cel_refuses(cel, spec, new)


@needs_rego
@pytest.mark.parametrize("rule", engines.RULES)
def test_rego_lets_labels_and_accepted_objects_through(rule):
    path = next(one for one in BAD if one.parents[1].name == rule)
    old, new = changed(path)
    assert engines.gatekeeper_refuses(rule, new, old, "UPDATE") == []
    assert engines.gatekeeper_refuses(rule, new, None, "")
    for accepted in (f"other_rule,{rule}", f"other_rule\n{rule}\n"):
        new["metadata"]["annotations"] = {ACCEPT: accepted}
        assert engines.gatekeeper_refuses(rule, new) == []
        assert engines.conftest_refuses(rule, new) == []


@needs_rego
@pytest.mark.parametrize("rule", engines.RULES)
def test_gatekeeper_lets_what_is_bad_be_deleted(rule):
    """If its webhook is told of deletions, it gives the object that is there as the one that is asked about."""
    old, _new = changed(next(one for one in BAD if one.parents[1].name == rule))
    assert engines.gatekeeper_refuses(rule, old, old, "DELETE") == []
    assert engines.gatekeeper_refuses(rule, old, {**old, "spec": {}}, "UPDATE")
    without = {key: value for key, value in old.items() if key != "spec"}
    assert engines.gatekeeper_refuses(rule, without, without, "UPDATE") == []


def test_each_rule_that_a_policy_can_tell_is_one_in_every_language():
    wanted = {rule.id for rule in RULES if rule.policy}
    assert set(engines.RULES) == wanted
    for folder, sign in (
        ("vap", "-"),
        ("kyverno", "-"),
        ("gatekeeper/templates", "-"),
        ("gatekeeper/constraints", "-"),
    ):
        there = {path.stem for path in (engines.POLICIES / folder).glob("*.yaml")}
        assert there == {rule.replace("_", sign) for rule in wanted}


@pytest.mark.parametrize("rule", engines.RULES)
def test_severities_are_the_rules(rule):
    denies = BY_ID[rule].severity in ("major", "critical")
    _policy, binding = engines.of_rule("vap", rule)
    assert binding["spec"]["validationActions"] == (["Deny"] if denies else ["Warn", "Audit"])
    assert binding["spec"]["policyName"] == _policy["metadata"]["name"]
    (kyverno,) = engines.of_rule("kyverno", rule)
    assert kyverno["spec"]["validationActions"] == (["Deny"] if denies else ["Warn", "Audit"])
    (constraint,) = engines.of_rule("gatekeeper/constraints", rule)
    (template,) = engines.of_rule("gatekeeper/templates", rule)
    assert constraint["spec"]["enforcementAction"] == ("deny" if denies else "warn")
    assert constraint["kind"] == template["spec"]["crd"]["spec"]["names"]["kind"]
    assert template["metadata"]["name"] == constraint["kind"].lower()
    text = (engines.POLICIES / "conftest" / f"{rule}.rego").read_text(encoding="utf-8")
    assert ("\ndeny contains msg" in text) == denies
    for one in (_policy, kyverno):
        assert one["spec"]["failurePolicy"] == "Ignore"
