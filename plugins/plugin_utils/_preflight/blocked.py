# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings on ports and protocols that are blocked between hosts, and on senders that somebody rewrites."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._evidence import plain
from . import ways as all_ways
from .finding import finding, seen
from .reach import ANSWER, AT_DIALLER, AT_LISTENER, BLOCKED, STRANGER, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .reach import Reach

_NAMED = 6
_SHOWN = 8
_SESSIONS = 100


class Block(NamedTuple):
    """One direction of one pair that is blocked on a way."""

    prober: str
    listener: str
    way: str
    verdict: Verdict
    latent: bool


class _Group(NamedTuple):
    """What blocks have in common: the fault, the way, where it is, and at which host (none: between them)."""

    fault: str
    way: str
    place: str
    host: str


def findings(reach: Reach) -> list[dict[str, Any]]:
    """A finding for each way and host at which it is blocked, and one for each way that is blocked between hosts."""
    groups: dict[_Group, list[Block]] = {}
    for one in _blocks(reach):
        groups.setdefault(_group(one), []).append(one)
    return [_finding(reach, group, blocks) for group, blocks in groups.items()]


def rewritten(reach: Reach) -> Iterator[dict[str, Any]]:
    """Hosts whose packets arrive with another sender's address."""
    found: dict[tuple[str, str], list[str]] = {}
    for prober, listener, sender in reach.other_senders():
        listeners = found.setdefault((prober, sender), [])
        if listener not in listeners:
            listeners.append(listener)
    for (prober, sender), listeners in found.items():
        own = ", ".join(reach.hosts[reach.names.index(prober)].addresses)
        yield finding(
            "bgp_source_nat",
            "major",
            [prober],
            f"What {prober} ({own}) sends arrives at {few(listeners)} as from {sender}.",
            f"See that nothing rewrites the sender of packets from {own} to the other hosts, or give preflight and "
            "Calico the address that the others see.",
            ["iptables-save -t nat | grep -E 'MASQUERADE|SNAT'", "nft list ruleset | grep -E 'masquerade|snat'"],
            evidence=[seen(name, "listener", f"heard {prober} as {sender}") for name in listeners[:_SHOWN]],
        )


def few(names: Sequence[str]) -> str:
    """Names in a row; many are cut short with their number."""
    return plain.few(names, _NAMED)


def _blocks(reach: Reach) -> Iterator[Block]:
    for prober, listener, way, verdict in reach.troubles():
        if verdict.state == BLOCKED:
            yield Block(prober, listener, way, verdict, _is_latent(reach, prober, listener, way))


def _is_latent(reach: Reach, prober: str, listener: str, way: str) -> bool:
    """BGP only: the mesh is dialled by the host whose address is the greater as a string, and the other way is open."""
    plain_name, _slash, six = way.partition("/")
    if plain_name != "tcp179" or reach.verdict(listener, prober, way).state == BLOCKED:
        return False
    return _address(reach, prober, bool(six)) < _address(reach, listener, bool(six))


def _address(reach: Reach, name: str, six: bool) -> str:
    host = reach.hosts[reach.names.index(name)]
    return next((one for one in host.addresses if (":" in one) == six), "")


def _group(one: Block) -> _Group:
    place = one.verdict.place
    at = {AT_LISTENER: one.listener, AT_DIALLER: one.prober, ANSWER: one.prober, STRANGER: one.listener}.get(place, "")
    return _Group(_fault(one, place), one.way, place, at)


def _fault(one: Block, place: str) -> str:
    way = one.way.partition("/")[0]
    if place == STRANGER:
        return "preflight.answered_by_another"
    if way == "tcp179":
        if one.latent:
            return "tcp179_latent_one_way_block"
        on_host = place in (AT_LISTENER, AT_DIALLER)
        return "tcp179_blocked_host_firewall" if on_host else "tcp179_blocked_network"
    if way == "tcp5473":
        return "typha_port_blocked"
    if way == "ipip":
        return "ipip_blocked"
    return "vxlan_udp_blocked" if way.startswith("udp") else "preflight.port_blocked"


