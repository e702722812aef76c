# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on a node that stand in pods' way: of its own firewall, of a network plugin that is gone, of kube-proxy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from . import dataplane_ipip, standins
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..topology import Node


class Rules(NamedTuple):
    """Commands that make rules, and those that take them away again."""

    variant: Variant
    make: tuple[str, ...]
    undo: tuple[str, ...]


def _own(case: Case) -> dict[str, str]:
    return {"pod": case.node.pod_address, "pods": "10.244.0.0/16"}


def _do(case: Case, commands: Iterable[str], forgiving: bool = False) -> None:
    for command in commands:
        words = shlex.split(command.format(**_own(case)))
        if forgiving:
            case.try_run(words)
        else:
            case.run(words)


def _chosen(case: Case, rules: tuple[Rules, ...]) -> Rules:
    return next(each for each in rules if each.variant.name == case.variant)


def _still_reached(case: Case) -> str:
    """The pods of other nodes must not reach that of the target, nor the other way round."""
    other: Node = case.peers[0]
    if dataplane_ipip.reaches(case, other, case.node):
        return f"the pod of {other.name} still reaches that of {case.target}"
    return ""


_HOSTS = (
    Rules(
        Variant("forward-reject", "REJECT at the end of FORWARD, as RHEL's own rules have it"),
        ("iptables-nft -A FORWARD -j REJECT --reject-with icmp-host-prohibited",),
        ("iptables-nft -D FORWARD -j REJECT --reject-with icmp-host-prohibited",),
    ),
    Rules(
        Variant("nft-policy", "a table of nftables whose forward chain drops what it does not know"),
        (
            "nft add table inet host_filter",
            "nft add chain inet host_filter forward {{ type filter hook forward priority 0 ; policy drop ; }}",
            "nft add rule inet host_filter forward iifname eth0 oifname eth0 accept",
        ),
        ("nft delete table inet host_filter",),
    ),
)
# kube-router's own names and comments (pkg/controllers/netpol): a chain for each pod that it knew by its address.
_POD_CHAIN = "KUBE-POD-FW-6X4Q2HZ7VNCJD3RT"
_REJECTS = "default rule to REJECT traffic destined for POD name:web namespace: default"
_JUMPS = "rule to jump traffic destined to POD name:web namespace: default"
_LEFT = (
    Rules(
        Variant("kube-router", "kube-router's chain for a pod whose address Calico has given out again"),
        (
            f"iptables-nft -N {_POD_CHAIN}",
            (
                f"iptables-nft -A {_POD_CHAIN} -m comment --comment '{_REJECTS}' -j REJECT "
                "--reject-with icmp-port-unreachable"
            ),
            "iptables-nft -N KUBE-ROUTER-FORWARD",
            f"iptables-nft -A KUBE-ROUTER-FORWARD -d {{pod}}/32 -m comment --comment '{_JUMPS}' -j {_POD_CHAIN}",
            "iptables-nft -I FORWARD -m comment --comment 'kube-router netpol' -j KUBE-ROUTER-FORWARD",
        ),
        (
            "iptables-nft -D FORWARD -m comment --comment 'kube-router netpol' -j KUBE-ROUTER-FORWARD",
            "iptables-nft -F KUBE-ROUTER-FORWARD",
            "iptables-nft -X KUBE-ROUTER-FORWARD",
            f"iptables-nft -F {_POD_CHAIN}",
            f"iptables-nft -X {_POD_CHAIN}",
        ),
    ),
    Rules(
        Variant("old-calico", "an earlier Calico's rules in the legacy backend, which know none of today's pods"),
        (
            "iptables-legacy -N cali-from-wl-dispatch",
            (
                "iptables-legacy -A cali-from-wl-dispatch -m comment --comment cali:zTj6P0TIgYvgz-md "
                "-m comment --comment 'Unknown interface' -j DROP"
            ),
            "iptables-legacy -N cali-FORWARD",
            (
                "iptables-legacy -A cali-FORWARD -i cali+ -m comment --comment cali:8ZoYfO5HKXWbB3pk "
                "-j cali-from-wl-dispatch"
            ),
            "iptables-legacy -I FORWARD -m comment --comment cali:wUHhoiAYhphO9Mso -j cali-FORWARD",
        ),
        (
            "iptables-legacy -D FORWARD -m comment --comment cali:wUHhoiAYhphO9Mso -j cali-FORWARD",
            "iptables-legacy -F cali-FORWARD",
            "iptables-legacy -X cali-FORWARD",
            "iptables-legacy -F cali-from-wl-dispatch",
            "iptables-legacy -X cali-from-wl-dispatch",
        ),
    ),
)

