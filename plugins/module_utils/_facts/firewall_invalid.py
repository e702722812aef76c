# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rules drop packets that fit no connection: for conntrack these are INVALID.

Such rules are usual (kube-proxy, Felix, ufw and firewalld have one each) and harm nobody, unless a host sees one
direction of a connection only. So only those are told that have met a packet.
"""

from __future__ import annotations

from .._firewall import model
from .._host.pod_routes import TUNNELS
from . import firewall_shapes as shapes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Dict

    from .._firewall.decisions import Decision
    from .._firewall.model import Packet, Rule
    from .._host.pod_routes import Pods

    Facts = Dict[str, Any]

TO_HOST, THROUGH = "to this host", "through this host"
_MOST_RULES = 3
# An answer to something that went another way.
_ANSWER: dict[str, Any] = {
    "state": "INVALID",
    "tcp_flags": 0x12,
    "source_port": 443,
    "destination_port": (32768, 60999),
    "source_type_here": "UNICAST",
    "destination_type_here": "UNICAST",
}


def packets(family: str, pods: Pods, own: int, device: str) -> list[tuple[str, Sequence[str], list[Packet]]]:
    """Return answers that fit no connection, as (way, hooks, packets): to this host's address `own`, which come by
    `device`, and from other nodes' pods to those here and back."""
    to_host = model.Packet(family, device, "", None, own, destination_type="LOCAL")._replace(**_ANSWER)
    found: list[tuple[str, Sequence[str], list[Packet]]] = [(TO_HOST, model.INBOUND, [to_host])] if device else []
    pod = pods.here[0]
    through = []
    for outside, address in pods.elsewhere.items():
        ends: list[tuple[str, int | None, str, int | None]] = [(outside, address, pod.interface, pod.address)]
        if not outside.startswith(TUNNELS):
            ends.append((pod.interface, pod.address, outside, address))
        for enters, source, leaves, destination in ends:
            packet = model.Packet(family, enters, leaves, source, destination, destination_type="UNICAST")
            through.append(packet._replace(**_ANSWER))
    return found + ([(THROUGH, model.FORWARDED, through)] if through else [])


def dropped(decided: Sequence[tuple[str, Sequence[Decision]]], family: str) -> list[Facts]:
    """Return entries of calico_firewall.invalid_dropped: of the rules that drop for the state alone."""
    entries: dict[tuple[int, int], Facts] = {}
    for way, decisions in decided:
        for decision in decisions:
            place = decision.place
            if decision.verdict != model.DROP or place is None or not _is_about_state(place.rule):
                continue
            rule = shapes.rule_facts(place, family)
            entry = entries.setdefault((id(place.chain), rule["rule"]), {"way": way, "rule": rule})
            if entry["way"] != way:
                entry["way"] = f"{TO_HOST} and {THROUGH}"
    told = [entry for entry in entries.values() if entry["rule"].get("packets", 1)]
    return sorted(told, key=lambda entry: -int(entry["rule"].get("packets", 0)))[:_MOST_RULES]


def _is_about_state(rule: Rule | None) -> bool:
    """Say whether a rule looks at the state: others would drop these packets in any state."""
    return rule is not None and any(match.kind == "ct_state" and not match.negated for match in rule.matches)
