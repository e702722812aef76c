# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import intent

INSTALLATION = """
apiVersion: operator.tigera.io/v1
kind: Installation
metadata: {name: default}
spec:
  calicoNetwork:
    ipPools: [{cidr: 10.244.0.0/16, encapsulation: VXLAN}, {cidr: "fd00:244::/48", blockSize: 122}]
    nodeAddressAutodetectionV4: FIELD
"""
DAEMONSET = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: calico-node, namespace: kube-system}
spec: {template: {spec: {containers: [
  {name: calico-node, image: "calico/node:v3.30.3", env: [{name: IP_AUTODETECTION_METHOD, value: "interface=ens5"}]}]}}}
"""


@pytest.mark.parametrize(
    ("planned", "sentence"),
    [
        ({"pod_networks": ["10.244.0.0"]}, "'10.244.0.0', which is no range"),
        ({"pod_networks": ["10.244.1.0/16"]}, "an address inside of the range; write 10.244.0.0/16"),
        ({"service_networks": "10.96.0.0/12,x/8"}, "preflight_service_networks has 'x/8'"),
        ({"node_networks": {"a": 1}}, "preflight_node_networks must be a list"),
        ({"pod_networks": ["10.244.0.0/16"], "block_size": 12}, "preflight_block_size is 12"),
        ({"target_version": "latest"}, "preflight_target_version is 'latest'"),
        ({"target_version": "1.38.2"}, "preflight_target_version is '1.38.2'"),
        ({"provider": "moon"}, "preflight_provider is 'moon'"),
        ({"objects": [7]}, "preflight_objects must be a list of texts"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(planned, sentence) -> None:
    with pytest.raises(ValueError, match="preflight_") as error:
        intent.read(intent.load(planned))

    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_nothing_planned_is_no_mistake() -> None:
    plan = intent.read(intent.load({"pod_networks": [], "block_size": 0, "target_version": "", "objects": []}))

    assert plan.methods == {"ipv4": "", "ipv6": ""}
    assert (plan.pods, plan.services, plan.target, plan.loaded.files) == ((), (), None, ())
    assert plan.method("ipv4", "") == "first-found"
    assert plan.method("ipv4", "interface=eth0") == "interface=eth0"


def test_variables() -> None:
    plan = intent.read(
        intent.load({"pod_networks": "10.244.0.0/16, fd00:244::/48", "block_size": 24, "target_version": "3.30"})
    )

    assert [(str(one.network), one.block_size) for one in plan.pods] == [("10.244.0.0/16", 24), ("fd00:244::/48", 122)]
    assert plan.target == (3, 30, 0)


@pytest.mark.parametrize(
    ("field", "method"),
    [
        ("{firstFound: true}", "first-found"),
        ("{kubernetes: NodeInternalIP}", "kubernetes-internal-ip"),
        ("{interface: ens.*}", "interface=ens.*"),
        ("{skipInterface: docker.*}", "skip-interface=docker.*"),
        ("{canReach: 10.0.0.1}", "can-reach=10.0.0.1"),
        ("{cidrs: [10.0.0.0/24, 10.1.0.0/24]}", "cidr=10.0.0.0/24,10.1.0.0/24"),
        ("{}", ""),
    ],
)
def test_methods_and_pools_of_an_installation(tmp_path, field, method) -> None:
    (tmp_path / "installation.yaml").write_text(INSTALLATION.replace("FIELD", field))

    plan = intent.read(intent.load({"objects": [str(tmp_path)]}))

    assert plan.methods["ipv4"] == method
    assert [(str(one.network), one.block_size, one.tunnelled) for one in plan.pods] == [
        ("10.244.0.0/16", 26, True),
        ("fd00:244::/48", 122, False),
    ]
    assert "installation.yaml" in plan.pods[0].where


def test_variables_go_before_objects(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text(DAEMONSET)
    paths = [str(tmp_path / "a.yaml")]

    assert intent.read(intent.load({"objects": paths})).methods["ipv4"] == "interface=ens5"
    assert intent.read(intent.load({"objects": paths, "autodetection": "none"})).methods["ipv4"] == "none"
    assert intent.reach_of(intent.load({"autodetection": "can-reach=8.8.8.8"})) == ["8.8.8.8"]
