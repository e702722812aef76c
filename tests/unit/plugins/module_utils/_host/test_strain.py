# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import strain
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process

QUIET = "some avg10=0.00 avg60=0.06 avg300=0.17 total=120641506\nfull avg10=0.00 avg60=0.00 avg300=0.09 total=80\n"
PRESSED = "some avg10=23.86 avg60=71.02 avg300=51.36 total=4112364155\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
HEAD = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|"
    "bytes    packets errs drop fifo colls carrier compressed\n"
)
POD = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice"
CONTAINER = POD + "/cri-containerd-" + "a" * 64 + ".scope"


def write(root, path, text):
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def devices(*rows):
    return HEAD + "".join(f"{name:>6}: {' '.join(map(str, values))}\n" for name, *values in rows)


def test_only_a_host_that_is_short_of_something_says_so(tmp_path):
    write(tmp_path, "proc/pressure/cpu", PRESSED)
    write(tmp_path, "proc/pressure/memory", QUIET)
    write(tmp_path, "proc/loadavg", "9.93 3.77 2.12 5/316 9771\n")
    write(tmp_path, "sys/devices/system/cpu/online", "0-1,3\n")

    assert strain.pressure(str(tmp_path / "proc"), str(tmp_path)) == {
        "pressure": {"cpu": [23.86, 71.02]},
        "load": {"minute": 9.93, "processors": 3},
    }
    write(tmp_path, "proc/loadavg", "5.93 3.77 2.12 5/316 9771\n")
    write(tmp_path, "proc/pressure/cpu", QUIET)
    assert strain.pressure(str(tmp_path / "proc"), str(tmp_path)) == {}
    assert strain.pressure(str(tmp_path / "nothing"), str(tmp_path)) == {}


def test_interfaces_that_lose_packets_are_told(tmp_path):
    clean = ("lo", 1, 9, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0, 0)
    before = devices(clean, ("eth0", 1, 90000, 0, 5, 0, 0, 0, 0, 1, 10000, 0, 0, 0, 0, 0, 0))
    later = devices(
        clean,
        ("eth0", 1, 90000, 0, 8, 0, 0, 0, 0, 1, 10000, 0, 0, 0, 0, 0, 0),
        ("eth1", 1, 90000, 3, 8, 0, 0, 0, 0, 1, 10000, 0, 0, 0, 0, 0, 0),
        ("eth2", 1, 900, 0, 8, 0, 0, 0, 0, 1, 10, 0, 0, 0, 0, 0, 0),
        ("cali1", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    )
    write(tmp_path, "net/dev", before)
    first = strain.counters(str(tmp_path))
    write(tmp_path, "net/dev", later)
    write(tmp_path, "vmstat", "pgfault 7\noom_kill 2\n")
    second = strain.counters(str(tmp_path))

    assert first == {"nic eth0 rx_dropped": 5, "nic eth0 packets": 100000}
    assert second["oom_kills"] == 2
    assert not [name for name in second if "cali" in name]
    assert strain.interfaces(["lo", "eth0", "eth1", "eth2"], first, second) == {
        "eth0": {"rx_dropped": {"total": 8, "grew": 3}},
        "eth1": {"rx_errors": {"total": 3, "grew": 3}, "rx_dropped": {"total": 8, "grew": 8}},
        "eth2": {"rx_dropped": {"total": 8, "grew": 8}},
    }
    # A few of very many, and none of them now, are nothing to speak of.
    assert strain.interfaces(["eth0", "eth2"], second, second) == {"eth2": {"rx_dropped": {"total": 8, "grew": 0}}}
    assert strain.interfaces(["eth0"], {}, second) == {}


@pytest.mark.parametrize(
    ("membership", "processor", "memory"),
    [
        (f"0::{CONTAINER}\n", "{0}/cpu.stat", "{1}/memory.events"),
        (f"0::{CONTAINER}\n", "unified{0}/cpu.stat", "unified{1}/memory.events"),
        (
            f"4:memory:{CONTAINER}\n2:cpu,cpuacct:{CONTAINER}\n1:name=systemd:/x\n",
            "cpu,cpuacct{0}/cpu.stat",
            "memory{0}/memory.oom_control",
        ),
        (
            f"4:memory:{CONTAINER}\n3:cpuacct:{CONTAINER}\n2:cpu:{CONTAINER}\n0::/\n",
            "cpu{0}/cpu.stat",
            "memory{1}/memory.oom_control",
        ),
    ],
)
def test_a_container_that_is_held_back(tmp_path, membership, processor, memory):
    write(tmp_path, "proc/7/cgroup", membership)
    process = Process(7, "calico-node", str(tmp_path / "proc/7"))
    assert strain.container(process, str(tmp_path)) == {}

    groups = "sys/fs/cgroup/"
    write(
        tmp_path,
        (groups + processor).format(CONTAINER, POD),
        "nr_periods 90\nnr_throttled 41\nthrottled_usec 2500000\n",
    )
    write(tmp_path, (groups + memory).format(CONTAINER, POD), "oom 4\noom_kill 3\n")

    assert strain.container(process, str(tmp_path)) == {
        "throttled": {"periods": 90, "throttled": 41, "seconds": 2.5},
        "oom_kills": 3,
    }


def test_version_1_counts_nanoseconds(tmp_path):
    write(tmp_path, "proc/7/cgroup", "2:cpu:/x\n")
    write(tmp_path, "sys/fs/cgroup/cpu/x/cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 1500000000\n")

    found = strain.container(Process(7, "bird", str(tmp_path / "proc/7")), str(tmp_path))

    assert found == {"throttled": {"periods": 9, "throttled": 4, "seconds": 1.5}}


def test_a_group_outside_of_what_is_seen_is_not_followed(tmp_path):
    for text in ("0::/../../x\n", "0::/\n", "nonsense\n", ""):
        write(tmp_path, "proc/7/cgroup", text)
        write(tmp_path, "sys/fs/cgroup/cpu.stat", "nr_throttled 4\n")
        assert strain.container(Process(7, "bird", str(tmp_path / "proc/7")), str(tmp_path)) == {}


@given(st.text(max_size=300))
def test_any_text_is_survived(text):
    strain._losses(HEAD + text)
    strain._processors(text)
    strain._groups(text)
    strain._values(text)
    assert strain._decimal(text) >= 0
