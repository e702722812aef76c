# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The router between two subnets lets BGP's connections be made, and nothing through them."""

from __future__ import annotations

from ..errors import UsageError
from . import pairs
from .model import Case, Fault, Variant, listener

_SWALLOW, _RESET = "swallow", "reset"
_TOPOLOGY = "two_subnets"
# IPv4's header and TCP's with time stamps and acknowledgements of pieces have 52 to 80 bytes; SYN has 60. The least
# message of BGP has 19.
_LONGEST_WITHOUT = 68


def _routed(case: Case) -> list[pairs.Pair]:
    return pairs.between(case.node, [peer for peer in case.peers if peer.subnet != case.node.subnet])


def _must_be_routed(case: Case) -> None:
    if not _routed(case):
        raise UsageError(f"{case.target} has no peer behind the router")


def _table(case: Case) -> list[str]:
    return ["ip", f"inspection_{case.node.number}"]


def _inspect(case: Case) -> None:
    verdict = ["drop"] if case.variant == _SWALLOW else ["reject", "with", "tcp", "reset"]
    chain = ["forward", "{", "type", "filter", "hook", "forward", "priority", "0", ";", "}"]
    words = [["table", *_table(case)], ["chain", *_table(case), *chain]]
    for own in ("saddr", "daddr"):
        for port in ("sport", "dport"):
            match = ["ip", own, case.node.address, "tcp", port, "179", "ip", "length", ">", str(_LONGEST_WITHOUT)]
            words.append(["rule", *_table(case), "forward", *match, *verdict])
    for each in words:
        case.run(["nft", "add", *each], case.lab.fabric)
    pairs.reset(case.lab, _routed(case))


def _pass(case: Case) -> None:
    case.try_run(["nft", "delete", "table", *_table(case)], case.lab.fabric)


def _not_swallowed(case: Case) -> str:
    if case.variant == _RESET:
        return pairs.not_failing(case, _routed(case), "Socket: Connection reset")
    for pair in case.undisturbed(_routed(case)):
        for node, peer in pair.ends:
            session = pairs.end(case.lab, node, peer)
            if session is None or session.bgp_state != "OpenSent":
                return f"{node.name} has not sent {peer.name} its first message in vain yet"
            if not _sends_again(case, node.name, peer.address):
                return f"{node.name} has not sent {peer.name} its first message again yet"
    return pairs.not_down(case, _routed(case))


def _sends_again(case: Case, name: str, peer: str) -> bool:
    """What BIRD has sent was sent again, twice at least."""
    command = ["ss", "-tnio", "state", "established", "dst", peer]
    return retransmits(case.lab.machine(name).exec(command, check=False).stdout) > 1


def retransmits(shown: str) -> int:
    """The most often that one of ss' connections has sent something again: the second number of "retrans:1/5"."""
    counts = [word.partition("/")[2] for word in shown.split() if word.startswith("retrans:")]
    return max((int(count) for count in counts if count.isdigit()), default=0)


BROKEN = Fault(
    id="middlebox_breaks_bgp",
    description="TCP's handshake passes the router between the subnets, and what BGP sends then does not",
    inject=_inspect,
    heal=_pass,
    missing=_not_swallowed,
    default=listener,
    check=_must_be_routed,
    variants=(
        Variant(_SWALLOW, "segments with content are dropped", _TOPOLOGY),
        Variant(_RESET, "segments with content are answered with a reset", _TOPOLOGY),
    ),
)
