# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import ansible_collections.netmedic.calico as collection

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root")

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
GATHER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._host import offload

names = ["vxlan.calico", "flannel.1", "none"]
found = [offload.sending(names)]
offload.switch("vxlan.calico", False)
found.append(offload.sending(names))
print(json.dumps(found))
"""
DEVICES = """
set -e
ip link add vxlan.calico type vxlan id 4096 dstport 4789
ip link add flannel.1 type vxlan id 1 dstport 8472
"""


def test_devices_tell_who_makes_their_checksums():
    script = f"{DEVICES}exec {sys.executable} - {ROOT}"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script], input=GATHER, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[["vxlan.calico", "flannel.1"], ["none"]], [["flannel.1"], ["none"]]]


WRONG = """
import json, socket, struct, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._facts import host_counters

started = host_counters.begin()
listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listening.bind(("127.0.0.1", 4789))
listening.settimeout(0.2)
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP) as raw:
    raw.sendto(struct.pack("!HHHH", 4790, 4789, 12, 0xBAD) + b"text", ("127.0.0.1", 0))
try:
    listening.recv(100)
except OSError:
    pass
now = host_counters._totals("/proc")
print(json.dumps(host_counters.losses(started, now, started.at + 1, {}).get("checksum_errors_udp")))
"""


def test_datagrams_with_wrong_checksums_are_counted():
    script = f"mount -t proc proc /proc; ip link set lo up; exec {sys.executable} - {ROOT}"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "sh", "-c", script]
    done = subprocess.run(argv, input=WRONG, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"total": 1, "grew": 1}
