# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts made of network namespaces, wired with veth pairs, for probes that must meet real kernels and a real BIRD."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import pickle
import shutil
import subprocess
import time

import pytest

CLONE_NEWNET = 0x40000000


class Host:
    """One network namespace, kept by a sleeping process."""

    def __init__(self, name):
        self.name = name
        self._keeper = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        self.namespace = f"/proc/{self._keeper.pid}/ns/net"
        deadline = time.monotonic() + 5
        while os.readlink(self.namespace) == os.readlink("/proc/self/ns/net"):
            if time.monotonic() > deadline:
                raise RuntimeError("no network namespace")
            time.sleep(0.01)
        self.pid = self._keeper.pid
        self.run("ip", "link", "set", "lo", "up")
        # Looking for other holders of an address takes a second that no test needs.
        self.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")

    def close(self):
        self._keeper.kill()
        self._keeper.wait()

    def command(self, *argv):
        return ["nsenter", f"--net={self.namespace}", *argv]

    def run(self, *argv, check=True):
        done = subprocess.run(self.command(*argv), check=False, capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr}")
        return done.stdout

    def start(self, *argv, **options):
        return subprocess.Popen(self.command(*argv), **options)

    def call(self, function, *args, user=0):
        """Return function(*args) as called on this host, in a process of its own, as that user."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                result = (True, _called(self.namespace, user, function, args))
            except BaseException as error:  # noqa: BLE001 - whatever it is, the parent shall raise it
                result = (False, error)
            with contextlib.suppress(Exception):
                os.write(writing, pickle.dumps(result))
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            data = stream.read()
        os.waitpid(child, 0)
        fine, value = pickle.loads(data)  # noqa: S301 - our own child's
        if not fine:
            raise value
        return value

    def half_open(self, port=179):
        """Count connections that are neither closed nor established on that port."""
        lines = []
        for table in ("tcp", "tcp6"):
            lines += self.run("cat", f"/proc/net/{table}").splitlines()[1:]
        return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "03" for line in lines)


def _called(namespace, user, function, args):
    with open(namespace) as opened:
        if ctypes.CDLL(None, use_errno=True).setns(opened.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    if user:
        os.setgid(user)
        os.setuid(user)
    return function(*args)


def _wait_until_usable(host, device):
    """Wait for IPv6: the kernel looks at a link's state once a second, and then for other holders of its address."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        shown = host.run("ip", "-6", "addr", "show", "dev", device)
        if "fe80:" in shown and "tentative" not in shown:
            return
        time.sleep(0.05)


class Wires:
    """The hosts of one test."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._hosts = []
        self._processes = []

    def host(self, name):
        host = Host(name)
        self._hosts.append(host)
        return host

    def join(self, one, two, *networks, mtu=1500):
        """Connect two hosts; each of the networks is (first address, second address, prefix length)."""
        ends = (f"{one.name}-{two.name}", f"{two.name}-{one.name}")
        one.run("ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", str(two.pid))
        for host, device, place in ((one, ends[0], 0), (two, ends[1], 1)):
            for network in networks:
                optimistic = ["nodad"] if ":" in network[place] else []
                host.run("ip", "addr", "add", f"{network[place]}/{network[2]}", "dev", device, *optimistic)
            host.run("ip", "link", "set", device, "mtu", str(mtu), "up")
        for host, device in ((one, ends[0]), (two, ends[1])):
            _wait_until_usable(host, device)
        return ends

    def keep(self, process):
        """End this process with the test."""
        self._processes.append(process)
        return process

    def close(self):
        for process in self._processes:
            process.kill()
            process.wait()
        for host in self._hosts:
            host.close()


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    for program in ("ip", "unshare", "nsenter"):
        if not shutil.which(program):
            return f"needs {program}"
    trial = subprocess.run(["unshare", "--net", "true"], check=False, capture_output=True, text=True)
    return f"needs network namespaces: {trial.stderr.strip()}" if trial.returncode else ""


@pytest.fixture
def wires(tmp_path):
    problem = why_not()
    if problem:
        pytest.skip(problem)
    made = Wires(tmp_path)
    yield made
    made.close()


@pytest.fixture
def pair(wires):
    """Two hosts on one link: 10.77.0.9 and fd77::9 with 10.77.0.10 and fd77::a."""
    one, two = wires.host("one"), wires.host("two")
    wires.join(one, two, ("10.77.0.9", "10.77.0.10", 24), ("fd77::9", "fd77::a", 64))
    return one, two


@pytest.fixture
def needs():
    """Skip the test if one of the programs is missing."""

    def check(*programs):
        for program in programs:
            if not shutil.which(program):
                pytest.skip(f"needs {program}")

    return check