HOST_FIREWALL = Fault(
    id="host_firewall_blocks_pod_interfaces",
    description="the node's own firewall drops what it forwards from and to pods; BGP passes",
    inject=lambda case: _do(case, _chosen(case, _HOSTS).make),
    heal=lambda case: _do(case, _chosen(case, _HOSTS).undo, forgiving=True),
    missing=_still_reached,
    default=listener,
    variants=tuple(each.variant for each in _HOSTS),
    breaks_sessions=False,
)

LEFTOVER = Fault(
    id="leftover_iptables_rules",
    description="rules of a network plugin that is gone stop a pod's packets",
    inject=lambda case: _do(case, _chosen(case, _LEFT).make),
    heal=lambda case: _do(case, _chosen(case, _LEFT).undo, forgiving=True),
    missing=_still_reached,
    default=listener,
    variants=tuple(each.variant for each in _LEFT),
    breaks_sessions=False,
)

# --- kube-proxy ---------------------------------------------------------------------------------------------------

_PROXY, _SERVICE = "kube-proxy", "10.96.0.10"
_SVC, _SEP = "KUBE-SVC-TCOU7JCQXEZGVUNU", "KUBE-SEP-ZP3FB6NMPNCO4VBJ"
_NAT, _IS_DNS = "iptables-nft -t nat", "kube-system/kube-dns:dns cluster IP"
# As kube-proxy writes them with --masquerade-all (pkg/proxy/iptables/proxier.go), for one Service with one pod.
_MASQUERADE = (
    f"{_NAT} -N KUBE-MARK-MASQ",
    f"{_NAT} -A KUBE-MARK-MASQ -j MARK --or-mark 0x4000",
    f"{_NAT} -N KUBE-POSTROUTING",
    f"{_NAT} -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
    f"{_NAT} -A KUBE-POSTROUTING -j MARK --xor-mark 0x4000",
    f"{_NAT} -A KUBE-POSTROUTING -m comment --comment 'kubernetes service traffic requiring SNAT' -j MASQUERADE",
    f"{_NAT} -N {_SEP}",
    f"{_NAT} -A {_SEP} -p udp -j DNAT --to-destination {{far}}:53",
    f"{_NAT} -N {_SVC}",
    f"{_NAT} -A {_SVC} -d {_SERVICE}/32 -p udp --dport 53 -m comment --comment '{_IS_DNS}' -j KUBE-MARK-MASQ",
    f"{_NAT} -A {_SVC} -j {_SEP}",
    f"{_NAT} -N KUBE-SERVICES",
    f"{_NAT} -A KUBE-SERVICES -d {_SERVICE}/32 -p udp --dport 53 -m comment --comment '{_IS_DNS}' -j {_SVC}",
    f"{_NAT} -A PREROUTING -m comment --comment 'kubernetes service portals' -j KUBE-SERVICES",
    f"{_NAT} -A POSTROUTING -m comment --comment 'kubernetes postrouting rules' -j KUBE-POSTROUTING",
)
_CHAINS = ("KUBE-SERVICES", _SVC, _SEP, "KUBE-POSTROUTING", "KUBE-MARK-MASQ")


def _masquerade(case: Case) -> None:
    for command in _MASQUERADE:
        case.run(shlex.split(command.format(far=case.peers[0].pod_address)))
    options = ["--masquerade-all", "--cluster-cidr=10.244.0.0/16"]
    standins.start(case, case.machine, _PROXY, ["-c", "import signal; signal.pause()", *options], {})


