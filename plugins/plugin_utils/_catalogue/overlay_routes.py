# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of routes to other nodes' pods, or of what belongs to them, that are not in the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._overlay.compare import culprits, overlays
from . import agent_pod, commands, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.host_facts import KernelRoutes
    from .._overlay.model import Culprit, Lack, Overlay

SHOWN = 4
NEVER = "Never"


def lacking_nodes(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain what is missing of an overlay; nodes whose kernel lacks BIRD's routes; nodes whose
    routes nobody gets.
    """
    for overlay in overlays(evidence):
        for one in culprits(overlay.lacks):
            ends = sorted({name for lack in one.lacks for name in (lack.at, lack.to)} - {one.name})
            where = {
                "node": one.name,
                "interface": overlay.device,
                "missing": one.lacks[0].detail,
                "others": ends[:SHOWN],
            }
            yield Subject((one.name,), (), where, evidence.nodes.get(one.name), (overlay, one))
        yield from _twins(evidence, overlay)
    for node in evidence.nodes.values():
        for family, routes in node.host.routes.items():
            if routes.exported is not None and routes.in_kernel is not None and routes.refused:
                where = {"node": node.name, "family": family, "routes": list(routes.refused[:SHOWN])}
                yield Subject((node.name,), (), where, node, routes)
    yield from _unheard(evidence)


def _twins(evidence: Evidence, overlay: Overlay) -> Iterator[Subject]:
    by_mac: dict[str, list[str]] = {}
    for end in overlay.ends.values():
        if end.mac:
            by_mac.setdefault(end.mac, []).append(end.name)
    for mac, names in by_mac.items():
        if len(names) > 1:
            where = {"node": names[0], "interface": overlay.device, "mac": mac}
            yield Subject(tuple(names), (), where, evidence.nodes.get(names[0]), mac)


def _unheard(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with blocks whose routes no peer gets, although the sessions are up."""
    cluster = evidence.cluster
    if cluster is None or evidence.uses_bgp is False:
        return
    exported = [pool.cidr for pool in cluster.pools if not pool.export_disabled and pool.vxlan == NEVER]
    blocks: dict[str, list[str]] = {}
    for block in cluster.blocks:
        if block.state == "confirmed" and not block.deleted and ":" not in block.cidr:
            blocks.setdefault(block.node, []).append(block.cidr)
    for one in evidence.registered:
        address = one.address("ipv4")
        held = [cidr for cidr in blocks.get(one.record, ()) if any(_within(cidr, pool) for pool in exported)]
        peers = [
            node
            for node in evidence.nodes.values()
            if (daemon := node.daemons.get("ipv4")) is not None and address in daemon.mesh
        ]
        if not held or len(peers) < 2:
            continue
        lacking = [
            node for node in peers if (told := node.host.exchange.get("ipv4")) and address in told.without_routes
        ]
        if len(lacking) == len(peers):
            where = {"node": one.name, "blocks": held[:SHOWN]}
            yield Subject((one.name,), (), where, one.node, [node.name for node in lacking])


def _within(inner: str, outer: str) -> bool:
    from .._overlay.ends import within

    return within(inner, outer)


def _culprit(subject: Subject) -> tuple[Overlay, Culprit] | None:
    return subject.about if isinstance(subject.about, tuple) else None


def _lacks(subject: Subject) -> tuple[Lack, ...]:
    found = _culprit(subject)
    return found[1].lacks if found else ()


def ways_are_not_whole(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What leads through the tunnel to another node (route, neighbour entry, forwarding entry) is not in the kernel."""
    lacking = [lack for lack in _lacks(subject) if not lack.wrong]
    return [Seen(lack.at, "overlay", f"towards {lack.to}: {lack.detail}") for lack in lacking][:SHOWN]


def ways_lead_elsewhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """An entry that leads through the tunnel to another node is of another time, or of another node."""
    wrong = [lack for lack in _lacks(subject) if lack.wrong]
    return [Seen(lack.at, "overlay", f"towards {lack.to}: {lack.detail}") for lack in wrong][:SHOWN]


def others_are_whole(evidence: Evidence, subject: Subject) -> list[Seen]:
    """All other ways through the same tunnel are as they should be."""
    found = _culprit(subject)
    if found is None or found[0].examined <= len(found[1].lacks):
        return []
    overlay, one = found
    lacking = {(lack.at, lack.to) for lack in overlay.lacks}
    if lacking - {(lack.at, lack.to) for lack in one.lacks}:
        return []
    return [Seen("", "overlay", f"{overlay.examined - len(lacking)} of {overlay.examined} ways are whole")]


def echoes_are_lost(evidence: Evidence, subject: Subject) -> list[Seen]:
    """An echo by way of the tunnel between these nodes gets no answer."""
    found = _culprit(subject)
    if found is None:
        return []
    pairs = {frozenset((lack.at, lack.to)) for lack in found[1].lacks}
    lost = [one for one in found[0].silent if frozenset((one.at, one.to)) in pairs]
    return [Seen(one.at, "echo", f"to {one.to}: silence") for one in lost][:SHOWN]


def devices_share_a_mac(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Several nodes' devices have one MAC: what is for one of them reaches only one of them."""
    if not isinstance(subject.about, str):
        return []
    return [
        Seen(name, "overlay", f"{subject.where['interface']} has the MAC {subject.about}") for name in subject.nodes
    ]


def kernel_refuses_routes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD has routes that it gives to the kernel, and the kernel has not, or another one stands in their place."""
    routes = _of_bird(subject)
    if routes is None:
        return []
    told = f"{routes.in_kernel} of {routes.exported} are in the kernel; not {words.listed(routes.refused)}"
    return [Seen(subject.nodes[0], "routes", told)]


def _of_bird(subject: Subject) -> KernelRoutes | None:
    found = subject.about
    return found if not isinstance(found, (tuple, str, list)) else None


def felix_has_them(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix has written routes to the same destinations itself."""
    routes = _of_bird(subject)
    shared = sorted(set(routes.conflicts) & set(routes.refused)) if routes else []
    if routes is None or not (shared or routes.instead_felix):
        return []
    told = words.listed(shared) if shared else words.plural(routes.instead_felix, "route")
    return [Seen(subject.nodes[0], "routes", told)]


def peers_get_no_routes(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Its sessions are up, it holds blocks of addresses, and no peer gets a route from it."""
    if not isinstance(subject.about, list):
        return []
    held = words.listed(subject.where["blocks"])
    return [Seen(name, "bird", f"no route of {subject.nodes[0]}, which holds {held}") for name in subject.about[:SHOWN]]


def _summary(evidence: Evidence, subject: Subject) -> str:
    name, found = subject.nodes[0], _culprit(subject)
    if isinstance(subject.about, str):
        return f"The {subject.where['interface']} of {words.listed(subject.nodes)} have the same MAC address."
    if isinstance(subject.about, list):
        return f"{name} holds {words.listed(subject.where['blocks'])} and announces it to none of its peers."
    if found is None:
        routes = words.listed(subject.where.get("routes", ()))
        return f"BIRD on {name} knows routes that are not in the kernel: {routes}."
    _overlay, one = found
    what = words.listed(dict.fromkeys(f"{lack.what}{' (wrong)' if lack.wrong else ''}" for lack in one.lacks))
    if one.own:
        far = words.listed(sorted({lack.to for lack in one.lacks if lack.at == name}))
        return f"{name} lacks what leads through {subject.where['interface']} to {far}: {what}."
    near = words.listed(sorted({lack.at for lack in one.lacks if lack.at != name}))
    return f"{near} lack what leads through {subject.where['interface']} to {name}: {what}."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    name = subject.nodes[0]
    device = commands.word(subject.where.get("interface", ""), "DEVICE")
    if _culprit(subject) is None and not isinstance(subject.about, str):
        shown = agent_pod.run(evidence, name, f"birdcl -r -s {agent_pod.SOCKET} show route all")
        found = [commands.on_node(name, "ip route show"), shown]
        routes = _of_bird(subject)
        first = commands.word(routes.refused[0], "PREFIX") if routes and routes.refused else ""
        return [*found, *([commands.on_node(name, f"ip route show {first}   # who made it")] if first else [])]
    looks = [f"ip route show dev {device}", f"ip neigh show dev {device}", f"bridge fdb show dev {device}"]
    at = next((lack.at for lack in _lacks(subject)), name)
    container = agent_pod.FLANNEL if device.startswith("flannel") else agent_pod.AGENT
    return [
        *(commands.on_node(at, line) for line in looks),
        agent_pod.logs(evidence, at, "--tail=50", container),
        f"{agent_pod.delete(evidence, at, container)}   # it writes all of them anew when it starts",
    ]


ROUTES_MISSING = Fault(
    id="routes_missing",
    family="encapsulation",
    title="Routes to other nodes' pods are missing",
    severity="critical",
    role="cause",
    means=(
        "The nodes know of each other, and yet the kernel has no route to another node's pods, or not what belongs to "
        "it: with VXLAN each route needs the far device's neighbour entry and its forwarding entry. One that is "
        "missing or out of date loses the packets in silence."
    ),
    subjects=lacking_nodes,
    signals=(
        Signal(ways_are_not_whole, STRONG + WEAK, required=True),
        Signal(ways_lead_elsewhere, STRONG + WEAK, required=True),
        Signal(kernel_refuses_routes, STRONG + MODERATE, required=True),
        Signal(devices_share_a_mac, DECISIVE, required=True),
        Signal(peers_get_no_routes, STRONG, required=True),
        Signal(others_are_whole, MODERATE),
        Signal(echoes_are_lost, STRONG),
        Signal(felix_has_them, -STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="restore_routes",
        text=(
            "Find out who took the route or entry away, or put another in its place (a network manager, a script, a "
            "second network plugin). Restarting calico-node, or flannel, on the node writes all of them anew."
        ),
        risk="low",
        disrupts="nothing that works",
        commands=_commands,
    ),
    verify="Each node has a route, a neighbour entry and a forwarding entry for every other one; echoes are answered.",
    lookalikes=(
        Lookalike("tunnel_device_missing", "the device itself is not there or does not work"),
        Lookalike("route_owner_conflict", "Felix and BIRD both write these routes, or neither does"),
        Lookalike("node_podcidr_missing", "the Node has no podCIDR that a route could lead to"),
        Lookalike("host_network_manager_interference", "a network manager takes routes away that it did not make"),
    ),
    explains=("vxlan_udp_blocked",),
)

FAULTS = (ROUTES_MISSING,)
