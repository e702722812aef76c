# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host firewall on a node that blocks TCP 179 coming in, or the answers to it."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from ..errors import UsageError
from . import pairs
from .model import Case, Fault, Variant, dialler, listener


class Rules(NamedTuple):
    """Commands that make a block and those that take it away again; the error that the dialler's BIRD must show.

    ends_sessions: the sessions are made anew, in vain; else those that are up stay so until something else ends them.
    """

    variant: Variant
    make: tuple[str, ...]
    undo: tuple[str, ...]
    error: str = ""
    ends_sessions: bool = True


def _iptables(name: str, words: str, rule: str, command: str = "iptables-nft", error: str = "") -> Rules:
    return Rules(Variant(name, words), (f"{command} -A {rule}",), (f"{command} -D {rule}",), error)


_REFUSED = "Socket: Connection refused"
_ALLOWED = (
    "INPUT -i lo -j ACCEPT",
    "INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "INPUT -p icmp -j ACCEPT",
    "INPUT -p tcp --dport 22 -j ACCEPT",
)

_BLOCKS = (
    _iptables("iptables-nft", "iptables (nft backend), DROP", "INPUT -p tcp --dport 179 -j DROP"),
    _iptables(
        "iptables-legacy", "iptables (legacy backend), DROP", "INPUT -p tcp --dport 179 -j DROP", "iptables-legacy"
    ),
    _iptables(
        "reject",
        "REJECT with ICMP port unreachable",
        "INPUT -p tcp --dport 179 -j REJECT --reject-with icmp-port-unreachable",
        error=_REFUSED,
    ),
    _iptables(
        "reject-tcp-reset",
        "REJECT with a TCP reset",
        "INPUT -p tcp --dport 179 -j REJECT --reject-with tcp-reset",
        error=_REFUSED,
    ),
    _iptables(
        "multiport", "DROP of a port range that contains 179", "INPUT -p tcp -m multiport --dports 100:200,8080 -j DROP"
    ),
    Rules(
        Variant("policy-drop", "INPUT's policy is DROP; ssh, ping and established connections are allowed"),
        (*(f"iptables-nft -A {rule}" for rule in _ALLOWED), "iptables-nft -P INPUT DROP"),
        ("iptables-nft -P INPUT ACCEPT", *(f"iptables-nft -D {rule}" for rule in _ALLOWED)),
    ),
    Rules(
        Variant("custom-chain", "DROP in a chain of its own that INPUT jumps to"),
        (
            "iptables-nft -N hardening",
            "iptables-nft -A hardening -p tcp --dport 22 -j RETURN",
            "iptables-nft -A hardening -p tcp --dport 179 -m comment --comment bgp-only-from-routers -j DROP",
            "iptables-nft -A INPUT -i eth0 -j hardening",
        ),
        ("iptables-nft -D INPUT -i eth0 -j hardening", "iptables-nft -F hardening", "iptables-nft -X hardening"),
    ),
    Rules(
        Variant("ufw", "ufw enabled with ssh allowed and BGP not"),
        ("ufw allow 22/tcp", "ufw --force enable"),
        # ufw leaves its chains behind, empty.
        (
            "ufw --force disable",
            "ufw delete allow 22/tcp",
            "sh -c 'iptables-nft-save | grep -v ufw | iptables-nft-restore'",
            "sh -c 'ip6tables-nft-save | grep -v ufw | ip6tables-nft-restore'",
        ),
    ),
    Rules(
        Variant("nft", "a native nftables table"),
        (
            "nft add table inet host_filter",
            "nft add chain inet host_filter input { type filter hook input priority 0 ; policy accept ; }",
            "nft add rule inet host_filter input tcp dport 179 drop",
        ),
        ("nft delete table inet host_filter",),
    ),
    _iptables("answers", "DROP of what the node answers", "OUTPUT -p tcp --sport 179 -j DROP"),
    _iptables(
        "undecidable",
        "the packets are handed to a program that is not there (NFQUEUE)",
        "INPUT -p tcp --dport 179 -j NFQUEUE --queue-num 179",
    ),
    Rules(
        Variant("sessions-up", "DROP of new connections; the sessions that are up stay so"),
        (
            "iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
            "iptables-nft -A INPUT -p tcp --dport 179 -j DROP",
        ),
        (
            "iptables-nft -D INPUT -p tcp --dport 179 -j DROP",
            "iptables-nft -D INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        ),
        ends_sessions=False,
    ),
)

# The latent block is the first and plainest of them.
_LATENT = _BLOCKS[:1]


def _rules(case: Case) -> Rules:
    return next(each for each in _BLOCKS if each.variant.name == case.variant)


def _apply(case: Case) -> None:
    for command in _rules(case).make:
        case.run(shlex.split(command))


def _remove(case: Case) -> None:
    for command in _rules(case).undo:
        case.try_run(shlex.split(command))


def _dialled(case: Case) -> list[pairs.Pair]:
    return pairs.listening(case.node, case.peers)


def _must_listen(case: Case) -> None:
    if not _dialled(case):
        raise UsageError(
            f"{case.target} dials all its peers, so a block there breaks nothing yet: "
            "that is tcp179_latent_one_way_block"
        )


def _block(case: Case) -> None:
    _apply(case)
    if _rules(case).ends_sessions:
        pairs.reset(case.lab, _dialled(case))


def _not_blocked(case: Case) -> str:
    if not _rules(case).ends_sessions:
        return pairs.not_up(case, _dialled(case))
    return pairs.not_failing(case, _dialled(case), _rules(case).error)


def _not_latent(case: Case) -> str:
    return pairs.not_up(case, pairs.between(case.node, case.peers))


def _must_only_dial(case: Case) -> None:
    dialled = _dialled(case)
    if dialled:
        raise UsageError(f"{case.target} is dialled by {dialled[0].dialler.name}, so a block there is not latent")


BLOCKED = Fault(
    id="tcp179_blocked_host_firewall",
    description="the node's own firewall blocks TCP 179 from the peers that dial it",
    inject=_block,
    heal=_remove,
    missing=_not_blocked,
    default=listener,
    check=_must_listen,
    variants=tuple(each.variant for each in _BLOCKS),
)

LATENT = Fault(
    id="tcp179_latent_one_way_block",
    description="TCP 179 is blocked on a node that only dials; its sessions stay up",
    inject=_apply,
    heal=_remove,
    missing=_not_latent,
    default=dialler,
    check=_must_only_dial,
    variants=tuple(each.variant for each in _LATENT),
    breaks_sessions=False,
)
