# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading packet filters changes nothing: no table is made, no kernel module loaded, no rule touched."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import firewall
from ansible_collections.netmedic.calico.plugins.module_utils._facts.bgp_daemon import Peer
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import nft_kernel
from ansible_collections.netmedic.calico.plugins.module_utils._host import (
    bpf_programs,
    links,
    netlink,
    overlay,
    pod_routes,
)
from ansible_collections.netmedic.calico.plugins.module_utils._host.routes import Route
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network

ADDRESSES = ("10.200.0.10", "10.200.0.20", "fd00::a")
PEERS = [Peer("x", "Mesh", "ipv6" if ":" in peer else "ipv4", peer, 179, "", None, None) for peer in ADDRESSES]
WAYS = {peer: Route(peer, "unicast", "eth0", "", "") for peer in ADDRESSES}
CHAINS = ":FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
OWN_TABLE = """
table inet own {
  chain out {
    type filter hook output priority 0
    ip daddr 10.200.0.10 drop
  }
}
"""
LOCAL = {"ipv4": "10.200.0.9", "ipv6": "fd00::9"}


@pytest.fixture
def host():
    lacking = network.missing()
    if lacking:
        pytest.skip(lacking)
    namespace = network.Namespace()
    yield namespace
    namespace.close()


def modules():
    """The kernel's modules without their use counts; None where it has none."""
    if not os.path.exists("/proc/modules"):
        return None
    with open("/proc/modules") as stream:
        return sorted(line.split()[0] for line in stream)


def everything(host):
    """All rules of all kinds as the programs list them, and the tables that exist."""
    with network.inside(host.descriptor):
        tables = []
        for name in ("ip_tables_names", "ip6_tables_names"):
            with open(f"/proc/net/{name}") as stream:
                tables.append(sorted(stream.read().split()))
        tables.append(nft_kernel.base_chains())
    listings = [host.run("nft", "list", "ruleset").stdout, host.run("ipset", "save").stdout]
    if any(tables[:2]):
        listings += [host.run(f"{program}-legacy-save").stdout for program in ("iptables", "ip6tables")]
    return tables, ["\n".join(line for line in text.split("\n") if not line.startswith("#")) for text in listings]


def gather(host):
    sources = Sources()
    with network.inside(host.descriptor):
        facts = firewall.gather({"timeout": 5}, sources, firewall.Around(PEERS, None, WAYS, LOCAL))
    return facts, {entry["source"]: entry["status"] for entry in sources.as_list()}


def test_on_a_fresh_host_nothing_appears(host):
    before, loaded = everything(host), modules()
    assert before[0] == [[], [], []]
    facts, sources = gather(host)
    assert (everything(host), modules()) == (before, loaded)
    assert sources == {"iptables_legacy": "absent", "iptables_nft": "absent", "nftables": "ok"}
    assert facts["tcp179"]["inbound"] == [
        {"verdict": "accept", "count": 2, "family": "ipv4"},
        {"verdict": "accept", "count": 1, "family": "ipv6"},
    ]


def test_to_look_for_programs_pods_and_other_nodes_changes_nothing(host):
    host.run("ip", "link", "add", "vxlan.calico", "type", "vxlan", "id", "4096", "dstport", "4789")
    before, loaded = (everything(host), host.run("ip", "-d", "address").stdout), modules()
    sources = Sources()
    with network.inside(host.descriptor), netlink.Netlink() as connection:
        found = links.read(connection)
        names = [link.name for link in found.links.values()]
        assert bpf_programs.read(connection, found, names, sources) == []
        assert pod_routes.read(connection, "ipv4", found).here == []
        assert overlay.learn(connection, found, "", sources).nodes == {}
    assert (everything(host), host.run("ip", "-d", "address").stdout) == before
    assert modules() == loaded
    assert [(entry["source"], entry["status"]) for entry in sources.as_list()] == [("overlay", "absent")]


def test_no_table_is_made_beside_those_that_exist(host):
    host.run(
        "iptables-legacy-restore",
        text=f"*filter\n:INPUT DROP [0:0]\n{CHAINS}COMMIT\n",
    )
    before = everything(host)
    assert before[0][:2] == [["filter"], []]
    facts, sources = gather(host)
    assert everything(host) == before
    assert sources == {"iptables_legacy": "ok", "iptables_nft": "absent", "nftables": "ok"}
    assert [entry["verdict"] for entry in facts["tcp179"]["inbound"]] == ["drop", "accept"]


def test_a_host_with_everything_is_left_as_it_was(host):
    host.run("ipset", "create", "banned", "hash:ip")
    host.run("ipset", "add", "banned", "10.200.0.20")
    host.run(
        "iptables-legacy-restore",
        text=f"*filter\n:INPUT ACCEPT [0:0]\n{CHAINS}-A INPUT -m set --match-set banned src -j DROP\nCOMMIT\n",
    )
    host.run(
        "ip6tables-nft-restore",
        text="*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 179 -j REJECT\nCOMMIT\n",
    )
    host.run(
        "nft",
        "-f",
        "-",
        text=OWN_TABLE,
    )
    before, loaded = everything(host), modules()
    facts, sources = gather(host)
    assert (everything(host), modules()) == (before, loaded)
    assert sources == dict.fromkeys(("iptables_legacy", "iptables_nft", "nftables", "ipset"), "ok")
    assert [(entry["family"], entry["verdict"]) for entry in facts["tcp179"]["inbound"]] == [
        ("ipv4", "accept"),
        ("ipv4", "drop"),
        ("ipv6", "reject"),
    ]
    dropped = facts["tcp179"]["outbound"][1]
    assert (dropped["verdict"], dropped["peers"], dropped["rule"]["backend"], dropped["rule"]["table"]) == (
        "drop",
        {"10.200.0": "10"},
        "nftables",
        "inet own",
    )
    assert facts["backends"] == {
        "iptables_legacy": {"rules": 1},
        "iptables_nft": {"rules": 1},
        "nftables": {"foreign_base_chains": ["inet own out"]},
    }
