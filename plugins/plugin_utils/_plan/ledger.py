# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after a repair: which sessions and routes were lost and gained, and which faults are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES
from .._evidence import plain
from . import renumbering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCHEMA = "netmedic.calico.ledger/v1"
_TOLD = 100
_GRAVE = ("major", "critical")
# In these roles a finding counts.
_COUNT = ("cause", "contributing", "latent")


def working(facts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What works by the nodes' facts, by node and address family: the peers with an established session (packed sets of
    addresses by kind, as the facts have them), the number of routes that BIRD took in, and the address by which the
    node itself speaks ('' if it does not tell)."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for node, told in facts.items():
        daemons = plain.mapping(plain.mapping(told.get("calico_bgp")).get("daemons"))
        spoken = plain.mapping(plain.mapping(told.get("calico_node")).get("bgp_addresses"))
        found[node] = {
            family: _daemon(plain.mapping(daemon), plain.text(spoken.get(family))) for family, daemon in daemons.items()
        }
    return found


def _daemon(daemon: Mapping[str, Any], spoken: str) -> dict[str, Any]:
    peers = plain.mapping(daemon.get("peers"))
    configured = plain.text(plain.mapping(daemon.get("config")).get("local_address"))
    unusual = [
        str(one["peer"])
        for one in daemon.get("troubled") or ()
        if isinstance(one, dict) and one.get("bgp_state") == "Established" and one.get("peer")
    ]
    return {
        "peers": dict(plain.mapping(peers.get("packed"))),
        "unusual": sorted(unusual),
        "routes": plain.integer(peers.get("routes_imported")),
        "address": configured or spoken or plain.text(daemon.get("router_id")),
    }


def ledger(
    before: Mapping[str, Any], after: Mapping[str, Any], diagnosed: Mapping[str, Any], proven: Mapping[str, Any]
) -> dict[str, Any]:
    """Compare what worked before with what works after, and the report of before with that of after.

    `sessions` (one for each end): before, after, lost, gained, and of both the first as [node, peer's address]. A node
    that speaks by another address now is the same peer as before.
    `routes`: nodes with another number of routes than before. `findings`: gone, left and new ones as fault@nodes,
    those of nodes that cannot be read any more, of which nothing is known, and those of which only something else is
    left to do, by a person (`rest`; `to_do` says what).
    `worse`: a sentence for each thing that is worse than before; empty if nothing is.
    """
    was, now = renumbering.owners(before), renumbering.owners(after)
    lost, gained = list(_missing(before, after, was, now)), list(_missing(after, before, now, was))
    routes = list(_routes(before, after))
    unread = sorted(node for node in before if before[node] and not after.get(node))
    rest = _for_a_person(diagnosed, proven)
    findings = _findings(diagnosed, proven, set(unread), set(rest))
    return {
        "schema": SCHEMA,
        "sessions": {
            "before": _count(before),
            "after": _count(after),
            "lost": len(lost),
            "gained": len(gained),
            "which_lost": lost[:_TOLD],
            "which_gained": gained[:_TOLD],
        },
        "routes": routes[:_TOLD],
        "findings": findings,
        "to_do": [f"{key.replace('@', ' on ')}: {text}" for key, text in rest.items()],
        "not_read_any_more": unread,
        "worse": [
            *(f"{node} has lost its session with {peer}" for node, peer in lost[:_TOLD] if node not in unread),
            *(_fewer(one) for one in routes if _fell(one)),
            *(f"{node} could be read before and cannot any more" for node in unread),
            *(f"new: {key}" for key in findings["new"]),
        ],
    }


def sessions(state: Mapping[str, Any]) -> set[str]:
    """The peers with whom one node has established sessions of one family."""
    packed = {peer for item in plain.mapping(state.get("peers")).values() for peer in plain.unpacked(item)}
    return packed | set(state.get("unusual") or ())


def _missing(
    there: Mapping[str, Any], here: Mapping[str, Any], theirs: Mapping[str, str], ours: Mapping[str, str]
) -> Iterator[list[str]]:
    """Sessions that are there and not here, as [node, peer's address]. theirs, ours: whose the addresses are there and
    here."""
    same = theirs == ours
    for node, families in there.items():
        for family, state in families.items():
            other = plain.mapping(plain.mapping(here.get(node)).get(family))
            if same and state.get("peers") == other.get("peers") and state.get("unusual") == other.get("unusual"):
                continue
            for peer in renumbering.missing(sessions(state), sessions(other), theirs, ours):
                yield [node, peer]


def _count(state: Mapping[str, Any]) -> int:
    return sum(len(sessions(one)) for families in state.values() for one in families.values())


def _routes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for node, families in before.items():
        for family, state in families.items():
            other = plain.mapping(plain.mapping(after.get(node)).get(family))
            if state.get("routes") is not None and other and state["routes"] != other.get("routes"):
                yield {"node": node, "family": family, "before": state["routes"], "after": other.get("routes")}


def _fell(one: Mapping[str, Any]) -> bool:
    return one["after"] is None or one["after"] < one["before"]


def _fewer(one: Mapping[str, Any]) -> str:
    return f"{one['node']} has {one['after']} {one['family']} routes, {one['before']} before"


def _findings(
    before: Mapping[str, Any], after: Mapping[str, Any], unread: set[str], rest: set[str]
) -> dict[str, list[str]]:
    earlier, later = _keys(before, _COUNT), _keys(after, _COUNT)
    # What was there and seemed to follow from what has been repaired is no news, and no harm that the repair has done.
    known = {**_keys(before, (*_COUNT, "consequence")), **earlier}
    missed = [key for key in earlier if key not in later]
    unknown = [key for key in missed if unread.intersection(key.partition("@")[2].split(","))]
    return {
        "gone": [key for key in missed if key not in unknown],
        "unknown": unknown,
        "left": [key for key in known if key in later and key not in rest],
        "rest": [key for key in known if key in rest],
        "new": [key for key, severity in later.items() if key not in known and severity in _GRAVE],
    }


def _for_a_person(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """The findings that a role could repair before and that now ask for something else, which no role does; with what
    that is."""
    repairable = {_key(item): item["fix"]["action"] for item in before["findings"] if item["fix"]["automatic"]}
    return {
        _key(item): item["fix"]["text"]
        for item in after["findings"]
        if not item["fix"]["automatic"] and item["fix"]["action"] != repairable.get(_key(item), item["fix"]["action"])
    }


def _key(finding: Mapping[str, Any]) -> str:
    return f"{finding['fault']}@{','.join(finding['nodes'])}"


def _keys(report: Mapping[str, Any], roles: Sequence[str]) -> dict[str, str]:
    """The report's faults in these roles and their nodes, with the severity; what is waived or guessed is none."""
    return {
        _key(item): item["severity"]
        for item in report["findings"]
        if item["role"] in roles and not item["waived"] and not item.get("guess") and item["severity"] in SEVERITIES
    }
