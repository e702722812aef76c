# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What breaks an overlay: its packets dropped, its device gone, entries gone or wrong, a Node without podCIDR.

One fault has a variant in BIRD's kind of network: a route that the kernel does not take because another is in its
place.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from .. import api_client, overlay, waiting
from . import active, cluster
from .model import Case, Fault, Variant, listener

if TYPE_CHECKING:
    from ..topology import Node

VXLAN, CANAL = "vxlan", "canal"
_PORT = {VXLAN: 4789, CANAL: 8472}
_FABRIC = "fabric"


def _device(case: Case) -> str:
    return overlay.device(case.lab.plan)


def _tunnel(case: Case, node: Node) -> str:
    """The address of a node's device."""
    return overlay.tunnel_address(node) if _device(case) == overlay.CALICO else f"10.244.{node.number}.0"


def _reaches(case: Case, source: Node, target: str) -> bool:
    done = case.lab.machine(source.name).exec(["ping", "-c1", "-W1", target], check=False)
    return done.returncode == 0


def _still_reached(case: Case) -> str:
    """Through the overlay no packet may come, while the nodes reach each other."""
    peer = case.peers[0]
    if _reaches(case, peer, _tunnel(case, case.node)):
        return f"{peer.name} still reaches {case.target} through {_device(case)}"
    return "" if _reaches(case, peer, case.node.address) else f"{peer.name} does not reach {case.target} at all"


class _Step(NamedTuple):
    """Commands that make a variant of a fault, and those that undo it; `where` they are run, "" for the target."""

    make: tuple[str, ...]
    undo: tuple[str, ...]
    where: str = ""


# --- vxlan_udp_blocked ---

_BLOCKS = {
    "host": _Step(
        ("iptables-nft -A INPUT -p udp -m udp --dport 4789 -j DROP",),
        ("iptables-nft -D INPUT -p udp -m udp --dport 4789 -j DROP",),
    ),
    "host-flannel": _Step(
        ("iptables-legacy -A INPUT -p udp -m multiport --dports 8000:9000 -j REJECT",),
        ("iptables-legacy -D INPUT -p udp -m multiport --dports 8000:9000 -j REJECT",),
    ),
    "network": _Step(
        (
            "nft add table bridge vxlan_filter",
            "nft add chain bridge vxlan_filter forward { type filter hook forward priority 0 ; policy accept ; }",
            "nft add rule bridge vxlan_filter forward ip daddr ADDRESS udp dport 4789 drop",
        ),
        ("nft delete table bridge vxlan_filter",),
        _FABRIC,
    ),
}


def _run(case: Case, steps: dict[str, _Step], *, undo: bool) -> None:
    step = steps[case.variant]
    machine = case.lab.fabric if step.where == _FABRIC else case.machine
    for command in step.undo if undo else step.make:
        argv = shlex.split(command.replace("ADDRESS", case.node.address).replace("DEVICE", _device(case)))
        (case.try_run if undo else case.run)(argv, machine)


UDP_BLOCKED = Fault(
    id="vxlan_udp_blocked",
    description="VXLAN's UDP port is dropped, by the node's own firewall or by the network between the nodes",
    inject=lambda case: _run(case, _BLOCKS, undo=False),
    heal=lambda case: _run(case, _BLOCKS, undo=True),
    missing=_still_reached,
    default=listener,
    variants=(
        Variant("host", "the node's firewall drops UDP 4789", VXLAN),
        Variant("host-flannel", "the node's firewall rejects a range of ports that contains UDP 8472", CANAL),
        Variant("network", "the switch drops UDP 4789 to the node; no host has a rule", VXLAN),
    ),
    breaks_sessions=False,
)

# --- tunnel_device_missing ---


def _rewrite(case: Case) -> None:
    """Let the target's device be as Felix' or flannel's stand-in would make it."""
    api = case.lab.api()
    objects = {
        name: api.get(path).get("items") or [] for name, path in _OBJECTS.items() if name == "nodes" or _has(case)
    }
    known = overlay.vteps(case.lab.plan.topology.overlay, objects["nodes"], objects.get("affinities", []))
    wanted = overlay.tables(_device(case), known, case.target)
    if wanted is None or not case.machine.running:
        return
    case.try_run(["ip", "link", "del", _device(case)])
    ip, bridge = overlay.lines(None, wanted)
    for argv, text in (
        (["ip", "-batch", "-"], overlay.device_lines(wanted)),
        (["ip", "-batch", "-"], ip),
        (["bridge", "-batch", "-"], bridge),
    ):
        case.machine.exec(argv, text_input=text)


def _has(case: Case) -> bool:
    return case.lab.plan.topology.overlay == VXLAN


