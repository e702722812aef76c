# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a network that carries smaller packets than the nodes send."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from . import commands, mtu_observed, mtu_old_pods, path_sizes, words
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Remainder, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import MtuPath, Node

IPV4_AND_ICMP_HEADERS = 28


def _small_paths(node: Node) -> list[MtuPath]:
    return [path for path in (node.mtu.paths if node.mtu else ()) if path.result == "smaller" and path.carries]


def _underlay(node: Node) -> dict[str, int]:
    """The MTU of the interfaces that lead to peers; tunnels are smaller by design."""
    if node.mtu is None:
        return {}
    leading = {path.path_class.split(" ", 1)[0] for path in node.mtu.paths}
    return {name: mtu for name, mtu in node.mtu.interfaces.items() if name in leading}


def _too_small(node: Node) -> list[MtuPath]:
    """Paths on which this host itself sends no packets as big as Calico needs: by its interface or by its route."""
    required = node.mtu.required if node.mtu else None
    return [
        path
        for path in (node.mtu.paths if node.mtu else ())
        if path.result == "local" and required and path.carries and path.carries < required
    ]


def _by_route(node: Node, path: MtuPath) -> bool:
    """Not the interface is too small but the route: by an MTU of its own, or by one that was learnt and is cached."""
    mtu = node.mtu.interfaces.get(path.path_class.split(" ", 1)[0]) if node.mtu else None
    return mtu is not None and path.carries is not None and path.carries < mtu


def _limited_by_route(node: Node | None) -> list[MtuPath]:
    return [path for path in _too_small(node) if _by_route(node, path)] if node else []


def _usual_interface_mtu(evidence: Evidence) -> int | None:
    """The MTU most underlay interfaces have, if there is a majority."""
    return evidence.once("usual interface MTU", lambda: _most_interfaces_have(evidence))


def _most_interfaces_have(evidence: Evidence) -> int | None:
    tally = Tally(mtu for node in evidence.nodes.values() for mtu in _underlay(node).values())
    ranked = tally.most_common(1)
    return ranked[0][0] if ranked and ranked[0][1] > sum(tally.values()) / 2 else None


def _odd_interfaces(evidence: Evidence, node: Node) -> dict[str, int]:
    usual = _usual_interface_mtu(evidence)
    return {name: mtu for name, mtu in _underlay(node).items() if usual is not None and mtu != usual}


def narrow_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Routers that report a smaller MTU, the fewest nodes that explain silent losses, and odd interface MTUs."""
    narrow = {
        (node.name, evidence.name_of(path.peer)): path
        for node in evidence.nodes.values()
        for path in _small_paths(node)
    }
    odd = {node.name for node in evidence.nodes.values() if _odd_interfaces(evidence, node) or _too_small(node)}
    reporters = {path.reported_by for path in narrow.values() if path.reported_by}
    for reporter in sorted(reporters):
        reported = {pair: path for pair, path in narrow.items() if path.reported_by == reporter}
        learnt = {name for name in odd if _learnt_from(evidence, name, reporter)}
        odd -= learnt
        names = tuple(sorted(learnt.union(*reported)))
        lead = min(learnt, default=names[0])
        yield Subject(names, (), _mtu_where(evidence, lead, reported), evidence.nodes.get(lead), reported)
    remaining = {pair: path for pair, path in narrow.items() if not path.reported_by}
    while remaining or odd:
        name = _next_culprit(remaining, odd)
        mine = {pair: path for pair, path in remaining.items() if name in pair}
        for pair in mine:
            del remaining[pair]
        odd.discard(name)
        node = evidence.nodes.get(name)
        yield Subject((name,), evidence.down_at(name), _mtu_where(evidence, name, mine), node, mine)


def _learnt_from(evidence: Evidence, name: str, reporter: str) -> bool:
    """Only routes by way of this router are too small at the node: it told the size before, and the kernel keeps it."""
    node = evidence.nodes[name]
    small = _too_small(node)
    return not _odd_interfaces(evidence, node) and all(
        _by_route(node, path) and f" via {reporter} " in path.path_class for path in small
    )


def _narrow_places(evidence: Evidence) -> Iterator[Subject]:
    """What was measured, and what was tried by hand."""
    yield from narrow_nodes(evidence)
    yield from mtu_observed.tried_sizes(evidence)


def _next_culprit(paths: dict[tuple[str, str], MtuPath], odd: set[str]) -> str:
    if odd:
        return min(odd)
    tally = Tally(name for pair in paths for name in pair)
    probing = {pair[0] for pair in paths}
    return max(sorted(tally), key=lambda name: (tally[name], name in probing))


def _mtu_where(evidence: Evidence, name: str, paths: dict[tuple[str, str], MtuPath]) -> dict[str, object]:
    where: dict[str, object] = {"node": name}
    node = evidence.nodes.get(name)
    odd = _odd_interfaces(evidence, node) if node else {}
    if odd:
        where["interfaces"] = odd
    for limited in _limited_by_route(node):
        where.update({"route": limited.path_class, "carries": limited.carries})
    for path in paths.values():
        where.update(
            {"path": path.path_class, "carries": path.carries, "wanted": path.wanted, "reported_by": path.reported_by}
        )
        break
    return where


def path_carries_less(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Packets of the size that the interface promises do not get through, smaller ones do."""
    found = []
    for (source, target), path in subject.about.items():
        reporter = f", reported by {path.reported_by}" if path.reported_by else ", and nobody reports it (a black hole)"
        found.append(
            Seen(
                source, "path MTU probe", f"towards {target}: {path.carries} bytes pass, {path.wanted} do not{reporter}"
            )
        )
    return found


