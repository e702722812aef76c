# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the container install-cni writes before calico-node starts."""

from __future__ import annotations

import json

import pytest

from lab.controller import environment, hosts

CALICO = "/etc/cni/net.d/10-calico.conflist"


class Machine:
    """The files of a machine."""

    def __init__(self, root):
        self._root = root

    def file(self, path):
        """Where a file of it is."""
        return self._root / path.lstrip("/")


@pytest.fixture
def machine(tmp_path):
    found = Machine(tmp_path)
    found.file(CALICO).parent.mkdir(parents=True)
    found.file(CALICO).write_text(json.dumps({"plugins": [{"type": "calico", "mtu": 0}, {"type": "portmap"}]}))
    return found


def mtu(machine):
    return json.loads(machine.file(CALICO).read_text())["plugins"][0]["mtu"]


@pytest.mark.parametrize(("size", "written"), [("1400", 1400), ("0", 0), ("", 0), ("large", 0)])
def test_the_pods_mtu_is_written_as_told(machine, size, written):
    hosts.install_cni(machine, {"CNI_CONF_NAME": "10-calico.conflist", "CNI_MTU": size})
    assert mtu(machine) == written


def test_a_pod_without_such_a_container_writes_nothing(machine):
    pod = {"metadata": {"namespace": "kube-system"}, "spec": {"containers": []}}
    assert environment.of_init(pod, "install-cni", {}) == {}
    hosts.install_cni(machine, {})
    assert mtu(machine) == 0


def test_its_variables_are_those_of_the_config_map(machine):
    reference = {"name": "calico-config", "key": "veth_mtu"}
    container = {"name": "install-cni", "env": [{"name": "CNI_MTU", "valueFrom": {"configMapKeyRef": reference}}]}
    pod = {"metadata": {"namespace": "kube-system"}, "spec": {"initContainers": [container]}}
    maps = {("kube-system", "calico-config"): {"data": {"veth_mtu": "1400"}}}
    assert environment.of_init(pod, "install-cni", maps) == {"CNI_MTU": "1400"}
