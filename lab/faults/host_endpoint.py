# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's own policies for a node's host endpoint cut BGP: the objects, and the chains that Felix makes of them.

The rules are those of Felix 3.29 with iptables, under its names, as far as they matter to a packet for the host. The
failsafe ports were replaced by a list without BGP's.
"""

from __future__ import annotations

from typing import Any

from . import objects, pairs
from .model import Case, Fault, Variant, listener

_POLICY, _NONE = "policy", "no-policy"
_HOST_LABEL = "host-endpoint"
_NAME = "ssh-only"
_SAFE_IN = (("tcp", 22), ("udp", 68), ("tcp", 2379), ("tcp", 2380), ("tcp", 5473), ("tcp", 6443))
_ACCEPTED = "0x10000/0x10000"


def _cut(case: Case) -> None:
    ports = [{"protocol": protocol, "port": port} for protocol, port in _SAFE_IN]
    objects.configure(case, "FelixConfiguration", "default", {"failsafeInboundHostPorts": ports})
    if case.variant == _POLICY:
        collection = f"{objects.CALICO}/globalnetworkpolicies"
        objects.create(case, collection, objects.calico("GlobalNetworkPolicy", f"default.{_NAME}", _policy()))
    endpoint = {"node": case.target, "interfaceName": "eth0", "expectedIPs": [case.node.address]}
    made = objects.calico("HostEndpoint", f"{case.target}-eth0", endpoint)
    made["metadata"]["labels"] = {_HOST_LABEL: "true"}
    objects.create(case, f"{objects.CALICO}/hostendpoints", made)
    objects.follow(case.lab)
    case.lab.say(f"  {case.target}: iptables-nft-restore, as Felix does")
    case.machine.exec(["iptables-nft-restore", "--noflush"], text_input=chains(policy=case.variant == _POLICY))
    pairs.reset(case.lab, pairs.listening(case.node, case.peers))


def _policy() -> dict[str, Any]:
    ssh = {"action": "Allow", "protocol": "TCP", "destination": {"ports": [22]}}
    return {
        "tier": "default",
        "order": 100,
        "selector": f"has({_HOST_LABEL})",
        "types": ["Ingress"],
        "ingress": [ssh, {"action": "Allow", "protocol": "ICMP"}],
    }


def chains(*, policy: bool) -> str:
    """Felix' chains for what comes in at a host endpoint eth0, for iptables-restore."""
    names = ["INPUT", "failsafe-in", "fh-eth0", "from-host-endpoint", *([f"pi-default.{_NAME}"] if policy else [])]
    safe = [f"-A cali-failsafe-in -p {protocol} -m multiport --dports {port} -j ACCEPT" for protocol, port in _SAFE_IN]
    return "\n".join(
        [
            "*filter",
            *(f":cali-{name} - [0:0]" for name in names),
            '-I INPUT 1 -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT',
            f"-A cali-INPUT -m mark --mark {_ACCEPTED} -j ACCEPT",
            "-A cali-INPUT -j MARK --set-xmark 0x0/0xf0000",
            "-A cali-INPUT -j cali-from-host-endpoint",
            f"-A cali-INPUT -m mark --mark {_ACCEPTED} -j ACCEPT",
            *safe,
            "-A cali-from-host-endpoint -i eth0 -g cali-fh-eth0",
            "-A cali-fh-eth0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-A cali-fh-eth0 -m conntrack --ctstate INVALID -j DROP",
            "-A cali-fh-eth0 -j cali-failsafe-in",
            "-A cali-fh-eth0 -j MARK --set-xmark 0x0/0x10000",
            *(_tier() if policy else ()),
            '-A cali-fh-eth0 -m comment --comment "Drop if no profiles matched" -j DROP',
            "COMMIT",
            "",
        ]
    )


def _tier() -> list[str]:
    chain = f"cali-pi-default.{_NAME}"
    return [
        '-A cali-fh-eth0 -m comment --comment "Start of tier default" -j MARK --set-xmark 0x0/0x20000',
        f"-A cali-fh-eth0 -m mark --mark 0x0/0x20000 -j {chain}",
        f'-A cali-fh-eth0 -m comment --comment "Return if policy accepted" -m mark --mark {_ACCEPTED} -j RETURN',
        '-A cali-fh-eth0 -m comment --comment "End of tier default." -m mark --mark 0x0/0x20000 -j DROP',
        f"-A {chain} -p tcp -m multiport --dports 22 -j MARK --set-xmark {_ACCEPTED}",
        f"-A {chain} -m mark --mark {_ACCEPTED} -j RETURN",
        f"-A {chain} -p icmp -j MARK --set-xmark {_ACCEPTED}",
        f"-A {chain} -m mark --mark {_ACCEPTED} -j RETURN",
    ]


def _open(case: Case) -> None:
    objects.restore(case)
    # What Felix does when the host endpoint goes.
    case.try_run(["sh", "-c", "iptables-nft-save | grep -v cali | iptables-nft-restore"])


def _not_cut(case: Case) -> str:
    return pairs.not_failing(case, pairs.listening(case.node, case.peers))


CUT = Fault(
    id="host_endpoint_policy",
    description="the node has a host endpoint, BGP is no failsafe port any more, and no policy allows it",
    inject=_cut,
    heal=_open,
    missing=_not_cut,
    default=listener,
    check=objects.must_have_api,
    variants=(
        Variant(_POLICY, "a GlobalNetworkPolicy allows ssh and ping only"),
        Variant(_NONE, "no policy applies to the host endpoint, and it has no profile"),
    ),
)