def _unmasquerade(case: Case) -> None:
    standins.stop(case, case.machine, _PROXY)
    case.try_run(
        shlex.split(f"{_NAT} -D PREROUTING -m comment --comment 'kubernetes service portals' -j KUBE-SERVICES")
    )
    jump = f"{_NAT} -D POSTROUTING -m comment --comment 'kubernetes postrouting rules' -j KUBE-POSTROUTING"
    case.try_run(shlex.split(jump))
    for flag in ("-F", "-X"):
        for chain in _CHAINS:
            case.try_run([*_NAT.split(), flag, chain])


def _not_masqueraded(case: Case) -> str:
    """A pod that asks a Service must be given the node's source: the rule for that has met a packet."""
    if not standins.running(case.machine, _PROXY):
        return f"{case.target} has no {_PROXY}"
    ask = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{_SERVICE}', 53))"
    case.machine.exec(["ip", "netns", "exec", "pod", "python3", "-c", ask], check=False)
    listed = case.machine.exec([*_NAT.split(), "-nvxL", "KUBE-POSTROUTING"]).stdout
    met = [line.split()[0] for line in listed.splitlines() if "MASQUERADE" in line]
    return "" if met and met[0] != "0" else "nothing was masqueraded yet"


MASQUERADE_ALL = Fault(
    id="kube_proxy_masquerade_all",
    description="kube-proxy runs with --masquerade-all: pods' packets to Services get the node's own source",
    inject=_masquerade,
    heal=_unmasquerade,
    missing=_not_masqueraded,
    default=listener,
    variants=(Variant("option", "the option, and the rules that kube-proxy writes for it"),),
    breaks_sessions=False,
)

# --- what fits no connection --------------------------------------------------------------------------------------

_ANSWERER = "answers-elsewhere"
_INVALID = "FORWARD -m conntrack --ctstate INVALID -m comment --comment 'kubernetes forwarding rules' -j DROP"
# Answers to connections that were opened by another way, which this node has not seen.
_ANSWERS = """\
import random, socket, struct, sys, time
source, target = sys.argv[1:3]
def total(data):
    number = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    number = (number >> 16) + (number & 0xFFFF)
    return ~(number + (number >> 16)) & 0xFFFF
wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
wire.bind((source, 0))
ends = socket.inet_aton(source) + socket.inet_aton(target)
while True:
    port, number = random.randint(32768, 60999), random.randint(1, 1 << 31)
    head = struct.pack("!HHIIBBHHH", 443, port, number, number + 1, 0x50, 0x12, 65535, 0, 0)
    wanted = total(ends + struct.pack("!BBH", 0, 6, len(head)) + head)
    wire.sendto(head[:16] + struct.pack("!H", wanted) + head[18:], (target, 0))
    time.sleep(0.005)
"""


def _answer_elsewhere(case: Case) -> None:
    case.run(["iptables-nft", "-A", *shlex.split(_INVALID)])
    other = case.peers[0]
    machine = case.lab.machine(other.name)
    inside = ["netns", "exec", "pod", "python3", "-c", _ANSWERS, other.pod_address, case.node.pod_address]
    standins.start(case, machine, _ANSWERER, inside, {"PATH": "/usr/sbin:/usr/bin"}, "/usr/sbin/ip")


def _stop_answers(case: Case) -> None:
    stop = ["sh", "-c", f"kill $(pgrep -f ' {case.node.pod_address}$')"]
    case.try_run(stop, case.lab.machine(case.peers[0].name))
    case.try_run(["iptables-nft", "-D", *shlex.split(_INVALID)])


def _none_dropped(case: Case) -> str:
    listed = case.machine.exec(["iptables-nft", "-nvxL", "FORWARD"]).stdout
    met = [int(line.split()[0]) for line in listed.splitlines() if "INVALID" in line]
    return "" if met and met[0] > 200 else f"the rule on {case.target} has dropped {met[0] if met else 0} packets only"


CONNTRACK_INVALID = Fault(
    id="conntrack_invalid",
    description="answers reach the node's pod by another way than its questions took, and are dropped as INVALID",
    inject=_answer_elsewhere,
    heal=_stop_answers,
    missing=_none_dropped,
    default=listener,
    variants=(Variant("answers", "SYN-ACKs without a SYN, and kube-proxy's rule that drops INVALID"),),
    breaks_sessions=False,
)
