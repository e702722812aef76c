# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose programs for packet filters hang: the pass ends, with all facts that have nothing to do with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root"),
    pytest.mark.skipif(not shutil.which("iptables") or not shutil.which("nft"), reason="needs iptables and nft"),
]

NAMES = [f"{ip}-{way}save" for ip in ("iptables", "ip6tables") for way in ("", "nft-", "legacy-")]
GATHER = """
import json
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
print(json.dumps(node.gather({"probe": False, "peers": ["10.200.0.10"], "timeout": 1})))
"""
HOST = """
set -e
ip link set lo up
ip link add eth0 type veth peer name far
ip link set eth0 up
ip link set far up
ip address add 10.200.0.9/24 dev eth0
iptables-nft -A INPUT -p tcp --dport 179 -j DROP
nft add table inet mine
nft add chain inet mine in '{ type filter hook input priority 5; policy drop; }'
"""


def test_they_cost_no_other_facts(tmp_path):
    for name in ("nft", "ipset", *NAMES):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/started\nsleep 60\n")
        program.chmod(0o755)
    environment = {**os.environ, "HANGING": str(tmp_path)}
    script = f'{HOST}\nexport PATH="$HANGING:$PATH"\nexec "$@"'
    argv = ["unshare", "--net", "sh", "-c", script, "sh", sys.executable, "-c", GATHER]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)

    assert facts["calico_node"]["duration_seconds"] < 10
    assert facts["calico_node"]["host"]["kubelet"]
    assert facts["calico_chrony"]["service"]
    assert facts["calico_mtu"]["interfaces"]["eth0"] == 1500
    assert {one["verdict"] for one in facts["calico_firewall"]["tcp179"]["inbound"]} == {"unknown"}
    started = (tmp_path / "started").read_text().split()
    assert len(started) == len(set(started))
