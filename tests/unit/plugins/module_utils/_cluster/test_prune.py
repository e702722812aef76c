# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of objects: enough, little, no secret, and whatever they look like."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import managed, prune, redact

CANARY = "canary-4711-of-a-secret"
TIMES = {"lastHeartbeatTime": "2026-11-21T00:00:00Z", "lastTransitionTime": "2026-11-01T00:00:00Z"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = (
    *(
        "metadata",
        "spec",
        "status",
        "labels",
        "annotations",
        "containers",
        "env",
        "conditions",
        "addresses",
        "webhooks",
    ),
    *("endpoints", "data", "template", "nodeInfo", "allocations", "bgp", "password", "rules", "clientConfig", "taints"),
)
SHAPED = st.recursive(
    JSON,
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner | st.lists(inner, max_size=2), max_size=4),
    max_leaves=20,
)


@settings(max_examples=150)
@example(plural="apiservices", found={"metadata": float("inf")})
@example(plural="installations", found={"spec": {"mtu": float("inf")}})
@given(plural=st.sampled_from(sorted(prune.BY_KIND)), found=SHAPED)
def test_any_object_is_pruned_to_json_and_stays_so(plural, found):
    once = prune.prune(plural, found)
    json.dumps(once, allow_nan=False)
    assert prune.prune(plural, copy.deepcopy(once)) == once


@pytest.mark.parametrize("plural", sorted(prune.BY_KIND))
@pytest.mark.parametrize("wrong", [None, 5, "text", [], True, 1.5, {}, {"x": {}}])
def test_fields_of_any_type(plural, wrong):
    for path in (("metadata",), ("spec",), ("status",), ("metadata", "labels"), ("spec", "template"), ("data",)):
        found = wrong
        for name in reversed(path):
            found = {name: found}
        json.dumps(prune.prune(plural, found))
    json.dumps(prune.prune(plural, wrong))


@pytest.mark.parametrize("plural", sorted(prune.BY_KIND))
def test_a_wrong_type_can_still_be_told(plural):
    if plural != "customresourcedefinitions":
        assert prune.prune(plural, {"metadata": {"name": "x"}, "spec": "text"}).get("spec", "text") == "text"


def test_kinds_that_are_not_known_keep_their_names_only():
    secret = {"metadata": {"name": "s", "namespace": "n", "annotations": {"a": CANARY}}, "data": {"k": CANARY}}
    assert prune.prune("secrets", secret) == {"metadata": {"name": "s", "namespace": "n"}}


