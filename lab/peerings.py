# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With whom a node peers by confd's rules (releases up to 3.32). Pure: from what is registered to a list of peerings.

The mesh: every other node that has an address and no cluster ID, unless the node has one itself. BGPPeers: `Global_…`
those without node and nodeSelector, `Node_…` all others and those that come about because the other side names us
(reversePeering). Of several for one address and port the global one wins, then the first by name, then the explicit
one. The mesh knows nothing of BGPPeers: both may peer with one neighbour. A node whose address is our own is nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from . import selector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    View = Mapping[str, Any]
    Node = Mapping[str, Any]

IPV4, IPV6 = "ipv4", "ipv6"
BGP_PORT = 179


class Peering(NamedTuple):
    """One BGP session as one end is told of it.

    `port` None: BGP's own. `ttl_security` None: as BIRD does it by itself (mesh), 0: off, else the hops. `cluster_id`:
    the peer is our reflector's client. `next_hop`: "", "keep" or "self".
    """

    kind: str
    address: str
    remote_as: int
    port: int | None = None
    source: str = ""
    passive: bool = False
    password: str = ""
    ttl_security: int | None = None
    cluster_id: str = ""
    next_hop: str = ""
    restart_time: int | None = None
    local_as_allowed: int | None = None
    gateway: str = ""
    filters: tuple[str, ...] = ()
    internal: bool = True

    @property
    def name(self) -> str:
        """The protocol's name as confd gives it."""
        suffix = f"_port_{self.port}" if self.port and self.kind != "Mesh" else ""
        return f"{self.kind}_{_as_name(self.address)}{suffix}"


def _as_name(address: str) -> str:
    return address.replace(".", "_").replace(":", "_")


def mesh_name(address: str) -> str:
    """The name confd gives the protocol towards a mesh peer."""
    return "Mesh_" + _as_name(address)


def dials(own: str, peer: str) -> bool:
    """True if the node of address `own` opens the session, false if it waits: of *strings* the greater dials."""
    return own > peer


def address_of(node: Node, family: str) -> str:
    """A registered node's address of a family, "" if none."""
    return str(node.get("address6" if family == IPV6 else "address") or "")


def as_of(view: View, node: Node) -> int:
    """The AS number of a node: its own or the cluster's."""
    return int(node.get("as_number") or view["as_number"])


def has_bird(node: Node) -> bool:
    """Whether BIRD runs on a node, by calico-node's networking backend there."""
    return node.get("backend") not in ("none", "vxlan")


def of(view: View, name: str, family: str = IPV4) -> list[Peering]:
    """The peerings of a node in the order in which they are rendered: mesh, global, node-specific."""
    own = view["nodes"][name]
    if not address_of(own, family):
        return []
    chosen: dict[tuple[str, int | None], Peering] = {}
    for peering in (*_of_peers(view, name, family, True), *_of_peers(view, name, family, False)):
        chosen.setdefault((peering.address, peering.port), peering)
    for peering in _reversed(view, name, family):
        chosen.setdefault((peering.address, peering.port), peering)
    explicit = sorted(chosen.values(), key=lambda each: (each.kind, each.address, each.port or 0))
    return [*_mesh(view, name, family), *explicit]


def _mesh(view: View, name: str, family: str) -> Iterator[Peering]:
    own = view["nodes"][name]
    if not view.get("mesh", True) or own.get("cluster_id"):
        return
    source = address_of(own, family)
    for peer in sorted(view["nodes"]):
        node = view["nodes"][peer]
        address = address_of(node, family)
        if peer == name or not address or address == source or node.get("cluster_id"):
            continue
        password = node.get("password")
        yield Peering(
            kind="Mesh",
            address=address,
            remote_as=as_of(view, node),
            port=_listen_port(view, node),
            source=source,
            passive=not dials(source, address),
            password=(view.get("mesh_password") if password is None else password) or "",
            restart_time=view.get("mesh_restart_time"),
        )


def _listen_port(view: View, node: Node) -> int | None:
    port = node.get("listen_port") or view.get("listen_port")
    return int(port) if port else None


def _of_peers(view: View, name: str, family: str, is_global: bool) -> Iterator[Peering]:
    """What BGPPeers tell the node by themselves."""
    own = view["nodes"][name]
    for peer in _sorted(view):
        spec = peer["spec"]
        if is_global != (not spec.get("node") and not spec.get("nodeSelector")) or not _applies(spec, name, own):
            continue
        for node, address, port in _targets(view, spec, family):
            if address != address_of(own, family):
                yield _peering(view, name, family, peer, node, address, port, "Global" if is_global else "Node")


