# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the plan of sessions as a whole: no sessions at all, and route reflectors that do not serve everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._cluster import programmers, versions
from . import api, commands, words
from .bgp_config import OTHER_AS
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.sessions import Session
    from .._peering.model import Problem

NO_SESSIONS = "mesh_off_no_peers"
LONELY = "node_without_peers"
REFLECTORS = (
    "reflector_isolated",
    "reflectors_not_connected",
    "client_without_reflector",
    "reflector_without_clients",
    "cluster_id_malformed",
    "cluster_id_shared",
    LONELY,
)
CLUSTER_ID = api.ANNOTATION.format("RouteReflectorClusterID")
# Sessions of BGPPeers that come to nothing because of who is in the mesh, and who is told of whom.
REPEATED = "mesh_repeated"
ONE_SIDED = "one_sided"
# Nodes that the BGPPeer for the reflectors does not select, though it would have to.
_LEFT_OUT = ("reflectors_not_connected", "client_without_reflector", LONELY)
# These make no session fail by themselves.
_HARMLESS = ("reflector_without_clients",)


# --- no sessions ---


def meshes_without_sessions(evidence: Evidence) -> Iterator[Subject]:
    """Clusters whose mesh is off and that have nothing in its place, or whose BIRDs all have no session."""
    problems = api.problems(evidence, NO_SESSIONS)
    silent = tuple(node.name for node in evidence.nodes.values() if _has_no_protocol(node))
    speaking = [node for node in evidence.nodes.values() if node.daemons]
    if problems:
        names = api.names(evidence, problems[0].nodes)
        where = api.where("BGPConfiguration default", "spec.nodeToNodeMeshEnabled", value=False)
        yield Subject(names, (), where, evidence.nodes.get(names[0]) if names else None, problems[0])
    elif len(silent) > (0 if _switched_off(evidence) else 1) and silent == tuple(node.name for node in speaking):
        if evidence.expected is not None:
            return
        where = {"object": "BGPConfiguration/default", "field": "spec.nodeToNodeMeshEnabled", "nodes": list(silent)}
        yield Subject(silent, (), where, evidence.nodes[silent[0]], None)


def _switched_off(evidence: Evidence) -> bool:
    """The mesh is off by what BGPConfiguration says, and no BGPPeer is known, whoever the nodes are."""
    cluster = evidence.cluster
    default = cluster.bgp_configurations.get("default") if cluster else None
    return default is not None and default.mesh is False and not (cluster and cluster.bgp_peers)


def _has_no_protocol(node: Node) -> bool:
    """Its BIRD runs, answers, and has been told of no peer."""
    found = [one for one in node.daemons.values() if one.running and one.socket_state == "answers"]
    return bool(found) and all(one.total == 0 and not one.troubled and not one.established for one in found)


def mesh_is_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node-to-node mesh is off, and no BGPPeer makes a session in its place."""
    problem: Problem | None = subject.about
    if problem is None and _switched_off(evidence):
        return [api.seen("BGPConfiguration default", "spec.nodeToNodeMeshEnabled", "false")]
    return [api.seen(problem.object, "spec.nodeToNodeMeshEnabled", problem.detail)] if problem else []


def nobody_has_peers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD runs on several nodes, and none of them has any peer."""
    found = [node for node in evidence.nodes.values() if _has_no_protocol(node)]
    return [Seen(node.name, "bird", "no BGP protocol") for node in found[:4]] if len(found) > 1 else []