def places_for_secrets():
    """Objects with a secret wherever somebody might have written one."""
    note = {
        "kubectl.kubernetes.io/last-applied-configuration": CANARY,
        "projectcalico.org/metadata": json.dumps(
            {"labels": {"a": "b"}, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY}}
        ),
    }
    meta = {"name": "x", "namespace": "n", "annotations": note}
    env = [
        {"name": "DB_PASSWORD", "value": CANARY},
        {"name": "API_TOKEN", "value": CANARY},
        {"name": "URL", "value": f"postgres://user:{CANARY}@host/db"},
        {"name": "ARGS", "value": f"--password={CANARY} --x=y"},
        {"name": "HEADER", "value": f"Authorization: Bearer {CANARY}"},
    ]
    container = {
        "name": "c",
        "env": env,
        "args": ["--token", CANARY, f"--password={CANARY}"],
        "command": ["run", f"https://{CANARY}@host/"],
        "readinessProbe": {
            "exec": {"command": ["x", "--secret", CANARY]},
            "httpGet": {"httpHeaders": [{"value": CANARY}]},
        },
        "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", f"x --token={CANARY}"]}}},
    }
    pod_spec = {
        "containers": [container],
        "initContainers": [container],
        "volumes": [{"name": "v", "csi": {"a": CANARY}}],
    }
    workload = {"metadata": meta, "spec": {"template": {"metadata": meta, "spec": pod_spec}}}
    password = {"secretKeyRef": {"name": "s", "key": "k", "value": CANARY}, "value": CANARY}
    cni = json.dumps({"plugins": [{"policy": {"type": "k8s", "k8s_auth_token": CANARY}, "mtu": 1440}]})
    return [
        ("daemonsets", workload),
        ("deployments", workload),
        ("pods", {"metadata": meta, "spec": pod_spec}),
        ("nodes", {"metadata": meta}),
        ("bgppeers", {"metadata": meta, "spec": {"password": password, "peerIP": "10.0.0.1"}}),
        ("bgppeers", {"metadata": meta, "spec": {"password": CANARY}}),
        ("bgpconfigurations", {"metadata": meta, "spec": {"nodeMeshPassword": [CANARY, password]}}),
        ("felixconfigurations", {"metadata": meta, "spec": {"openstackPassword": CANARY}}),
        (
            "installations",
            {"metadata": meta, "spec": {"x": {"clientSecret": CANARY}}, "status": {"computed": {"apiKey": CANARY}}},
        ),
        (
            "configmaps",
            {"metadata": meta, "data": {"etcd_key": CANARY, "calico_backend": "bird", "cni_network_config": cni}},
        ),
        (
            "configmaps",
            {"metadata": meta, "binaryData": {"a": CANARY}, "data": {"bird.cfg.template": f"password {CANARY}"}},
        ),
        ("events", {"metadata": meta, "message": f"dial https://u:{CANARY}@h: token={CANARY}"}),
        (
            "validatingwebhookconfigurations",
            {
                "metadata": meta,
                "webhooks": [{"clientConfig": {"url": f"https://h/{CANARY}?k={CANARY}", "caBundle": CANARY}}],
            },
        ),
    ]


@pytest.mark.parametrize(("plural", "found"), places_for_secrets())
def test_no_secret_stays(plural, found):
    kept = json.dumps(prune.prune(plural, found))
    assert CANARY not in kept
    assert '"x"' in kept


def test_settings_stay():
    found = {"data": {"cni_network_config": '{"mtu": 1440, "k8s_auth_token": "t"}', "veth_mtu": "0", "x": "y"}}
    assert prune.prune("configmaps", found)["data"] == {"cni_network_config": '{"mtu": 1440}', "veth_mtu": "0", "x": ""}
    template = '{"mtu": __CNI_MTU__, "k8s_auth_token": "t"}'
    kept = prune.prune("configmaps", {"data": {"cni_network_config": template}})["data"]["cni_network_config"]
    assert kept == '{"mtu": __CNI_MTU__, "k8s_auth_token": "…"}'


def test_labels_of_a_node_stay_but_not_twice():
    labels = {
        "kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "windows",
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/instance-type": "m5",
    }
    kept = prune.prune("nodes", {"metadata": {"name": "n", "labels": labels}})["metadata"]["labels"]
    assert sorted(set(labels) - set(kept)) == ["beta.kubernetes.io/arch"]


def test_conditions_of_a_node():
    def conditions(**states):
        found = [{"type": kind, "status": one, "reason": "R", "message": "m", **TIMES} for kind, one in states.items()]
        return prune.prune("nodes", {"status": {"conditions": found}}).get("status", {}).get("conditions", [])

    assert conditions(MemoryPressure="False", PIDPressure="False") == []
    assert conditions(Ready="True") == [
        {"type": "Ready", "status": "True", "lastTransitionTime": TIMES["lastTransitionTime"]}
    ]
    assert set(conditions(Ready="Unknown")[0]) == {"type", "status", "reason", "message", *TIMES}
    assert set(conditions(DiskPressure="True")[0]) == {"type", "status", "reason", "message", *TIMES}
    assert set(conditions(NetworkUnavailable="False")[0]) == {"type", "status", "reason", "lastTransitionTime"}


def pod_with(**changes):
    one = {
        "name": "calico-node",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-11-01T00:00:00Z"}},
    }
    status = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True", **TIMES}],
        "containerStatuses": [{**one, **changes}],
    }
    return prune.prune("pods", {"metadata": {"name": "p"}, "spec": {}, "status": status})["status"]