def _finding(reach: Reach, group: _Group, blocks: Sequence[Block]) -> dict[str, Any]:
    pairs = [(one.prober, one.listener) for one in blocks]
    nodes = [group.host] if group.host else sorted({name for pair in pairs for name in pair})
    more: dict[str, Any] = {}
    if group.fault.startswith("preflight."):
        more = {
            "title": "A port is blocked between hosts" if group.place != STRANGER else "Something else answers",
            "means": _STRANGE if group.place == STRANGER else "What needs this port will not work between these hosts.",
            "verify": "Preflight finds the way open in both directions.",
        }
    latent = group.fault == "tcp179_latent_one_way_block"
    return finding(
        group.fault,
        _severity(reach, group, blocks),
        nodes,
        _summary(group, blocks) + (_LATENT if latent else ""),
        _fix(group),
        _commands(group, blocks),
        role="latent" if latent else "cause",
        where={"node": group.host, "way": all_ways.called(group.way)} if group.host else {},
        affects={
            "nodes": sorted({name for pair in pairs for name in pair}),
            "sessions": [list(pair) for pair in pairs[:_SESSIONS]],
            "count": len(pairs),
        },
        evidence=[_evidence(one) for one in blocks[:_SHOWN]],
        **more,
    )


_STRANGE = (
    "A middlebox answers for the host, or another machine has its address. What is behind it does not get the packets."
)
_LATENT = " The session is dialled the other way round today; it breaks when addresses or the order of dialling change."


def _severity(reach: Reach, group: _Group, blocks: Sequence[Block]) -> str:
    """critical where it cuts a host off from, or from hearing, all others; a latent block fails a gate, too."""
    if group.fault == "tcp179_latent_one_way_block":
        return "major"
    others = len(reach.names) - 1
    counts: dict[tuple[str, str], int] = {}
    for one in blocks:
        for key in (("from", one.prober), ("to", one.listener)):
            counts[key] = counts.get(key, 0) + 1
    return "critical" if others > 1 and max(counts.values()) >= others else "major"


def _summary(group: _Group, blocks: Sequence[Block]) -> str:
    way = all_ways.called(group.way)
    probers = [one.prober for one in blocks]
    listeners = [one.listener for one in blocks]
    if group.place == AT_LISTENER:
        return (
            f"{group.host}'s own packet filter drops {way} from {few(probers)}: it comes in and does not get through."
        )
    if group.place == AT_DIALLER:
        why = next((one.verdict.detail for one in blocks if one.verdict.detail), "it does not leave the host")
        return f"{way} from {group.host} to {few(listeners)} does not leave the host: {why}."
    if group.place == ANSWER:
        return (
            f"{way} from {group.host} reaches {few(listeners)}, but the answers do not come back: they are "
            f"dropped on their way out, between the hosts, or at {group.host}."
        )
    if group.place == STRANGER:
        return f"For {group.host} something else than its listener answers {few(probers)} on {way}."
    refused = sorted({one.verdict.sender for one in blocks if one.verdict.sender})
    by = f"; refused by {few(refused)}" if refused else ""
    between = f"{len(blocks)} of the directions between hosts" if len(blocks) > 1 else "one direction"
    pairs = few([f"{one.prober} to {one.listener}" for one in blocks])
    lost = "does not arrive" if group.place else "is not answered, and whether it arrives is not known"
    return f"{way} {lost} in {between} ({pairs}){by}."


def _fix(group: _Group) -> str:
    way = all_ways.called(group.way)
    if group.place == AT_LISTENER:
        return f"Let {way} from the other hosts in, in the packet filter of {group.host}."
    if group.place == AT_DIALLER:
        return f"Let {way} to the other hosts out, in the packet filter of {group.host}, or set its routes right."
    if group.place == ANSWER:
        return f"See which rule drops the answers: of {group.host} what comes in, of the others what goes out."
    if group.place == STRANGER:
        return "See which machine answers: another with that address, a proxy, a load balancer or a firewall between."
    return f"Let {way} through between these hosts: security groups, network ACLs, firewalls and routers between them."


def _commands(group: _Group, blocks: Sequence[Block]) -> list[str]:
    if group.place in (AT_LISTENER, AT_DIALLER, ANSWER):
        return ["iptables-save", "nft list ruleset"]
    if group.place == STRANGER:
        return [f"ip neigh show # on {blocks[0].prober}"]
    return []


def _evidence(one: Block) -> dict[str, str]:
    verdict = one.verdict
    says = f"{one.way} to {one.listener}: {_WORDS.get(verdict.result, verdict.result)}"
    by = f" by {verdict.sender}" if verdict.sender else ""
    heard = _HEARD.get(verdict.place, "")
    return seen(one.prober, "probe", says + by + heard, verdict.detail and f"{says}{by}{heard} ({verdict.detail})")


_WORDS = {
    "silent": "no answer",
    "reset": "reset",
    "rejected": "refused",
    "error": "not sent",
    "answered": "answered, but not by the listener",
}
_HEARD = {
    AT_LISTENER: "; seen there before the packet filter, not behind it",
    ANSWER: "; heard there by the listener",
}