def a_session_is_up(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There are BGP sessions all the same."""
    return [
        Seen(node.name, "bird", words.plural(len(daemon.established), "session"))
        for node in evidence.nodes.values()
        for daemon in node.daemons.values()
        if daemon.established
    ][:2]


def felix_routes_instead(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix programs the routes between nodes here, for which no BGP session is needed."""
    cluster = evidence.cluster
    pools = [pool for pool in cluster.pools if not pool.disabled] if cluster else []
    if not pools or not all(pool.modes_told for pool in pools):
        return []
    release = versions.newest(versions.read(cluster, evidence.nodes))
    found = programmers.read(cluster, "bird", release)
    kinds = {pool.name: _kind(pool.ipip, pool.vxlan) for pool in pools}
    if any(found.by_encapsulation.get(kind) not in (programmers.FELIX, programmers.BOTH) for kind in kinds.values()):
        return []
    return [api.seen(f"IPPool {name}", "spec", f"{kind}; {found.why}") for name, kind in list(kinds.items())[:2]]


def _kind(ipip: str, vxlan: str) -> str:
    if vxlan != "Never":
        return programmers.VXLAN
    return programmers.IPIP if ipip != "Never" else programmers.NO_ENCAPSULATION


MESH_DISABLED_NO_PEERS = Fault(
    id="mesh_disabled_no_peers",
    family="bgp_config",
    title="The mesh is off and nothing replaces it",
    severity="critical",
    role="cause",
    means=(
        "No node has any BGP session, so none learns the routes to the pods of others. The nodes are Ready all the "
        "same: calico-node waits for peers only if it has some."
    ),
    subjects=meshes_without_sessions,
    signals=(
        Signal(mesh_is_off, STRONG + MODERATE, required=True),
        Signal(nobody_has_peers, STRONG, required=True),
        Signal(a_session_is_up, -DECISIVE),
        Signal(felix_routes_instead, -DECISIVE - DECISIVE),
    ),
    summary=lambda evidence, subject: (
        "The node-to-node mesh is off, and no BGPPeer makes a session: "
        f"{words.plural(len(subject.nodes), 'node')} learn no routes to each other's pods."
        if subject.about
        else f"No BIRD of {words.listed(subject.nodes)} has any peer: they learn no routes to each other's pods."
    ),
    fix=Fix(
        action="make_sessions",
        text=(
            "Switch the mesh on again, or make the BGPPeers that are to replace it and see their sessions Established "
            "before the mesh goes."
        ),
        risk="medium",
        disrupts="nothing that works now; beyond a hundred nodes a mesh costs each of them many sessions",
        commands=lambda evidence, subject: [
            api.show(evidence, "BGPPeer"),
            *api.at_owner(
                evidence,
                "bgp_configuration/nodeToNodeMeshEnabled",
                [api.patch(evidence, "BGPConfiguration", "default", {"nodeToNodeMeshEnabled": True})],
            ),
        ],
    ),
    verify="Every node has Established sessions, and learns routes by them.",
    lookalikes=(
        Lookalike("bird_not_expected", "no BIRD runs, by design"),
        Lookalike("bgppeer_selects_nothing", "there are BGPPeers, and their selectors match nothing"),
        Lookalike("datastore_lost_data", "objects that were there are gone"),
    ),
    explains=("routes_missing", "undetermined"),
)


# --- reflectors ---


def unfit_reflectors(evidence: Evidence) -> Iterator[Subject]:
    """What is wrong with route reflectors, one subject for each kind of it."""
    grouped: dict[tuple[str, str], list[Problem]] = {}
    for problem in _unfit(evidence):
        grouped.setdefault((problem.kind, problem.family), []).append(problem)
    for (kind, _family), problems in grouped.items():
        records = sorted({name for problem in problems for name in problem.nodes})
        names = api.names(evidence, records)
        about_node = problems[0].object.startswith("node ")
        field = CLUSTER_ID if about_node and kind != "client_without_reflector" else ""
        what = problems[0].object
        peering = _peering_of_reflectors(evidence) if kind in _LEFT_OUT else ""
        if peering:
            what, field = f"BGPPeer {peering}", "spec.nodeSelector"
        where = api.where(what, field, kind=kind, node=names[0] if names else "")
        node = evidence.nodes.get(names[0]) if names else None
        yield Subject(names, _sessions(evidence, kind, names), where, node, problems)


def _peering_of_reflectors(evidence: Evidence) -> str:
    """The one BGPPeer by which nodes peer with reflectors, '' if there is none or several."""
    plan = evidence.expected
    if plan is None:
        return ""
    reflectors = {one.name for one in plan.reflectors}
    found = {
        end.stanza.bgp_peer
        for session in plan.sessions(mesh=False)
        for end in (session.near, session.far)
        if end.stanza is not None and reflectors & {session.near.node, session.far.node}
    } - {""}
    return found.pop() if len(found) == 1 else ""


def _sessions(evidence: Evidence, kind: str, names: tuple[str, ...]) -> tuple[Session, ...]:
    """The sessions in trouble that such a thing explains: of nodes without sessions all, else those between nodes."""
    if kind == REPEATED:
        return ()
    return api.sessions_between(evidence, names) if kind == ONE_SIDED else evidence.down_at(*names)


def _unfit(evidence: Evidence) -> list[Problem]:
    """What the plan tells of reflectors; of a BGPPeer within the mesh also where no node is told to be a reflector."""
    found = api.problems(evidence, REPEATED)
    reflectors = {one.name for one in evidence.expected.reflectors} if evidence.expected else set()
    if reflectors:
        found += api.problems(evidence, *REFLECTORS)
        found += [one for one in api.problems(evidence, ONE_SIDED) if reflectors & set(one.nodes)]
    return [one for one in found if OTHER_AS not in one.detail]


def reflectors_do_not_fit(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The route reflectors, their cluster IDs and the BGPPeers for them do not fit together."""
    return [api.seen(problem.object, str(subject.where.get("field", "")), problem.detail) for problem in subject.about]


def no_peer_in_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD on such a node has no peer at all."""
    return [
        Seen(name, "bird", "no BGP protocol")
        for name in subject.nodes
        if name in evidence.nodes and _has_no_protocol(evidence.nodes[name])
    ][:4]


def reflected_all_the_same(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A node that should lack sessions has some that are up."""
    if subject.where["kind"] not in ("reflector_isolated", LONELY):
        return []
    return [
        Seen(name, "bird", f"Established with {words.plural(len(daemon.established), 'peer')}")
        for name in subject.nodes
        if name in evidence.nodes
        for daemon in evidence.nodes[name].daemons.values()
        if daemon.established
    ][:2]


def only_a_hint(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A reflector without clients keeps nobody from a session."""
    return [api.seen(one.object, "", one.detail) for one in subject.about if one.kind in _HARMLESS]


def _reflector_commands(evidence: Evidence, subject: Subject) -> list[str]:
    name = commands.kube_name(evidence, subject.nodes[0]) if subject.nodes else "NODE"
    key = f"{commands.ANNOTATION}/RouteReflectorClusterID"
    look = [f"kubectl get nodes -o yaml | grep -e ' name:' -e {key}", api.show(evidence, "BGPPeer")]
    if subject.where["kind"] == "reflector_isolated":
        return [*look, f"kubectl annotate node {name} {key}-   # back into the mesh, unless a BGPPeer is made for it"]
    if subject.where["kind"] == REPEATED:
        off = {"nodeToNodeMeshEnabled": False}
        return [
            *look,
            f"kubectl annotate node REFLECTOR {key}=244.0.0.1   # takes a reflector out of the mesh",
            f"{api.patch(evidence, 'BGPConfiguration', 'default', off)}   # or ends the mesh, when all have peers",
        ]
    if subject.where["kind"] in ("cluster_id_malformed", "cluster_id_shared"):
        return [
            *look,
            f"kubectl annotate node {name} --overwrite {key}=244.0.0.1   # the same for reflectors of the same clients",
        ]
    return [
        *look,
        "kubectl get nodes --show-labels",
        "kubectl label node NODE KEY=VALUE   # or correct the BGPPeer's selectors",
    ]


def _severity(evidence: Evidence, subject: Subject) -> str:
    """minor for what keeps nobody from a session, major for what does."""
    return "minor" if subject.where["kind"] in (*_HARMLESS, REPEATED, "cluster_id_malformed") else "major"


ROUTE_REFLECTOR_MISCONFIGURED = Fault(
    id="route_reflector_misconfigured",
    family="bgp_config",
    title="Route reflectors do not serve all nodes",
    severity="major",
    role="cause",
    means=(
        "A node with a cluster ID leaves the mesh and reflects routes to those that BGPPeers make its clients. Where "
        "BGPPeers, labels and cluster IDs do not fit together, nodes lack sessions, or routes are not passed on."
    ),
    subjects=unfit_reflectors,
    signals=(
        Signal(reflectors_do_not_fit, STRONG + WEAK, required=True),
        Signal(no_peer_in_bird, STRONG),
        Signal(reflected_all_the_same, -DECISIVE),
        Signal(only_a_hint, -MODERATE),
    ),
    summary=lambda evidence, subject: " ".join(dict.fromkeys(problem.detail for problem in subject.about)),
    severity_rule=_severity,
    fix=Fix(
        action="correct_route_reflectors",
        text=(
            "Every node needs a session with a reflector, reflectors one with each other, and reflectors that share "
            "clients the same cluster ID. A BGPPeer with nodeSelector all() and a peerSelector for the reflectors' "
            "label makes all of these."
        ),
        risk="medium",
        disrupts="sessions of the nodes whose peers change, for some seconds",
        commands=_reflector_commands,
    ),
    verify="Every node has an Established session with each reflector that it is meant to have, and learns all routes.",
    lookalikes=(
        Lookalike("bgppeer_selects_nothing", "a selector matches no node at all"),
        Lookalike("mesh_disabled_no_peers", "there are no reflectors"),
        Lookalike("tcp179_blocked_network", "the sessions are configured, and do not come up"),
    ),
    explains=("routes_missing", "undetermined"),
)

FAULTS = (MESH_DISABLED_NO_PEERS, ROUTE_REFLECTOR_MISCONFIGURED)
