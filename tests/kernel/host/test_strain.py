# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel tells of control groups: a process held back, one killed for want of memory, and the names under
which container runtimes put theirs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import bgp
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import processes, sockets, strain

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes control groups, which needs root")

ID = "0123456789abcdef" * 4
# As containerd, CRI-O and Docker name them, by systemd and by cgroupfs (k8s.io/kubelet: pkg/kubelet/cm; moby: daemon).
NAMES = (
    f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-{ID}.scope",
    f"kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope",
    f"system.slice/docker-{ID}.scope",
    f"kubepods/burstable/pod1/{ID}",
    f"docker/{ID}",
)
MOUNTS = {
    "cpu": ("/sys/fs/cgroup", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"),
    "memory": ("/sys/fs/cgroup", "/sys/fs/cgroup/memory"),
}


@contextlib.contextmanager
def group(controller, *names):
    """Make a control group with one of the files `names`; skip where this machine lets nobody."""
    for mount in MOUNTS[controller]:
        folder = f"{mount}/netmedic-test-{os.getpid()}"
        try:
            os.mkdir(folder)
        except OSError:
            continue
        try:
            found = [name for name in names if os.path.exists(f"{folder}/{name}")]
            if found:
                yield folder, found[0]
                return
        finally:
            remove(folder)
    pytest.skip(f"no control group of {controller} can be made here")


def remove(folder):
    deadline = time.monotonic() + 5
    while os.path.isdir(folder):
        try:
            os.rmdir(folder)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def write(path, text):
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def inside(folder, script):
    """Run Python in a control group."""
    enter = f"import os; open({folder + '/cgroup.procs'!r}, 'w').write(str(os.getpid()))\n"
    return subprocess.Popen([sys.executable, "-c", enter + script], stderr=subprocess.DEVNULL)


def seen(process):
    return processes.Process(process.pid, "python", f"/proc/{process.pid}")


def test_a_process_that_is_held_back():
    with group("cpu", "cpu.max", "cpu.cfs_quota_us") as (folder, name):
        write(f"{folder}/{name}", "5000 100000" if name == "cpu.max" else "5000")
        process = inside(folder, "while True: pass")
        try:
            deadline = time.monotonic() + 10
            while not strain.container(seen(process)) and time.monotonic() < deadline:
                time.sleep(0.2)
            found = strain.container(seen(process))
        finally:
            process.kill()
            process.wait()

    assert found["throttled"]["periods"] >= found["throttled"]["throttled"] >= 1


def test_a_process_that_is_killed_for_want_of_memory():
    with group("memory", "memory.max", "memory.limit_in_bytes") as (folder, name):
        write(f"{folder}/{name}", str(64 << 20))
        keeper = inside(folder, "import time; time.sleep(60)")
        eater = inside(folder, "all_of_it = b'x' * (256 << 20)")
        try:
            eater.wait(30)
            found = strain.container(seen(keeper))
        finally:
            for process in (keeper, eater):
                process.kill()
                process.wait()

    assert found == {"oom_kills": 1}
    assert strain.counters()["oom_kills"] >= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_container_of_who_listens(name):
    with group("cpu", "cgroup.procs") as (top, _file):
        folder = f"{top}/{name}"
        os.makedirs(folder)
        listen = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
        tell = "print(s.getsockname()[1], flush=True); time.sleep(60)"
        enter = f"open({folder + '/cgroup.procs'!r}, 'w').write(str(__import__('os').getpid())); "
        process = subprocess.Popen([sys.executable, "-c", enter + listen + tell], stdout=subprocess.PIPE, text=True)
        try:
            port = int(process.stdout.readline())
            found = sockets.read_tcp("/proc/self/net", {port})
            listening = [one for one in found if one.state == sockets.LISTEN]
            holders = sockets.owners([one.inode for one in listening], [seen(process)], [])
            facts = bgp.socket_facts(found, listening, holders, Sources())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            parts = name.split("/")
            for number in range(len(parts), 0, -1):
                remove(f"{top}/{'/'.join(parts[:number])}")

    assert facts["listeners"] == [
        {"address": "127.0.0.1", "port": port, "pid": process.pid, "process": "python", "container": ID[:12]}
    ]
