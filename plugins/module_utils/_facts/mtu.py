# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packet sizes on this node: what interfaces take, what Calico was told, what pods got, what paths to peers carry.

What the underlay must carry is the pods' MTU plus the encapsulation's overhead; Calico's own numbers for that are
20 bytes for IPIP, 50 for VXLAN (70 over IPv6), 60 for WireGuard (80).
"""

from __future__ import annotations

import json
import socket

from .._host.processes import names_in, read_text
from .._inet import octets
from .._numbers import is_whole
from .._record import NamedTuple
from . import mtu_automatic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from .._host.links import Link, Network
    from .._host.routes import Route
    from .._probe.path_mtu import Path, PathProber, PathResult
    from .sources import Sources

_GREATEST_MTU = 1 << 20
_MTU_FILES = ("/var/lib/calico/mtu", "/var/snap/microk8s/current/var/lib/calico/mtu")
_CNI_FOLDERS = (
    "/etc/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/lib/rancher/rke2/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
# Calico's and flannel's tunnel devices: what they are and what they add to a packet.
TUNNELS = {
    "tunl0": ("ipip", 20),
    "vxlan.calico": ("vxlan", 50),
    "vxlan-v6.calico": ("vxlan", 70),
    "wireguard.cali": ("wireguard", 60),
    "wg-v6.cali": ("wireguard", 80),
    "flannel.1": ("vxlan", 50),
    "flannel-v6.1": ("vxlan", 70),
    "flannel-wg": ("wireguard", 60),
    "flannel-wg-v6": ("wireguard", 80),
}
_WORKLOAD = "cali"
_MOST_CLASSES = 16
_MOST_PEERS = 3


class PeerWay(NamedTuple):
    """A peer as far as path classes go: its address, whether its session is established, the source address in BGP."""

    address: str
    established: bool
    source: str


class MtuGathering(NamedTuple):
    """The facts so far and the paths still to be measured."""

    facts: dict[str, Any]
    paths: list[Path]


def gather(
    network: Network | None,
    peers: Sequence[PeerWay],
    ways: Mapping[str, Route],
    bird_tunnels: Iterable[str],
    sources: Sources,
    root: str = "",
    configured: dict[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    version: str = "",
) -> MtuGathering:
    """Gather calico_mtu as far as no packet is needed. `bird_tunnels` are the devices that bird.cfg sends routes into.

    Notes the sources interfaces, calico_mtu_file and cni_config. `configured` is what the last two say, if somebody
    else read (and noted) them. `environment` is what calico-node was told, `version` Calico's.
    """
    if configured is None:
        configured = _configured(sources, root)
    facts: dict[str, Any] = {"interfaces": {}, "configured": configured, "tunnels": [], "paths": []}
    if network is None:
        return MtuGathering(facts, [])
    sources.ok("interfaces")
    devices = {way.device for way in ways.values() if way.kind == "unicast"} or _underlay(network)
    tunnels = [link for link in network.links.values() if link.name in TUNNELS]
    named = [link for link in network.links.values() if link.name in devices or link in tunnels]
    facts["interfaces"] = {link.name: link.mtu for link in named}
    facts["tunnels"] = [_tunnel(link, network) for link in tunnels]
    used = in_use(tunnels, network, bird_tunnels)
    facts["encapsulation"] = encapsulation(used)
    workloads = _workloads(network)
    if workloads:
        facts["workloads"] = workloads
    required = _required(facts)
    if required:
        facts["required"] = required
    facts["automatic"] = mtu_automatic.automatic(network, used, facts, environment or {}, version)
    of_routes = mtu_automatic.routes(ways)
    if of_routes:
        facts["routes"] = of_routes
    paths = classes(network, peers, ways)
    left_out = len(_by_class(network, peers, ways)) - _MOST_CLASSES if len(paths) == _MOST_CLASSES else 0
    if left_out > 0:
        facts["paths_left_out"] = left_out
    return MtuGathering(facts, paths)


def prober(gathering: MtuGathering, timeout: float, sources: Sources) -> PathProber | None:
    """Return the prober that measures the paths; None without paths or raw sockets. Notes the source path_mtu."""
    if not gathering.paths:
        return None
    from .._probe import loop, path_mtu

    return loop.start("path_mtu", lambda: path_mtu.PathProber(gathering.paths, timeout), sources)


def finish(gathering: MtuGathering, results: Iterable[PathResult]) -> None:
    """Write the measured paths into the facts."""
    required = gathering.facts.get("required", 0)
    gathering.facts["paths"] = [_path(result, required) for result in results]


def _by_class(network: Network, peers: Sequence[PeerWay], ways: Mapping[str, Route]) -> dict[str, list[PeerWay]]:
    groups: dict[str, list[PeerWay]] = {}
    for peer in peers:
        way = ways.get(peer.address)
        if way is not None and way.kind == "unicast" and way.device:
            groups.setdefault(_class_of(way, network), []).append(peer)
    return groups


def classes(network: Network, peers: Sequence[PeerWay], ways: Mapping[str, Route]) -> list[Path]:
    """Return one path for each class of way to peers, with up to three peers of it to try.

    A class is a device and a subnet on it, or a device, a gateway and a subnet behind it. Each node begins with the
    peer that follows its own address, so that a whole mesh measures every link's both ends and burdens no one node.
    """
    from .._probe.path_mtu import Path

    groups = _by_class(network, peers, ways)
    paths = []
    for name in sorted(groups, key=lambda name: -len(groups[name]))[:_MOST_CLASSES]:
        members = sorted(groups[name], key=_turn)
        way = ways[members[0].address]
        link = network.link(way.device)
        # What a router told before is to be measured, not believed.
        limit = 0 if way.mtu_kind == "learnt" else way.mtu
        wanted = min(filter(None, (link.mtu if link else 0, limit)), default=0)
        if wanted:
            first = [member.address for member in members if member.established]
            others = [member.address for member in members if not member.established]
            source = members[0].source if network.holds(members[0].source) else way.source
            paths.append(Path(name, (first + others)[:_MOST_PEERS], source, wanted))
    return paths


def in_use(tunnels: Sequence[Link], network: Network, bird_tunnels: Iterable[str]) -> dict[str, str]:
    """Return the tunnel devices in use on this node, and what tells so."""
    used = {name: f"bird.cfg sends routes into {name}" for name in bird_tunnels if name in TUNNELS}
    for link in tunnels:
        if link.up and _addresses(link, network):
            used.setdefault(link.name, f"{link.name} is up and has an address")
    return used


def encapsulation(used: Mapping[str, str]) -> dict[str, Any]:
    """Return kind, overhead and why: the costliest of the encapsulations in use on this node."""
    if not used:
        return {"kind": "none", "overhead": 0, "why": "no tunnel device is in use"}
    name = max(used, key=lambda name: TUNNELS[name][1])
    kind, overhead = TUNNELS[name]
    return {"kind": kind, "overhead": overhead, "why": used[name]}


def parse_cni(text: str) -> int | None:
    """Return the MTU in a CNI configuration (0: taken from Calico's MTU file); None if it sets none or is no JSON."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plugins = config.get("plugins") if isinstance(config, dict) else None
    for plugin in plugins if isinstance(plugins, list) else [config]:
        mtu = plugin.get("mtu") if isinstance(plugin, dict) else None
        if isinstance(mtu, int) and not isinstance(mtu, bool) and 0 <= mtu <= _GREATEST_MTU:
            return mtu
    return None


def _turn(peer: PeerWay) -> tuple[bool, bytes]:
    """Order peers as a ring that begins behind our own address."""
    address, source = octets(peer.address), octets(peer.source)
    return address <= source, address


def _class_of(way: Route, network: Network) -> str:
    if way.gateway:
        return f"{way.device} via {way.gateway} to {_subnet(way.destination, 64 if ':' in way.destination else 24)}"
    for entry in network.addresses:
        # A prefix of the other family's length makes no subnet of this destination.
        if entry.interface == way.device and (":" in entry.address) == (":" in way.destination):
            subnet = _subnet(entry.address, entry.prefix)
            if subnet == _subnet(way.destination, entry.prefix):
                return f"{way.device} on-link {subnet}"
    return f"{way.device} on-link"


def _subnet(address: str, prefix: int) -> str:
    raw = octets(address)
    cut = max(len(raw) * 8 - prefix, 0)
    value = int.from_bytes(raw, "big") >> cut << cut
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    return f"{socket.inet_ntop(family, value.to_bytes(len(raw), 'big'))}/{prefix}"


def _underlay(network: Network) -> set[str]:
    """Return the devices that may lead to other nodes, for want of a peer to ask the route to."""
    return {
        entry.interface
        for entry in network.addresses
        if entry.scope == "global" and not entry.interface.startswith((_WORKLOAD, "lo", "docker", "veth"))
    }


def _addresses(link: Link, network: Network) -> list[str]:
    return [entry.address for entry in network.addresses if entry.interface == link.name and entry.scope == "global"]


def _tunnel(link: Link, network: Network) -> dict[str, Any]:
    fact: dict[str, Any] = {"name": link.name, "kind": link.kind or "unknown", "mtu": link.mtu, "up": link.up}
    addresses = _addresses(link, network)
    if addresses:
        fact["address"] = addresses[0]
    return fact


def _workloads(network: Network) -> dict[str, Any]:
    """Count the pods' interfaces by MTU. `ip address` without -d tells of no interface what kind it is."""
    mtus: dict[str, int] = {}
    for link in network.links.values():
        if link.name.startswith(_WORKLOAD) and link.kind in ("veth", ""):
            mtus[str(link.mtu)] = mtus.get(str(link.mtu), 0) + 1
    return {"count": sum(mtus.values()), "mtus": mtus} if mtus else {}


def _configured(sources: Sources, root: str) -> dict[str, Any]:
    configured: dict[str, Any] = {}
    texts = [text for text in (read_text(root + path, 64).strip() for path in _MTU_FILES) if text]
    if not texts:
        sources.absent("calico_mtu_file", f"There is no readable {_MTU_FILES[0]}.")
    elif is_whole(texts[0]):
        configured["calico_mtu_file"] = int(texts[0])
        sources.ok("calico_mtu_file")
    else:
        sources.unrecognised("calico_mtu_file", f"{_MTU_FILES[0]} holds no number.")
    cni = _cni(sources, root)
    if cni:
        configured["cni"] = cni
    return configured


def _cni(sources: Sources, root: str) -> dict[str, Any]:
    """Return the CNI configuration in force, the first by name, as kubelet and the runtimes take it."""
    for folder in _CNI_FOLDERS:
        for name in sorted(names_in(root + folder)):
            if name.startswith(".") or not name.endswith((".conf", ".conflist")):
                continue
            shown = f"{folder}/{name}"
            text = read_text(root + shown)
            mtu = parse_cni(text)
            if mtu is None and '"mtu"' in text:
                sources.unrecognised("cni_config", f"{shown} could not be read as JSON with a number for the MTU.")
            else:
                sources.ok("cni_config")
            return {"path": shown} if mtu is None else {"path": shown, "mtu": mtu}
    sources.absent("cni_config", f"There is no CNI configuration in {_CNI_FOLDERS[0]}.")
    return {}


def _required(facts: Mapping[str, Any]) -> int:
    """Return what the underlay must carry: the largest MTU a pod has or will get, plus the overhead; 0 if unknown."""
    configured = facts["configured"]
    known = [int(mtu) for mtu in facts.get("workloads", {}).get("mtus", {})]
    known.append(configured.get("cni", {}).get("mtu") or configured.get("calico_mtu_file") or 0)
    overhead: int = facts["encapsulation"]["overhead"]
    return max(known) + overhead if max(known) else 0


def _path(result: PathResult, required: int) -> dict[str, Any]:
    """Return one entry of calico_mtu.paths. A path that carries all our interface lets out may still be too small:
    local."""
    word = "local" if result.result == "ok" and 0 < result.wanted < required else result.result
    fact: dict[str, Any] = {
        "class": result.name,
        "peer": result.peer,
        "wanted": result.wanted,
        "carries": result.carries,
        "result": word,
        "reported_by": result.reported_by,
    }
    if result.detail:
        fact["detail"] = result.detail
    return fact
