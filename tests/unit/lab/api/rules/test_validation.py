# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of all kinds against their schemas and rules."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules.causes import Cause
from lab.api.rules.validation import Schemas, strict_error

SHARED = Path(__file__).resolve().parents[6] / "shared" / "calico"
CRDS, MANIFESTS = SHARED / "crds", SHARED / "manifests"
needs_crds = pytest.mark.skipif(not CRDS.is_dir(), reason="the schemas of Calico's resources are not here")
POOL = KINDS.find("ippools.crd.projectcalico.org")
DAEMON_SET = KINDS.find("daemonsets.apps")
NOBODY = Schemas.load(None)


@pytest.fixture(scope="module")
def schemas():
    return Schemas.load(CRDS)


def manifests():
    return sorted(MANIFESTS.glob("*.yaml")) if MANIFESTS.is_dir() else []


@needs_crds
@pytest.mark.parametrize("path", manifests(), ids=lambda path: path.name)
def test_calicos_manifests_are_valid(path, schemas):
    for obj in yaml.safe_load_all(path.read_text()):
        kind = KINDS.by_kind(obj["apiVersion"], obj["kind"]) if obj else None
        if kind is None:
            continue
        if kind.namespaced:
            obj["metadata"].setdefault("namespace", "default")
        checked = schemas.check(kind, obj)
        assert checked.causes == []
        assert schemas.unknown(kind, obj) == []
        if not kind.custom:
            assert checked.object == obj


def pool(**spec):
    return {"apiVersion": POOL.api_version, "kind": "IPPool", "metadata": {"name": "x"}, "spec": spec}


@needs_crds
def test_a_pool_gets_its_defaults_and_loses_what_is_unknown(schemas):
    sent = pool(cidr="10.0.0.0/16", nonsense={"a": 1}, vxlanMode=None)
    checked = schemas.check(POOL, sent)
    assert checked.causes == []
    assert checked.object["spec"] == {"cidr": "10.0.0.0/16", "assignmentMode": "Automatic", "nodeSelector": "all()"}
    assert schemas.unknown(POOL, {**sent, "more": 1}) == ['unknown field "more"', 'unknown field "spec.nonsense"']
    assert "nonsense" in sent["spec"]


@needs_crds
def test_what_is_wrong_with_a_pool_is_said_as_by_a_real_server(schemas):
    assert schemas.check(POOL, pool(cidr=1, ipipMode="Sometimes", blockSize=26.5)).causes == [
        Cause(
            "FieldValueTypeInvalid",
            'Invalid value: "integer": spec.cidr in body must be of type string: "integer"',
            "spec.cidr",
        ),
        Cause(
            "FieldValueNotSupported",
            'Unsupported value: "Sometimes": supported values: "Never", "Always", "CrossSubnet"',
            "spec.ipipMode",
        ),
        Cause(
            "FieldValueTypeInvalid",
            'Invalid value: "number": spec.blockSize in body must be of type integer: "number"',
            "spec.blockSize",
        ),
    ]
    assert Cause("FieldValueRequired", "Required value", "spec.cidr") in schemas.check(POOL, pool()).causes


@needs_crds
def test_rules_in_cel_are_listed_not_evaluated(schemas):
    rules = schemas.left_out(POOL)
    assert rules
    assert all(path.startswith("spec") or path == "" for path, _rule in rules)


@needs_crds
def test_flags_in_patterns_are_understood(schemas):
    felix = KINDS.find("felixconfigurations.crd.projectcalico.org")
    obj = {"metadata": {"name": "default"}, "spec": {"logSeverityScreen": "iNFo", "bpfLogLevel": "Loud"}}
    (cause,) = schemas.check(felix, obj).causes
    assert cause.field == "spec.bpfLogLevel"
    assert cause.message.startswith('Invalid value: "Loud": spec.bpfLogLevel in body should match ')


def test_without_schemas_custom_resources_pass_and_it_is_said():
    assert NOBODY.notes == ["No schemas of custom resources are at hand: custom resources are stored unjudged."]
    obj = pool(cidr=1, nonsense=2)
    assert NOBODY.check(POOL, obj) == (obj, [])
    assert NOBODY.unknown(POOL, obj) == []


