# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import processes

RECORDED = pathlib.Path(__file__).parent / "recorded"


@pytest.fixture
def table(fake_proc):
    fake_proc.add(1, "systemd", ("/sbin/init",))
    fake_proc.add(
        20,
        "bird",
        ("bird", "-R", "-s", "/run/bird.ctl", "-c/etc/bird.cfg"),
        {"CALICO_NETWORKING_BACKEND": "bird"},
        "pod",
    )
    fake_proc.add(10, "bird", ("bird",), container="c" * 64)
    fake_proc.add(30, "bird", (), state="Z")
    fake_proc.add(40, "calico-typha-very-long-name")
    return processes.walk(fake_proc.path)


def test_the_walk_sees_everyone(table):
    assert len(table) == 5
    assert table.get(20).comm == "bird"
    assert table.get(99) is None
    assert table.network_namespace == "net:[1]"


def test_processes_by_name_without_the_dead(table):
    assert [process.pid for process in table.named("bird", "bird6")] == [10, 20]


def test_names_longer_than_the_kernel_keeps(table):
    assert [process.pid for process in table.named("calico-typha-very-long-name")] == [40]


def test_what_there_is_to_know_of_a_process(table):
    process = table.get(20)

    assert process.argv == ("bird", "-R", "-s", "/run/bird.ctl", "-c/etc/bird.cfg")
    assert (process.option("s"), process.option("c"), process.option("x")) == ("/run/bird.ctl", "/etc/bird.cfg", "")
    assert (process.state, process.ppid) == ("S", 1)
    assert process.started_seconds_ago == pytest.approx(100, abs=0.1)
    assert process.network_namespace == "net:[1]"
    assert process.container == ""
    assert table.get(10).container == "c" * 64


def test_only_wanted_variables_of_the_environment(table):
    assert table.get(20).environ(["CALICO_NETWORKING_BACKEND", "HOME"]) == {"CALICO_NETWORKING_BACKEND": "bird"}


@pytest.mark.parametrize(
    "line",
    [
        "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{}.scope",
        "11:memory:/docker/{}",
        "0::/system.slice/docker-{}.scope",
        "0::/kubepods/besteffort/pod-0d2f/crio-{}.scope",
        "0::/kubepods/besteffort/pod0d2f/{}",
    ],
)
def test_the_container_id_in_every_runtimes_notation(fake_proc, line):
    fake_proc.add(1, "bird")
    fake_proc.write(os.path.join(fake_proc.path, "1", "cgroup"), line.format("0123456789abcdef" * 4) + "\n")

    assert processes.walk(fake_proc.path).get(1).container == "0123456789abcdef" * 4


def test_a_name_with_parentheses_does_not_confuse(fake_proc):
    fake_proc.add(1, "a) Z (b")

    process = processes.walk(fake_proc.path).get(1)

    assert (process.comm, process.state) == ("a) Z (b", "S")


def test_a_stopped_bird_as_the_kernel_writes_it(fake_proc):
    fake_proc.add(100, "bird")
    shutil.copy(str(RECORDED / "stopped.stat"), os.path.join(fake_proc.path, "100", "stat"))

    assert processes.walk(fake_proc.path).get(100).state == "T"


def test_a_process_that_ends_meanwhile_is_empty(table, fake_proc):
    process = table.get(20)
    shutil.rmtree(os.path.join(fake_proc.path, "20"))

    assert (process.argv, process.state, process.ppid, process.started_seconds_ago) == ((), "", 0, None)
    assert (process.container, process.network_namespace, process.environ(["PATH"])) == ("", "", {})


def test_damaged_files_do_not_raise(fake_proc):
    fake_proc.add(1, "x")
    for name in ("stat", "cgroup", "environ", "cmdline"):
        fake_proc.write(os.path.join(fake_proc.path, "1", name), b"\xff\x00(((")
    fake_proc.write(os.path.join(fake_proc.path, "uptime"), "soon")

    process = processes.walk(fake_proc.path).get(1)

    assert (process.state, process.ppid, process.started_seconds_ago, process.container) == ("", 0, None, "")


def test_no_proc_at_all(tmp_path):
    assert len(processes.walk(str(tmp_path / "proc"))) == 0


def test_this_process_in_the_real_proc():
    process = processes.walk().get(os.getpid())

    assert process.ppid == os.getppid()
    assert 0 <= process.started_seconds_ago < 86400
    assert process.network_namespace.startswith("net:[")
    assert os.path.samefile(process.inside(str(RECORDED)), str(RECORDED))


def test_links_are_followed_below_the_root_of_the_process(tmp_path):
    root = tmp_path / "root"
    (root / "run" / "calico").mkdir(parents=True)
    (root / "var").mkdir()
    (root / "var" / "run").symlink_to("/run")
    (root / "run" / "here").symlink_to("../run/calico")
    (root / "run" / "out").symlink_to("../../../../../etc")
    (root / "loop").symlink_to("/loop")
    top = str(root)

    assert processes.resolve_inside(top, "/var/run/calico/bird.ctl") == top + "/run/calico/bird.ctl"
    assert processes.resolve_inside(top, "/var/run/here/x") == top + "/run/calico/x"
    assert processes.resolve_inside(top, "/run/out/passwd") == top + "/etc/passwd"
    assert processes.resolve_inside(top, "../../x/./y//z") == top + "/x/y/z"
    assert processes.resolve_inside(top, "/loop/x") == top + "/loop/x"


def test_a_device_is_not_even_opened(monkeypatch):
    opened = []
    monkeypatch.setattr(processes.os, "open", lambda path, *_more: opened.append(path))

    assert processes.read_bytes("/dev/zero") == b""
    assert opened == []


def test_reading_never_blocks_and_never_raises(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))
    (tmp_path / "file").write_text("x" * 100000)

    assert processes.read_bytes(str(tmp_path / "pipe")) == b""
    assert processes.read_bytes(str(tmp_path)) == b""
    assert processes.read_bytes(str(tmp_path / "nothing")) == b""
    assert len(processes.read_text(str(tmp_path / "file"), 70000)) == 70000