def test_a_pod_that_is_well_and_one_that_was_restarted():
    assert "containerStatuses" not in pod_with()
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "m" * 1000, "containerID": "x"}}
    kept = pod_with(restartCount=3, lastState=last)["containerStatuses"][0]
    assert kept["restartCount"] == 3
    assert kept["lastState"]["terminated"]["exitCode"] == 137
    assert len(kept["lastState"]["terminated"]["message"]) == 500
    assert "containerID" not in kept["lastState"]["terminated"]


def test_how_much_of_a_block_is_used():
    found = {
        "metadata": {"name": "b"},
        "spec": {"cidr": "10.0.0.0/26", "allocations": [0, None, 1], "attributes": [{}]},
    }
    kept = prune.prune("ipamblocks", found)
    assert kept == {"metadata": {"name": "b"}, "spec": {"cidr": "10.0.0.0/26"}, "used": 2}


def test_peers_of_a_node_status():
    peers = [{"peerIP": f"10.0.0.{n}", "state": "Established" if n else "Active"} for n in range(100)]
    found = {"status": {"bgp": {"peersV4": peers, "numberEstablishedV4": 99}, "routes": {"routesV4": [{}] * 1000}}}
    assert prune.prune("caliconodestatuses", found)["status"] == {
        "bgp": {"numberEstablishedV4": 99, "peersV4": [{"peerIP": "10.0.0.0", "state": "Active"}]}
    }


def test_who_wrote_what():
    env = {'k:{"name":"IP"}': {".": {}, "f:name": {}, "f:value": {}}}
    containers = {'k:{"name":"calico-node"}': {"f:env": {".": {}, **env}, "f:image": {}, "f:name": {}}}
    written = {
        "f:spec": {"f:template": {"f:spec": {"f:containers": containers, "f:hostNetwork": {}}}},
        "f:status": {"f:x": {}},
    }
    entry = {
        "manager": "kubectl",
        "operation": "Apply",
        "time": "2026-11-01T00:00:00Z",
        "fieldsV1": written,
        "apiVersion": "v",
    }
    kept = managed.reduced({"metadata": {"managedFields": [entry, None, 5]}})
    assert kept == [
        {
            "manager": "kubectl",
            "operation": "Apply",
            "time": "2026-11-01T00:00:00Z",
            "fieldsV1": {
                "f:spec": {
                    "f:template": {
                        "f:spec": {
                            "f:hostNetwork": {},
                            "f:containers": {
                                'k:{"name":"calico-node"}': {"f:env": {'k:{"name":"IP"}': {}}, "f:image": {}}
                            },
                        }
                    }
                }
            },
        }
    ]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("nothing to see", "nothing to see"),
        ("https://user:pw@host/x", "https://…@host/x"),
        ("a password=abc&b", "a password=…&b"),
        ("Bearer abcdefgh12345", "Bearer …"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc\n-----END EC PRIVATE KEY----- rest", "… rest"),
        ("couldn't find key rr in Secret kube-system/bgp", "couldn't find key rr in Secret kube-system/bgp"),
        ("x" * 9000, "x" * 8191 + "…"),
    ],
)
def test_texts(written, kept):
    assert redact.text(written) == kept


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("DB_PASSWORD", True),
        ("clientSecret", True),
        ("AWS_SECRET_ACCESS_KEY", True),
        ("secretKeyRef", False),
        ("ETCD_KEY_FILE", False),
        ("automountServiceAccountToken", False),
        ("FELIX_TYPHAKEYFILE", False),
        ("bypassLog", False),
        ("calico_backend", False),
    ],
)
def test_names_of_secrets(name, secret):
    assert redact.is_secret(name) is secret


def test_known_secrets_are_cut_anywhere():
    assert redact.without("it said abcd1234 and 1", ["abcd1234", "1"]) == "it said … and 1"
