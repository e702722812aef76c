# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule of a host's packet filter that blocks TCP 179, where the host has told how it decides about its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.words import rule_and_owner
from .._evidence.evidence import verdict_on
from .finding import seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._evidence.model import Node
    from .._evidence.rules import Rule
    from .model import Scene
    from .reach import Reach

_FAULTS = ("tcp179_blocked_host_firewall", "tcp179_latent_one_way_block")


def with_rules(scene: Scene, reach: Reach, findings: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The findings, with the rule at fault in those whose host has told it."""
    for one in findings:
        node = scene.evidence.nodes.get(one["nodes"][0]) if one["fault"] in _FAULTS and len(one["nodes"]) == 1 else None
        rule = _rule(node, reach, one["affects"]["sessions"]) if node is not None else None
        if node is None or rule is None:
            yield dict(one)
            continue
        place = {"backend": rule.backend, "table": rule.table, "chain": rule.chain, "rule": rule.number}
        told = seen(node.name, "firewall", f"{rule_and_owner(rule)}: {rule.text}")
        where = {"node": node.name, **place, "text": rule.text, "owner": rule.owner}
        yield {**one, "where": where, "evidence": [told, *one["evidence"]]}


def _rule(node: Node, reach: Reach, pairs: Iterable[list[str]]) -> Rule | None:
    """The first rule that stops one of these pairs at this host, going in or out."""
    for prober, listener in pairs:
        direction, other = ("inbound", prober) if node.name == listener else ("outbound", listener)
        for address in reach.hosts[reach.names.index(other)].addresses:
            verdict = verdict_on(node, direction, address)
            if verdict is not None and verdict.rule is not None and verdict.verdict in ("drop", "reject"):
                return verdict.rule
    return None