def interface_mtu_is_odd(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's underlay interface has another MTU than those of the other nodes."""
    if subject.node is None:
        return []
    usual = _usual_interface_mtu(evidence)
    return [
        Seen(subject.node.name, "interfaces", f"{name} has MTU {mtu}, most others {usual}")
        for name, mtu in _odd_interfaces(evidence, subject.node).items()
    ]


def interface_is_too_small(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's underlay interface is smaller than what pods and their encapsulation need."""
    return _seen_too_small(subject, by_route=False)


def route_is_too_small(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's route has a smaller MTU than its interface, and than what pods and their encapsulation need."""
    return _seen_too_small(subject, by_route=True)


def _seen_too_small(subject: Subject, *, by_route: bool) -> list[Seen]:
    node = subject.node
    if node is None or node.mtu is None:
        return []
    return [
        Seen(node.name, "mtu", f"{path.path_class} carries {path.carries}, {node.mtu.required} needed")
        for path in _too_small(node)
        if _by_route(node, path) is by_route
    ]


def full_size_still_fits(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What Calico needs (pod MTU plus encapsulation) still fits through the path."""
    found = []
    for (source, _target), path in subject.about.items():
        node = evidence.nodes.get(source)
        required = node.mtu.required if node and node.mtu else None
        if required is not None and path.carries is not None and path.carries >= required:
            found.append(Seen(source, "mtu", f"{required} bytes needed, {path.carries} carried"))
    return found


def _mtu_summary(evidence: Evidence, subject: Subject) -> str:
    if mtu_observed.summary(subject):
        return mtu_observed.summary(subject)
    name = subject.nodes[0]
    if not subject.about:
        interfaces = subject.where.get("interfaces", {})
        odd = words.listed(f"{interface} {mtu}" for interface, mtu in interfaces.items())
        usual = _usual_interface_mtu(evidence)
        routes = _limited_by_route(subject.node)
        if routes and not interfaces:
            needed = subject.node.mtu.required if subject.node and subject.node.mtu else 0
            return (
                f"{name} sends packets of at most {routes[0].carries} bytes by its route {routes[0].path_class}, and "
                f"{needed} are needed; its interface takes more."
            )
        if not interfaces:
            return f"The underlay interface of {name} is smaller than what pods and their encapsulation need."
        return f"The MTU of {name} differs from that of the other nodes ({odd}, usual {usual})."
    path = next(iter(subject.about.values()))
    if path.reported_by:
        return (
            f"The router {path.reported_by} on the way between {words.listed(subject.nodes)} carries packets of "
            f"{path.carries} bytes, not {path.wanted}."
        )
    carried = f"packets of {path.carries} bytes, not {path.wanted}"
    return f"The network to and from {name} carries {carried}; bigger ones are lost."


def _mtu_commands(evidence: Evidence, subject: Subject) -> list[str]:
    tried = [
        commands.on_node(
            source, f"ping -M do -c 3 -s {path.wanted - IPV4_AND_ICMP_HEADERS} {commands.word(path.peer, 'PEER')}"
        )
        for (source, _target), path in subject.about.items()
    ]
    routes = _limited_by_route(subject.node)
    tried += [
        commands.on_node(
            subject.nodes[0], f"ip route get {commands.word(path.peer, 'PEER')}   # its mtu, and whether it expires"
        )
        for path in routes
    ]
    usual = _usual_interface_mtu(evidence)
    odd = subject.where.get("interfaces", {}) if usual else {}
    raised = [f"sudo ip link set dev {commands.word(name, 'INTERFACE')} mtu {usual}" for name in odd]
    name = subject.nodes[0] if subject.nodes else "NODE"
    return [*(commands.on_node(name, line) for line in ("ip link show", *raised)), *tried[:2]]


def _mtu_remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Less is sent. None where a node's own interface or route is to be put right, or all that is needed fits."""
    if _is_own(evidence, subject) or not subject.about or evidence.cluster is None or evidence.missing:
        return None
    fits = _mtu_severity(evidence, subject) == "minor" or path_sizes.carried(evidence).size is None
    return None if fits else Remedy("mtu")


def _is_own(evidence: Evidence, subject: Subject) -> bool:
    """Whether the node's own interface or route is what is to be put right; what a router told it is not its own."""
    node = subject.node
    if node is None:
        return False
    told = any(path.reported_by for path in subject.about.values())
    return bool(_odd_interfaces(evidence, node) or (not told and _limited_by_route(node)))


def _mtu_remainder(evidence: Evidence, subject: Subject) -> Remainder | None:
    """What is left where less is sent already."""
    measured = bool(subject.about) and not mtu_observed.summary(subject)
    return mtu_old_pods.remainder(evidence, subject.about) if measured and not _is_own(evidence, subject) else None


def _mtu_severity(evidence: Evidence, subject: Subject) -> str:
    """minor where all that Calico needs still fits through, else major."""
    nodes = {name: evidence.nodes[name] for pair in subject.about for name in pair if name in evidence.nodes}
    if subject.node:
        nodes[subject.node.name] = subject.node
    needed = [node.mtu.required for node in nodes.values() if node.mtu and node.mtu.required]
    carried = [path.carries for path in subject.about.values() if path.carries]
    carried += subject.where.get("interfaces", {}).values()
    fits = bool(needed) and bool(carried) and max(needed) <= min(carried)
    return "minor" if fits else "major"


MTU_MISMATCH = Fault(
    id="mtu_mismatch",
    family="encapsulation",
    title="The network carries smaller packets than the nodes send",
    severity="major",
    role="cause",
    means=(
        "Small packets pass and big ones do not: pings and BGP's keepalives work while transfers, TLS "
        "handshakes and large BGP updates stall. "
        "Pod MTU plus encapsulation overhead must fit through every link between nodes, and all nodes must agree."
    ),
    subjects=_narrow_places,
    signals=(
        Signal(mtu_observed.size_decides, STRONG + MODERATE, required=True),
        Signal(mtu_observed.a_tunnel_is_below, WEAK),
        Signal(mtu_observed.larger_pings_pass, -MODERATE),
        Signal(path_carries_less, STRONG + MODERATE, required=True),
        Signal(interface_mtu_is_odd, STRONG, required=True),
        Signal(interface_is_too_small, STRONG, required=True),
        Signal(route_is_too_small, STRONG, required=True),
        Signal(full_size_still_fits, -MODERATE),
    ),
    summary=_mtu_summary,
    severity_rule=_mtu_severity,
    fix=Fix(
        action="align_mtu",
        text=(
            "Give the link or interface the MTU of the others, or lower Calico's MTU to what the narrowest path "
            "carries minus the encapsulation overhead; pods get a new MTU only when they are made anew."
        ),
        risk="medium",
        disrupts=(
            "traffic for a moment where a link or tunnel changes; calico-node is restarted node by node where its MTU "
            "is lowered; pods keep their old MTU until recreated"
        ),
        commands=_mtu_commands,
        remedy=_mtu_remedy,
        remainder=_mtu_remainder,
    ),
    verify="Packets of the interface's size pass in both directions between all nodes.",
    prior=0.0,
)

FAULTS = (MTU_MISMATCH,)