_OBJECTS = {"nodes": cluster.NODES, "affinities": f"{api_client.CALICO}/blockaffinities"}
_DEVICE = {
    "missing": _Step(("ip link del DEVICE",), ()),
    "down": _Step(("ip link set DEVICE down",), ()),
    "flannel": _Step(("ip link del DEVICE",), ()),
}

DEVICE_MISSING = Fault(
    id="tunnel_device_missing",
    description="the tunnel device of the node is gone or down",
    inject=lambda case: _run(case, _DEVICE, undo=False),
    heal=_rewrite,
    missing=_still_reached,
    default=listener,
    variants=(
        Variant("missing", "vxlan.calico is not there", VXLAN),
        Variant("down", "vxlan.calico is down", VXLAN),
        Variant("flannel", "flannel.1 is not there", CANAL),
    ),
    breaks_sessions=False,
)

# --- routes_missing ---


def _lose(case: Case) -> None:
    """On the target, of what leads to one other node."""
    peer = case.peers[0]
    known = overlay.mac(peer, case.lab.plan.topology.overlay)
    device, address = _device(case), _tunnel(case, peer)
    # The kernel takes no second route of the same metric: what is there first stays.
    instead = [["ip", "route", "replace", "unreachable", peer.block, "proto", "static"]]
    commands = {
        "route": [["ip", "route", "del", peer.block]],
        "neighbour": [["ip", "neighbour", "del", address, "dev", device]],
        "fdb": [["bridge", "fdb", "del", known, "dev", device, "dst", peer.address, "self"]],
        "stale": [
            ["bridge", "fdb", "del", known, "dev", device, "dst", peer.address, "self"],
            ["bridge", "fdb", "add", known, "dev", device, "dst", "10.200.0.77", "self", "permanent"],
        ],
        "flannel": [["ip", "route", "del", f"10.244.{peer.number}.0/24"]],
        "bird": instead,
    }
    for argv in commands[case.variant]:
        case.run(argv)


def _give_back(case: Case) -> None:
    if case.variant == "bird":
        case.try_run(["ip", "route", "del", "unreachable", case.peers[0].block])
    else:
        _rewrite(case)


def _still_there(case: Case) -> str:
    peer = case.peers[0]
    if not _reaches(case, case.node, peer.pod_address):
        return ""
    return f"{case.target} still reaches the pods of {peer.name}"


ROUTES_MISSING = Fault(
    id="routes_missing",
    description="the node's kernel lacks a route to another node's pods, or what belongs to it",
    inject=_lose,
    heal=_give_back,
    missing=_still_there,
    default=listener,
    variants=(
        Variant("route", "no route into vxlan.calico", VXLAN),
        Variant("neighbour", "no neighbour entry for the other device's address", VXLAN),
        Variant("fdb", "no forwarding entry for the other device's MAC", VXLAN),
        Variant("stale", "a forwarding entry that leads to an address of yesterday", VXLAN),
        Variant("flannel", "no route into flannel.1", CANAL),
        Variant("bird", "another program's route is in the place of BIRD's", "one_subnet"),
    ),
    breaks_sessions=False,
)

# --- node_podcidr_missing ---


def _register_without(case: Case) -> None:
    """As a kubelet does it that registers anew while nobody deals out podCIDRs: a podCIDR cannot be taken away."""
    path = cluster.node(case.target)
    found = case.lab.api().get(path)
    case.undo["node"] = cluster.fresh(found)
    active.put(case.lab.state, case.record())
    spec = {key: value for key, value in (found.get("spec") or {}).items() if key not in ("podCIDR", "podCIDRs")}
    _replace_node(case, {**cluster.fresh(found), "spec": spec})


def _replace_node(case: Case, obj: cluster.Object) -> None:
    api, path = case.lab.api(), cluster.node(case.target)
    case.lab.say(f"  API: delete and create Node {case.target}")
    if cluster.find(api, path) is not None:
        api.delete(path)
    waiting.until(lambda: "" if cluster.find(api, path) is None else "it is still there", "the Node to go", 10)
    made = api.create(cluster.NODES, obj)
    api.replace(f"{path}/status", {**made, "status": obj.get("status") or {}})


def _register_again(case: Case) -> None:
    if "node" in case.undo:
        _replace_node(case, case.undo["node"])


def _still_leased(case: Case) -> str:
    for peer in case.peers:
        shown = case.lab.machine(peer.name).exec(
            ["ip", "route", "show", f"10.244.{case.node.number}.0/24"], check=False
        )
        if shown.stdout.strip():
            return f"{peer.name} still has a route to the pods of {case.target}"
    return ""


PODCIDR_MISSING = Fault(
    id="node_podcidr_missing",
    description="the Node was registered anew and got no podCIDR",
    inject=_register_without,
    heal=_register_again,
    missing=_still_leased,
    default=listener,
    variants=(Variant("canal", "no podCIDR, so no lease of flannel's", CANAL),),
    breaks_sessions=False,
)