def _reversed(view: View, name: str, family: str) -> Iterator[Peering]:
    """What BGPPeers of others tell the node because they name it."""
    own = view["nodes"][name]
    mine = address_of(own, family)
    for peer in _sorted(view):
        spec = peer["spec"]
        if spec.get("reversePeering", "Auto") != "Auto" or not _is_meant(view, spec, own):
            continue
        if not any(node is own and address == mine for node, address, _port in _targets(view, spec, family)):
            continue
        for other in sorted(view["nodes"]):
            node = view["nodes"][other]
            address = address_of(node, family)
            if other != name and address and address != mine and _applies(spec, other, node):
                yield _peering(view, name, family, peer, node, address, _listen_port(view, node), "Node", True)


def _is_meant(view: View, spec: Mapping[str, Any], own: Node) -> bool:
    """Whether a BGPPeer's AS number and port are those of this node, in case its address is."""
    if spec.get("peerSelector"):
        return True
    port = split_port(str(spec.get("peerIP") or ""))[1] or BGP_PORT
    return as_of(view, own) == spec.get("asNumber") and port == (_listen_port(view, own) or BGP_PORT)


def _sorted(view: View) -> list[Mapping[str, Any]]:
    peers: Mapping[str, Mapping[str, Any] | None] = view.get("peers") or {}
    return [found for name in sorted(peers) if (found := peers[name])]


def _applies(spec: Mapping[str, Any], name: str, node: Node) -> bool:
    if spec.get("node"):
        return bool(spec["node"] == name)
    return _selects(spec.get("nodeSelector") or "", node)


def _selects(text: str, node: Node) -> bool:
    try:
        return selector.matches(text, node.get("labels") or {})
    except selector.SelectorError:
        return False


def _targets(view: View, spec: Mapping[str, Any], family: str) -> Iterator[tuple[Node | None, str, int | None]]:
    """(the Calico node or None, its address, its port if not BGP's own)"""
    if spec.get("peerSelector"):
        for name in sorted(view["nodes"]):
            node = view["nodes"][name]
            if address_of(node, family) and _selects(spec["peerSelector"], node):
                yield node, address_of(node, family), _listen_port(view, node)
        return
    address, port = split_port(str(spec.get("peerIP") or ""))
    if address and (":" in address) == (family == IPV6):
        known = [node for node in view["nodes"].values() if address_of(node, family) == address]
        yield known[0] if known else None, address, port or (_listen_port(view, known[0]) if known else None)


def split_port(text: str) -> tuple[str, int | None]:
    """Split "10.0.0.1:1790" or "[fd00::1]:1790" into address and port."""
    if text.startswith("["):
        address, _bracket, rest = text[1:].partition("]")
        return address, int(rest[1:]) if rest[1:].isdecimal() else None
    if text.count(":") == 1:
        address, _colon, port = text.partition(":")
        return address, int(port) if port.isdecimal() else None
    return text, None


def _peering(
    view: View,
    name: str,
    family: str,
    peer: Mapping[str, Any],
    node: Node | None,
    address: str,
    port: int | None,
    kind: str,
    reverse: bool = False,
) -> Peering:
    spec = peer["spec"]
    own = view["nodes"][name]
    remote = as_of(view, node) if node is not None and (reverse or not spec.get("asNumber")) else spec.get("asNumber")
    remote_as = int(remote or view["as_number"])
    internal = remote_as == as_of(view, own)
    cluster = own.get("cluster_id") or ""
    client = internal and cluster and (node is None or node.get("cluster_id") != cluster)
    return Peering(
        kind=kind,
        address=address,
        remote_as=remote_as,
        port=port,
        source="" if spec.get("sourceAddress") == "None" else address_of(own, family),
        passive=kind == "Global" and node is not None and not dials(address_of(own, family), address),
        password=peer.get("password") or "",
        ttl_security=int(spec.get("ttlSecurity") or 0),
        cluster_id=cluster if client else "",
        next_hop=_next_hop(spec, internal),
        restart_time=seconds(spec.get("maxRestartTime")),
        local_as_allowed=spec.get("numAllowedLocalASNumbers"),
        gateway="" if reverse else str(spec.get("reachableBy") or ""),
        filters=tuple(each for each in spec.get("filters") or [] if each in (view.get("filters") or {})),
        internal=internal,
    )


def _next_hop(spec: Mapping[str, Any], internal: bool) -> str:
    mode = spec.get("nextHopMode")
    if mode in ("Self", "Keep"):
        return str(mode).lower()
    return "keep" if spec.get("keepOriginalNextHop") and not internal else ""


def seconds(duration: str | None) -> int | None:
    """A duration as Kubernetes writes it ("120s", "2m0s"), in whole seconds; None for none."""
    total, number = 0.0, ""
    for char in duration or "":
        if char.isdigit() or char == ".":
            number += char
        elif char in "hms" and number:
            total += float(number) * {"h": 3600, "m": 60, "s": 1}[char]
            number = ""
    return int(total) if duration else None
