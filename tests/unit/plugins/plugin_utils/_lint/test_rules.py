# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule on its good and bad manifests: rules/<rule>/{good,bad,bad_lint}/.

Files of several documents end in .manifests, as ansible-test wants one in each that ends in .yaml.

What is in bad/ is refused by the policies as well; bad_lint/ needs several objects, or more than a policy can ask.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID as FAULTS
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.model import SEVERITIES
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint import engine, manifests
from ansible_collections.netmedic.calico.plugins.plugin_utils._lint.rules import BY_ID, RULES, UNREADABLE

FOLDER = Path(__file__).parent / "rules"
CASES = sorted(path for path in FOLDER.glob("*/*/*") if path.is_file())
BAD = [path for path in CASES if path.parent.name != "good"]
GOOD = [path for path in CASES if path.parent.name == "good"]


def name_of(path):
    return "/".join(path.relative_to(FOLDER).with_suffix("").parts)


def found_in(path, **settings):
    loaded = manifests.read_paths([str(path)])
    assert not loaded.findings
    return engine.lint(loaded.documents, engine.Settings(**settings))


@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_what_is_bad_is_found_where_it_stands(path):
    rule = path.parents[1].name
    told = [one for one in found_in(path) if one.rule == rule]
    assert told
    lines = path.read_text(encoding="utf-8").split("\n")
    for one in told:
        assert one.file == str(path)
        assert 1 < one.line <= len(lines)
        assert one.summary.endswith((".", "?"))
        # The line is that of the field, or of what it would stand in.
        last = one.field.rpartition(".")[2].partition("[")[0]
        at = lines[one.line - 1]
        assert last in at or "- " in at or last not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", GOOD, ids=name_of)
def test_what_is_good_is_not_found(path):
    assert [one for one in found_in(path) if one.rule == path.parents[1].name] == []


def test_every_rule_has_its_cases():
    folders = {path.parents[1].name for path in CASES}
    assert folders == set(BY_ID) - {UNREADABLE.id}
    for rule in folders:
        kinds = {path.parent.name for path in CASES if path.parents[1].name == rule}
        assert "good" in kinds
        assert ("bad" in kinds) == BY_ID[rule].policy
        assert kinds <= {"good", "bad", "bad_lint"}


def test_rules_are_told_whole():
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule.severity in SEVERITIES
        assert not rule.title.endswith(".")
        assert rule.why.endswith(".")
        assert rule.fix.endswith(".")


def test_ids_that_the_catalogue_has_are_its_faults():
    (one,) = [each for each in found_in(FOLDER / "as_mismatch/bad/left_out.yaml") if each.rule == "as_mismatch"]
    assert one.fault == "as_mismatch"
    assert one.fault in FAULTS
    (other,) = [each for each in found_in(FOLDER / "unknown_field/bad_lint/slip.yaml") if each.rule == "unknown_field"]
    assert other.fault == ""
    assert "vxlanMode" in other.summary


def test_no_password_is_told():
    for path in (FOLDER / "md5_kernel_limit/bad_lint").iterdir():
        told = [one.as_dict() for one in found_in(path)]
        assert told
        assert "canary" not in repr(told).replace(str(path), "")


@pytest.mark.parametrize(
    ("provider", "severity"), [("", "minor"), ("azure", "critical"), ("aws", "major"), ("openstack", "critical")]
)
def test_how_bad_a_bare_pool_is_depends_on_the_network(provider, severity):
    found = found_in(FOLDER / "encapsulation_disabled_but_needed/bad/never_never.yaml", provider=provider)
    assert [one.severity for one in found] == [severity]


def test_a_network_of_ones_own_carries_bare_pools():
    assert found_in(FOLDER / "encapsulation_disabled_but_needed/bad/never_never.yaml", provider="none") == []


def test_ranges_that_are_planned_count():
    path = FOLDER / "ippool_overlaps_network/good/the_same_twice.manifests"
    told = found_in(path, service_cidrs=("10.244.0.0/20",), node_cidrs=("10.0.0.0/8",))
    assert {one.summary for one in told if one.rule == "ippool_overlaps_network"} == {
        "The pool 10.244.0.0/16 overlaps the range of Services, 10.244.0.0/20.",
        "The pool 10.244.0.0/16 overlaps the nodes' network, 10.0.0.0/8.",
    }


def test_rules_can_be_left_out():
    assert found_in(FOLDER / "port_listen_changed/bad/other.yaml", ignore=("port_listen_changed",)) == []
