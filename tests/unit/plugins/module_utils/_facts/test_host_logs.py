# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import calendar
import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Installation
from ansible_collections.netmedic.calico.plugins.module_utils._facts import host, host_counters, host_logs
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable

NOW = float(calendar.timegm((2026, 11, 21, 2, 0, 0)))
STAMP = "2026-11-21 01:{:02}:00.000 [ERROR][6] felix/x.go 1: "
WELL = {"kubelet": {"process": "kubelet"}, "container_runtime": {}, "cni": {"files": ["10-calico.conflist"]}}
POD = "/var/log/pods/kube-system_calico-node-x_1"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(host_logs.time, "time", lambda: NOW)


def write(root, path, text, age=60.0):
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    os.utime(place, (NOW - age, NOW - age))


def process(root, pid, comm, started=10, cgroup=""):
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} ({comm}) S 1 {' '.join(['0'] * 17 + [str(started * 100)] + ['0'] * 10)}\n")
    (folder / "cmdline").write_text(comm + "\0")
    (folder / "cgroup").write_text(cgroup)
    (root / "proc/uptime").write_text("100000.00 10.00\n")
    return Process(pid, comm, str(folder))


def view(root, *processes, **more):
    given = host.View(
        processes=ProcessTable(processes),
        installation=Installation([one for one in processes if one.comm.startswith("calico")], "bird", ""),
        connection=None,
        network=None,
        ways={},
        peers=[],
        local_addresses={},
        tunnels=[],
        firewall={},
        started=host_counters.Started(0.0, {}),
        root=str(root),
        proc_root=str(root / "proc"),
    )
    return given._replace(**more)


def test_the_logs_of_every_part_are_read(tmp_path):
    write(tmp_path, POD + "/calico-node/0.log", STAMP.format(1) + "Failed to get tunnel device\n")
    write(tmp_path, POD + "/install-cni/0.log", "2026-11-21T01:02:00.0Z stdout F panic: no folder\n")
    write(tmp_path, "/var/log/pods/kube-system_canal-y_2/kube-flannel/0.log", "E1121 01:03:00.0 1 m.go:1] x509: no\n")
    typha = "/var/log/pods/calico-system_calico-typha-z_3/calico-typha/0.log"
    write(tmp_path, typha, STAMP.format(4).replace("felix", "typha") + "Failed to connect to datastore\n")
    write(
        tmp_path, host_logs.CNI_LOG, STAMP.format(5).replace("felix/", "cni-plugin/") + "connection is unauthorized\n"
    )
    asked = "E1121 01:05:30.0 1 reflector.go:125] Failed to list *v1.Service: dial tcp 10.96.0.1:443: i/o timeout\n"
    write(tmp_path, "/var/log/pods/kube-system_coredns-5c98d7d4d8-q9pl9_5/coredns/0.log", asked)
    write(tmp_path, "/var/log/pods/default_web_4/web/0.log", STAMP.format(6) + "not Calico's\n")
    sources = Sources()

    found = host_logs.gather(view(tmp_path), WELL, sources)["log"]

    assert {(line["component"], line["kind"]) for line in found} == {
        ("cni-plugin", "unauthorized"),
        ("typha", "datastore"),
        ("flannel", "tls"),
        ("install-cni", "crash"),
        ("felix", "tunnel"),
        ("coredns", "pod_api"),
    }
    assert sources.as_list() == []


def test_logs_not_written_to_of_late_are_not_read(tmp_path):
    write(tmp_path, POD + "/calico-node/0.log", STAMP.format(1) + "Failed to get tunnel device\n", age=9999.0)

    assert host_logs.gather(view(tmp_path), WELL, Sources()) == {}


def test_an_end_that_does_not_reach_back_is_told(tmp_path):
    line = STAMP.format(59) + "Failed to get tunnel device" + "." * 1000 + "\n"
    write(tmp_path, POD + "/calico-node/0.log", line * 400)
    sources = Sources()

    (found,) = host_logs.gather(view(tmp_path), WELL, sources)["log"]

    assert 200 < found["count"] < 400
    (source,) = sources.as_list()
    assert source["status"] == "ok"
    assert POD in source["detail"]
    (tmp_path / "second").mkdir()
    write(tmp_path / "second", POD + "/calico-node/0.log", STAMP.format(1).replace("01:01", "00:01") + line * 400)
    later = Sources()
    host_logs.gather(view(tmp_path / "second", window=30.0), WELL, later)
    assert later.as_list() == []  # nothing of it is of interest


