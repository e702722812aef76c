# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import distributions, kubelet
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable


def process(root, pid, comm, *argv, cgroup="", environ=""):
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in argv))
    (folder / "stat").write_text(f"{pid} ({comm}) S 1 {' '.join(['0'] * 17 + ['1000'] + ['0'] * 10)}\n")
    (folder / "cgroup").write_text(cgroup)
    (folder / "environ").write_text(environ)
    return Process(pid, comm, str(folder))


def write(root, path, text):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_rke2_and_k0s_are_no_kubelet_but_start_one(tmp_path):
    supervisor = process(tmp_path, 5, "rke2", "/usr/local/bin/rke2", "server")
    child = process(tmp_path, 9, "kubelet", "kubelet", "--node-ip=10.0.0.9", "--hostname-override=n9")

    alone = kubelet.kubelet(ProcessTable([supervisor]))
    both = kubelet.kubelet(ProcessTable([supervisor, child]))

    assert alone == {"running": False, "supervisor": "rke2 server"}
    assert (both["process"], both["supervisor"], both["node_ip"]) == ("kubelet", "rke2 server", "10.0.0.9")
    controller = process(tmp_path, 11, "k0s", "k0s", "controller")
    assert kubelet.kubelet(ProcessTable([controller])) == {"running": False, "supervisor": "k0s controller"}
    assert kubelet.told_addresses(ProcessTable([supervisor])) is None


def test_k3s_is_told_by_its_files(tmp_path):
    write(tmp_path, "/etc/rancher/k3s/config.yaml", 'node-ip: "10.0.0.8"  # own\ntoken: secret\nnode-name: old\n')
    write(tmp_path, "/etc/rancher/k3s/config.yaml.d/10-name.yaml", "node-name: edge-1\n")
    server = process(tmp_path, 7, "k3s-server", "/usr/local/bin/k3s", "server")

    found = kubelet.kubelet(ProcessTable([server]), "", str(tmp_path))

    assert (found["node_ip"], found["hostname_override"]) == ("10.0.0.8", "edge-1")
    assert kubelet.told_addresses(ProcessTable([server]), "", str(tmp_path)) == ["10.0.0.8"]
    named = process(tmp_path, 8, "k3s-agent", "k3s", "agent", environ="K3S_NODE_NAME=edge-2\0A=b\0")
    assert kubelet.kubelet(ProcessTable([named]), "", str(tmp_path / "none"))["hostname_override"] == "edge-2"
    assert "hostname_override" not in kubelet.kubelet(ProcessTable([server]))  # nobody's files


def test_the_program_k3s_is_a_kubelet_only_as_server_or_agent(tmp_path):
    tool = process(tmp_path, 7, "k3s", "k3s", "kubectl", "get", "pods")
    agent = process(tmp_path, 8, "k3s", "/usr/local/bin/k3s", "agent")

    assert kubelet.kubelet(ProcessTable([tool])) == {"running": False}
    assert kubelet.kubelet(ProcessTable([tool, agent]))["process"] == "k3s"


def test_microk8s_is_told_by_the_file_that_it_names(tmp_path):
    write(tmp_path, "/var/snap/microk8s/current/args/kubelet", "--cluster-dns=10.152.183.10\n--node-ip=10.0.0.6\n")
    write(tmp_path, "/else/kubelet", "--node-ip 10.0.0.7")
    usual = process(tmp_path, 7, "kubelite", "/snap/microk8s/7/kubelite")
    named = process(tmp_path, 8, "kubelite", "kubelite", "--kubelet-args-file=/else/kubelet")

    assert kubelet.told_addresses(ProcessTable([usual]), "", str(tmp_path)) == ["10.0.0.6"]
    assert kubelet.told_addresses(ProcessTable([named]), "", str(tmp_path)) == ["10.0.0.7"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node-ip: 10.0.0.1", {"node_ip": "10.0.0.1"}),
        ("node-ip:\n  - 10.0.0.1\n  - fd00::1\n", {"node_ip": "10.0.0.1,fd00::1"}),
        ("node-ip: [10.0.0.1, 'fd00::1']", {"node_ip": "10.0.0.1,fd00::1"}),
        ("'node-ip': '10.0.0.1,fd00::1'", {"node_ip": "10.0.0.1,fd00::1"}),
        ("node-name: a b # c", {"hostname_override": "a b"}),
        ("kubelet-arg:\n- node-ip=10.0.0.2\n- v=2\n", {"node_ip": "10.0.0.2"}),
        ("kubelet-arg+:\n- node-ip=10.0.0.2\nnode-ip: 10.0.0.3", {"node_ip": "10.0.0.3"}),
        ("#node-ip: 1\ntoken: node-ip\n- node-ip: 3\n  node-ip: 4\n", {}),
        ("", {}),
    ],
)
def test_configurations_of_k3s(text, expected):
    assert distributions.parse_config(text) == expected


def test_the_unit_is_that_of_the_process_or_one_of_which_there_is_a_file(tmp_path):
    plain = process(tmp_path, 7, "kubelet", "kubelet", cgroup="0::/system.slice/kubelet.service\n")
    old = process(
        tmp_path, 8, "k3s-agent", "k3s", cgroup="12:pids:/\n1:name=systemd:/system.slice/k3s-agent.service\n0::/\n"
    )
    contained = process(tmp_path, 9, "kubelet", "kubelet", cgroup="0::/system.slice/docker.service\n")
    write(tmp_path, "/usr/local/lib/systemd/system/rke2-agent.service", "")
    write(tmp_path, "/etc/systemd/system/nginx.service", "")

    assert distributions.units(plain) == ["kubelet.service"]
    assert distributions.units(old) == ["k3s-agent.service"]
    assert distributions.units(contained) == []
    assert distributions.units(None, str(tmp_path)) == ["rke2-agent.service"]
    assert distributions.units(None, str(tmp_path / "nothing")) == []


@given(st.text(alphabet="node-ipmab:[],\"'#\n \0\t1", max_size=200))
def test_hostile_configurations_are_no_exception(text):
    assert set(distributions.parse_config(text)) <= {"node_ip", "hostname_override", "runtime"}
