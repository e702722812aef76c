# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put rulesets at random into a host, and take them out again."""

from __future__ import annotations

import re
import time

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network
from ansible_collections.netmedic.calico.tests.kernel.firewall import random_rules

_ETHERNET = 1
LEGACY = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}


def clear(hosts):
    """Leave no rule of any kind in the host."""
    hosts.host.run("nft", "flush", "ruleset")
    for program, listing in (("iptables", "ip_tables_names"), ("ip6tables", "ip6_tables_names")):
        with network.inside(hosts.host.descriptor), open(f"/proc/net/{listing}") as stream:
            tables = stream.read().split()
        policies = {table: "".join(f":{chain} ACCEPT [0:0]\n" for chain in LEGACY[table]) for table in tables}
        if policies:
            text = "".join(f"*{table}\n{chains}COMMIT\n" for table, chains in policies.items())
            hosts.host.run(f"{program}-legacy-restore", text=text)


def destroy_set(hosts, name):
    """Take a set out; the kernel lets go of it a little after the last rule that names it."""
    deadline = time.monotonic() + 2
    while hosts.host.run("ipset", "destroy", name, check=False).returncode and time.monotonic() < deadline:
        time.sleep(0.01)


def with_flows(seed, way):
    """Every other ruleset, and its packets, are about all flows between nodes and not about BGP alone."""
    return way == "reply" or (way != "answer" and seed % 2 == 0)


def load_iptables(hosts, family, backend, seed, **manner):
    rules = random_rules.Iptables(seed, family, **manner)
    hosts.host.run("ipset", "restore", text=rules.sets())
    program = "iptables" if family == "ipv4" else "ip6tables"
    text = rules.ruleset()
    hosts.host.run(f"{program}-{backend}-restore", text=text)
    return text


def load_nft(hosts, family, seed, outbound=False, text="", beside=False):
    """Load a ruleset without those rules that nft finds contradictory or does not know in a table of this family."""
    flows = with_flows(seed, "out" if outbound else "in")
    lines = (text or random_rules.Nft(seed, family, outbound, flows, beside=beside).ruleset()).split("\n")
    while True:
        done = hosts.host.run("nft", "-f", "-", text="\n".join(lines), check=False)
        if done.returncode == 0:
            if not hosts.host.run("nft", "-j", "list", "ruleset", check=False).returncode:
                return "\n".join(lines)
            # (nft 1.0.6 fails to list some rules that it has loaded.)
            hosts.host.run("nft", "flush", "ruleset")
            listed = [line for line in lines if "meta l4proto . th" not in line]
            assert len(listed) < len(lines), lines
            lines = listed
            continue
        wrong = int(re.search(r":(\d+):\d+-\d+: Error", done.stderr).group(1)) - 1
        assert lines[wrong].startswith("  "), done.stderr
        del lines[wrong]


def add_with_nft(hosts, family, seed):
    """Put rules into the chains of iptables-nft with nft."""
    rules = random_rules.Nft(seed, family, flows=with_flows(seed, "in"))
    added = []
    while len(added) < 4:
        words = [rules.ip, "filter", rules.random.choice(("INPUT", "INPUT", "one")), *rules.rule().split()]
        command = rules.random.choice(("add", "insert"))
        if "@" not in " ".join(words) and not hosts.host.run("nft", command, "rule", *words, check=False).returncode:
            added.append(f"{command} {' '.join(words)}")
    return "\n".join(added)


def packet_of(shot, way):
    """What the evaluator is told about a packet on its way in, out, or about the host's answer to one.

    "reply" is one on its way in that comes back from where the host has sent something before.
    """
    family, far = model.address_number(shot.source)
    near = model.address_number(shot.destination)[1]
    # The host answers, and opens connections, by the link that leads to the other side.
    here = "LOCAL" if random_rules.HOSTS[family][shot.link] == shot.destination else "UNICAST"
    has_ports = shot.protocol != network.IPIP
    inbound = model.Packet(
        *(family, shot.link, "", far, near, shot.protocol),
        source_port=shot.source_port if has_ports else None,
        destination_port=shot.destination_port if has_ports else None,
        state="NEW" if shot.flags == network.SYN else "INVALID",
        tcp_flags=shot.flags if shot.protocol == network.TCP else 0,
        source_type_here="UNICAST",
        destination_type_here=here,
        ipsec=False,
        in_type=_ETHERNET,
    )
    if way == "in":
        return inbound
    if way == "reply":
        return inbound._replace(state="ESTABLISHED", direction="REPLY")
    outbound = inbound._replace(
        in_interface="",
        out_interface=shot.link,
        in_type=None,
        # The answers of a listener are its user's, as what is sent is the tests'.
        uid=0 if way == "out" else None,
        source=near,
        destination=far,
        source_type="LOCAL",
        source_type_here=here,
        destination_type="UNICAST",
        destination_type_here="UNICAST",
    )
    if way == "out":
        return outbound
    return outbound._replace(
        source_port=shot.destination_port,
        destination_port=shot.source_port,
        state="ESTABLISHED",
        direction="REPLY",
        tcp_flags=0x12,
    )


def packet_between(shot):
    """What the evaluator is told about a packet that goes through the host."""
    family, source = model.address_number(shot.source)
    has_ports = shot.protocol != network.IPIP
    return model.Packet(
        family,
        shot.link,
        network.LINKS[1 - network.LINKS.index(shot.link)],
        source,
        model.address_number(shot.destination)[1],
        shot.protocol,
        source_port=shot.source_port if has_ports else None,
        destination_port=shot.destination_port if has_ports else None,
        state="NEW" if shot.flags == network.SYN else "INVALID",
        tcp_flags=shot.flags if shot.protocol == network.TCP else 0,
        source_type_here="UNICAST",
        destination_type="UNICAST",
        destination_type_here="UNICAST",
        ipsec=False,
        in_type=_ETHERNET,
    )
