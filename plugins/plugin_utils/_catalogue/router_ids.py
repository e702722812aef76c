# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of router IDs that more than one speaker uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cluster import effective, values
from . import api, commands, words
from .model import MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.sessions import Session

ROUTER_ID_FIELD = "env CALICO_ROUTER_ID"


def shared_router_ids(evidence: Evidence) -> Iterator[Subject]:
    """Router IDs that more than one node uses, the nodes whose own address differs from it first."""
    users: dict[tuple[str, str], list[Node]] = {}
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            if daemon.router_id:
                users.setdefault((daemon.family, daemon.router_id), []).append(node)
    for (_family, router_id), nodes in users.items():
        if len(nodes) > 1:
            ordered = sorted(nodes, key=lambda node: (router_id in node.bgp_addresses.values(), node.name))
            borrowers = [node for node in ordered if router_id not in node.bgp_addresses.values()] or ordered
            names = tuple(node.name for node in borrowers)
            involved = {node.name for node in nodes}
            sessions = tuple(
                session
                for session in evidence.down_at(*involved)
                if _refused_identifier(session) or set(evidence.labels(session)) <= involved
            )
            where: dict[str, object] = {"node": names[0], "router_id": router_id, "nodes": sorted(involved)}
            fixed = _fixed_id(evidence)
            if fixed and fixed.value == router_id:
                where.update(api.where(fixed.place, ROUTER_ID_FIELD))
            yield Subject(names, sessions, where, borrowers[0], router_id)
    fixed = _fixed_id(evidence)
    records = [one for one in evidence.registered if not one.windows and (one.stored("ipv4") or one.stored("ipv6"))]
    if fixed and len(records) > 1 and not any(fixed.value == router_id for _family, router_id in users):
        involved_names = tuple(one.name for one in records)
        told = api.where(fixed.place, ROUTER_ID_FIELD, router_id=fixed.value, nodes=list(involved_names))
        yield Subject(involved_names, (), told, None, fixed.value)


def _fixed_id(evidence: Evidence) -> effective.Value | None:
    """The router ID that calico-node's DaemonSet gives every node alike; None if it gives none."""
    cluster = evidence.cluster
    if cluster is None:
        return None
    found = effective.variable(cluster, effective.agent(cluster), "CALICO_ROUTER_ID")
    return found if values.plain_address(found.value) else None


def _refused_identifier(session: Session) -> bool:
    return any(side.protocol and "Bad BGP identifier" in side.protocol.last_error for side, _other in session.sides())


def router_id_used_twice(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two BGP speakers run with one router ID."""
    if not any(
        daemon.router_id == subject.about for node in evidence.nodes.values() for daemon in node.daemons.values()
    ):
        return []
    return [Seen(str(name), "bird status", f"router ID {subject.about}") for name in subject.where["nodes"]]


def one_id_is_given_to_all(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One router ID is given to calico-node on every node."""
    fixed = _fixed_id(evidence)
    return [api.seen(fixed.place, ROUTER_ID_FIELD, fixed.value)] if fixed and fixed.value == subject.about else []


def bad_identifier_reported(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD reports Bad BGP identifier."""
    return [
        Seen(side.label, "bird", f"{side.protocol.name}: {side.protocol.last_error}")
        for session in subject.sessions
        for side, _other in session.sides()
        if side.protocol and "Bad BGP identifier" in side.protocol.last_error
    ]


DUPLICATE_ROUTER_ID = Fault(
    id="duplicate_router_id",
    family="bgp_config",
    title="Two speakers use one router ID",
    severity="major",
    role="cause",
    means=(
        "Within one AS every BGP speaker needs a router ID of its own. These speakers refuse each other as if they "
        "were talking to themselves."
    ),
    subjects=shared_router_ids,
    signals=(
        Signal(router_id_used_twice, STRONG + MODERATE, required=True),
        Signal(one_id_is_given_to_all, STRONG + MODERATE, required=True),
        Signal(bad_identifier_reported, STRONG),
    ),
    summary=lambda evidence, subject: (
        f"Router ID {subject.about} is used by {words.listed(str(name) for name in subject.where['nodes'])}; "
        f"{words.listed(subject.nodes)} should have another."
    ),
    fix=Fix(
        action="separate_router_ids",
        text=(
            "Remove the fixed CALICO_ROUTER_ID (the node's own address is the default), or set it to 'hash' where "
            "nodes have no IPv4 address."
        ),
        risk="medium",
        disrupts="all sessions of the corrected node, for some seconds",
        commands=lambda evidence, subject: [
            "kubectl get daemonset -A -o yaml | grep -A1 CALICO_ROUTER_ID",
            *(
                api.at_owner(evidence, "env/CALICO_ROUTER_ID", [api.set_variables(evidence, {"CALICO_ROUTER_ID": ""})])
                if _fixed_id(evidence) or api.agent(evidence) is None
                else ()
            ),
            commands.on_node(subject.nodes[0], "sudo grep -az CALICO_ROUTER_ID /proc/[0-9]*/environ"),
        ],
    ),
    verify="Every speaker has a router ID of its own, and the sessions are Established.",
    lookalikes=(Lookalike("duplicate_node_ip", "the nodes share their address too"),),
    explains=("undetermined",),
)

FAULTS = (DUPLICATE_ROUTER_ID,)
