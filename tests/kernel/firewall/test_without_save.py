# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose iptables-nft has no iptables-nft-save (or none that is found): its tables are read by nft."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root"),
    pytest.mark.skipif(
        not shutil.which("iptables-nft") or not shutil.which("nft"), reason="needs iptables-nft and nft"
    ),
]

GATHER = """
import json, subprocess, sys
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
from ansible_collections.netmedic.calico.plugins.module_utils._host import commands
find = commands.find_program
if sys.argv[1] == "without":
    commands.find_program = lambda name: "" if name.endswith("-save") else find(name)
params = {"probe": False, "peers": ["10.200.0.10", "10.200.0.11"]}
print(json.dumps(node.gather(params, ("firewall",))["calico_firewall"]))
"""
HOST = """
set -e
ip link set lo up
ip link add eth0 type veth peer name far
ip link set eth0 up
ip link set far up
ip address add 10.200.0.9/24 dev eth0
iptables-nft -N own
iptables-nft -A INPUT -s 10.200.0.10 -j own
iptables-nft -A own -p tcp --dport 179 -j DROP
iptables-nft -A INPUT -p udp --dport 4789 -j REJECT
iptables-nft -t nat -A POSTROUTING -d 10.9.9.9 -j MASQUERADE
"""


@pytest.fixture(scope="module")
def both():
    found = []
    for way in ("with", "without"):
        argv = ["unshare", "--net", "sh", "-c", f'{HOST}\nexec "$@"', "sh", sys.executable, "-c", GATHER, way]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    return found


def test_they_are_no_strangers(both):
    told, seen = both

    assert "nftables" not in seen["backends"]
    assert seen["backends"]["iptables_nft"] == told["backends"]["iptables_nft"]
    entry = next(one for one in seen["sources"] if one["source"] == "iptables_nft")
    assert (entry["status"], entry["detail"]) == ("ok", "read by nft, for there is no iptables-nft-save")


def test_what_passes_is_the_same(both):
    def verdicts(facts):
        entries = [one for way in ("inbound", "outbound") for one in facts["tcp179"][way]]
        return [(one["verdict"], one["count"], one.get("peers"), _place(one.get("rule"))) for one in entries]

    def _place(rule):
        return rule and (rule["backend"], rule["table"], rule["chain"], rule["rule"], rule["path"])

    told, seen = both
    assert verdicts(seen) == verdicts(told)
    assert [one["verdict"] for one in seen["tcp179"]["inbound"]] == [
        one["verdict"] for one in told["tcp179"]["inbound"]
    ]