def test_an_empty_folder_and_broken_files_are_said(tmp_path):
    assert "has no schemas" in Schemas.load(tmp_path).notes[0]
    definition = "kind: CustomResourceDefinition\nmetadata:\n  name: ippools.crd.projectcalico.org\n"
    (tmp_path / "a.yaml").write_text(f"---\n{definition}spec: [\n---\nkind: Other\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    found = Schemas.load(tmp_path)
    assert found.check(POOL, pool()).causes == []
    assert "b.yaml cannot be read" in found.notes[0]
    assert found.notes[1].startswith("The definition ippools.crd.projectcalico.org cannot be read")


def test_definitions_can_be_learned_and_forgotten():
    schema = {"type": "object", "properties": {"spec": {"type": "object", "required": ["a"]}}}
    version = {"name": "v1", "schema": {"openAPIV3Schema": schema}}
    found = Schemas([{"metadata": {"name": POOL.resource}, "spec": {"versions": [version]}}])
    assert found.names() == [POOL.resource]
    assert found.check(POOL, pool()).causes == [Cause("FieldValueRequired", "Required value", "spec.a")]
    found.forget(POOL.resource)
    assert found.check(POOL, pool()).causes == []


def workload(**spec):
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "x", "namespace": "y"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (
            workload(minReadySeconds="x"),
            "json: cannot unmarshal string into Go struct field DaemonSetSpec.spec.minReadySeconds of type int32",
        ),
        (
            workload(template={"spec": {"containers": {"name": "c"}}}),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.C",
        ),
        (
            workload(template={"spec": {"containers": [{"env": [{"value": 1}]}]}}),
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of t",
        ),
        (
            workload(selector={"matchLabels": {"a": True}}),
            "json: cannot unmarshal bool into Go struct field LabelSelector.spec.selector.matchLabels.a of type string",
        ),
        (
            workload(revisionHistoryLimit=2**40),
            "json: cannot unmarshal number 1099511627776 into Go struct field DaemonSetSpec.spec.revisionHistoryLimi",
        ),
        (
            workload(template={"spec": {"containers": [{"resources": {"limits": {"cpu": "many"}}}]}}),
            "quantities must match",
        ),
        ([], "json: cannot unmarshal"),
    ],
)
def test_what_go_cannot_decode_is_a_bad_request(obj, words):
    with pytest.raises(ApiError) as refused:
        NOBODY.check(DAEMON_SET, obj)
    assert refused.value.code == 400
    begin = 'DaemonSet in version "v1" cannot be handled as a DaemonSet: '
    assert refused.value.message.startswith(begin + words)


def test_unknown_fields_of_built_in_kinds():
    obj = workload(nonsense=1)
    obj["spec"]["template"]["spec"]["containers"][0]["imagePullPolic"] = "Always"
    assert NOBODY.check(DAEMON_SET, obj).object == workload()
    problems = NOBODY.unknown(DAEMON_SET, obj)
    error = strict_error(DAEMON_SET, problems)
    assert error.code == 400
    assert error.message == (
        'DaemonSet in version "v1" cannot be handled as a DaemonSet: strict decoding error: unknown field '
        '"spec.template.spec.containers[0].imagePullPolic", unknown field "spec.nonsense"'
    )


def test_nulls_are_as_good_as_nothing():
    obj = workload(minReadySeconds=None)
    obj["metadata"]["creationTimestamp"] = None
    assert NOBODY.check(DAEMON_SET, obj) == (workload(), [])


def test_numbers_are_good_quantities_and_ports_may_have_names():
    obj = workload()
    container = obj["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"limits": {"cpu": 2, "memory": "1.5Gi"}}
    container["livenessProbe"] = {"httpGet": {"port": "liveness"}}
    checked = NOBODY.check(DAEMON_SET, obj)
    assert checked.causes == []
    assert checked.object["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "2"


def test_a_status_always_shows_its_numbers():
    obj = {**workload(), "status": {"numberReady": 3}}
    status = NOBODY.check(DAEMON_SET, obj).object["status"]
    assert status == {
        "numberReady": 3,
        "currentNumberScheduled": 0,
        "desiredNumberScheduled": 0,
        "numberMisscheduled": 0,
    }