@pytest.fixture
def journal(monkeypatch):
    asked = []

    def run(argv, _timeout, _limit):
        asked.append(argv)
        line = "2026-11-21T01:59:00+0000 n kubelet[9]: E1121 01:59:00.0 9 k.go:1] Failed to update lease\n"
        return commands.CommandResult(0, line, "", "")

    monkeypatch.setattr(commands, "run", run)
    return asked


def test_the_journal_of_a_healthy_node_is_left_alone(tmp_path, journal):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    kubelet = process(tmp_path, 9, "kubelet", cgroup="0::/system.slice/kubelet.service\n")
    felix = process(tmp_path, 10, "calico-felix")

    assert host_logs.gather(view(tmp_path, kubelet, felix), WELL, Sources()) == {}
    assert journal == []


def test_the_journal_is_asked_for_the_unit_of_kubelet_when_something_is_amiss(tmp_path, journal):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    kubelet = process(tmp_path, 9, "k3s-agent", cgroup="0::/system.slice/k3s-agent.service\n")
    felix = process(tmp_path, 10, "calico-felix", started=99990)
    sources = Sources()
    write(tmp_path, "/var/log/syslog", "Nov 21 01:59:00 n sshd[1]: no line of kubelet\n")

    (found,) = host_logs.gather(view(tmp_path, kubelet, felix), WELL, sources)["log"]

    assert (found["component"], found["kind"]) == ("kubelet", "node_status")
    assert journal[0][-2:] == ["-u", "k3s-agent.service"]
    (source,) = sources.as_list()
    assert source == {
        "source": "host_journal",
        "status": "ok",
        "detail": "asked for k3s-agent.service: something was started within the window",
    }


def test_a_kubelet_in_no_unit_is_told(tmp_path, journal):
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    sources = Sources()

    assert host_logs.gather(view(tmp_path), {"kubelet": {"running": False}}, sources) == {}
    assert journal == []
    assert sources.status("host_journal") == "absent"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"kubelet": {"running": False}}, "kubelet does not run"),
        ({"kubelet": {"process": "kubelet", "state": "T"}}, "kubelet does not go on"),
        ({"container_runtime": {"socket_missing": "/run/x"}}, "the container runtime's socket is missing"),
        ({"cni": {"files": []}}, "there is no CNI configuration"),
        ({"cni": {"files": ["a"], "token_expires_in_seconds": -5}}, "the CNI plugin's token has expired"),
        ({"certificates": [{"path": "x"}]}, "a certificate needs attention"),
        ({"control_plane": {"felix": {"state": "ready"}}}, ""),
        ({"control_plane": {"felix": {"state": "not_ready"}}}, "felix is not ready"),
        (
            {"control_plane": {"apiserver": {"a:1": {"told": ["kubelet"], "established": 0}}}},
            "kubelet has no connection to the API server",
        ),
        ({"control_plane": {"apiserver": {"a:1": {"told": ["calico"], "established": 0}}}}, ""),
        ({"control_plane": {"apiserver": {"a:1": {"told": ["kubelet"], "address": "unknown"}}}}, ""),
    ],
)
def test_what_calls_for_kubelets_lines(more, why):
    assert host_logs.amiss(dict(WELL, **more), True, [9999.0], 3600.0) == why


def test_nothing_of_calico_calls_for_them_too():
    assert host_logs.amiss(WELL, False, [], 3600.0) == "nothing of Calico runs"
    assert host_logs.amiss(WELL, True, [10.0], 3600.0) == "something was started within the window"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=lambda make: make.__name__)
def test_a_log_that_is_no_regular_file_is_told_and_not_read(tmp_path, make):
    (tmp_path / "var/log/calico/cni").mkdir(parents=True)
    make(tmp_path / "var/log/calico/cni/cni.log")
    os.utime(tmp_path / "var/log/calico/cni/cni.log", (NOW, NOW))
    sources = Sources()
    host_logs.gather(view(tmp_path), {}, sources)
    told = {one["source"]: one for one in sources.as_list()}["host_logs"]

    assert told["status"] == "failed"
    assert "not a regular file" in told["detail"]


def test_of_kube_proxys_log_only_what_calico_shares_with_it_is_told(tmp_path):
    text = (
        "E1121 01:59:00.135017       1 proxier.go:647] Failed to ensure that nat chain exists: iptables v1.6.0: can't "
        "initialize iptables table `nat': Table does not exist (do you need to insmod?)\n"
        "W1121 01:59:01.135017       1 reflector.go:1] dial tcp 10.96.0.1:443: connect: connection refused\n"
    )
    write(tmp_path, "/var/log/pods/kube-system_kube-proxy-x_1/kube-proxy/0.log", text)
    (found,) = host_logs.gather(view(tmp_path), WELL, Sources())["log"]
    assert (found["component"], found["kind"]) == ("kube-proxy", "kernel_lacks")
