# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this node's packet filters do with BGP of every peer, in both directions, and by which rule."""

from __future__ import annotations

from .._firewall import read
from .._record import NamedTuple
from .packing import family_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from .._firewall.persistence import Files
    from .._firewall.read import Rulesets
    from .._host.bpf_programs import Program
    from .._host.links import Network
    from .._host.pod_routes import Pods
    from .._host.routes import Route
    from .bgp_daemon import Peer
    from .sources import Sources

    Facts = dict[str, Any]

BGP_PORT = 179
_TIMEOUT = 5.0
_MOST_NATIVE = 20
_IPTABLES = ("iptables-legacy", "iptables-nft")
# What goes between nodes beside BGP, in the address families where it occurs: name, IP protocol, destination port.
_BOTH = read.FAMILIES
FLOWS = (
    ("ipip", 4, 0, ("ipv4",)),
    ("udp4789", 17, 4789, _BOTH),  # VXLAN
    ("udp8472", 17, 8472, _BOTH),  # VXLAN as flannel sets it up
    ("udp51820", 17, 51820, ("ipv4",)),  # WireGuard
    ("udp51821", 17, 51821, ("ipv6",)),
    ("tcp5473", 6, 5473, _BOTH),  # Typha
)
# The kind of a peer with whom nobody speaks BGP.
NO_BGP = "no BGP"


class Around(NamedTuple):
    """What must be known of this host to evaluate its filters.

    `peers` are those of both families, `ways` the kernel's routes to them by address, `local_addresses` what this node
    is known by in BGP, by family. `listen_ports` are those on which this node listens for BGP, by family, as far as
    that is known. `pods` gives the pods of a family, `programs` the eBPF programs on interfaces; None if nothing tells
    of them.
    """

    peers: Sequence[Peer]
    network: Network | None
    ways: Mapping[str, Route]
    local_addresses: Mapping[str, str]
    listen_ports: Mapping[str, int] = {}
    pods: Callable[[str], Pods] | None = None
    programs: Callable[[Iterable[str]], list[Program]] | None = None


def gather(params: Mapping[str, Any], sources: Sources, around: Around, root: str = "") -> Facts:
    """Gather calico_firewall, without schema, taken_at and sources.

    `params` may hold timeout (seconds for each program). The host's files are seen below `root`.
    """
    found = read.read(sources, float(params.get("timeout") or _TIMEOUT))
    if found is None:
        return {}
    gathered = with_programs(found, around)
    from .._firewall import persistence

    add_persistence(gathered, found, persistence.Files(root), around)
    return gathered


def with_programs(found: Rulesets, around: Around) -> Facts:
    """Return calico_firewall from what was found, and the eBPF programs; see gather()."""
    programs = _programs(found.sources, around)
    if not programs:
        return facts(found, around)
    from .._firewall import ebpf

    found.bases += ebpf.base_chains(programs)
    gathered = facts(found, around)
    gathered["backends"]["ebpf"] = ebpf.facts(programs)
    return gathered


def _programs(sources: Sources, around: Around) -> list[Program]:
    """Return the eBPF programs on the interfaces that lead to peers, to pods, and into tunnels."""
    if around.programs is None:
        return []
    ask: Callable[[Iterable[str]], list[Program]] = around.programs
    interfaces = {way.device for way in around.ways.values() if way.kind == "unicast" and way.device}
    for pods in map(around.pods, read.FAMILIES) if around.pods is not None else ():
        interfaces.update([*pods.elsewhere, *(pod.interface for pod in pods.here)])
    nothing: list[Program] = []
    found = sources.guard("ebpf", lambda: ask(sorted(interfaces)), nothing)
    # On a pod's interface plain filters are those of the bandwidth plugin, which hand packets to a shaper.
    return [program for program in found if program.is_bpf or not program.interface.startswith("cali")]


def listen_ports(bgp: Facts) -> dict[str, int]:
    """Return by family the port on which BIRD is configured to listen, from calico_bgp."""
    daemons = bgp.get("daemons") or {}
    ports = {family: daemon.get("config", {}).get("listen_port") for family, daemon in daemons.items()}
    return {family: port for family, port in ports.items() if port}


def add_persistence(gathered: Facts, found: Rulesets, files: Files, around: Around) -> None:
    """Put into `gathered` what a reboot changes; `found` is what that was made from."""
    from .._firewall import persistence

    loaders = persistence.loaders(files)
    if loaders or not _all_pass(gathered):
        from . import firewall_persistence

        found.sources.guard(
            "persistence", lambda: firewall_persistence.add(gathered, found, loaders, files, around), None
        )
    # What ufw keeps bears its comment in ufw's files only.
    of_ufw = any(loader.service == "ufw" for loader in loaders)
    stops = not _all_pass(gathered) or "answers" in gathered.get("tcp179", {})
    if found.marked or of_ufw or (loaders and stops):
        from . import firewall_own

        found.sources.guard("own_rules", lambda: firewall_own.add(gathered, found, loaders, files), None)


def _all_pass(gathered: Facts) -> bool:
    """Say whether nothing is blocked now: if nothing is loaded at boot, nothing will be then, either."""
    bgp, flows = gathered.get("tcp179", {}), gathered.get("flows", {})
    entries = [entry for way in ("inbound", "outbound") for one in (bgp, flows) for entry in one.get(way, ())]
    return all(entry["verdict"] == "accept" for entry in entries)


def facts(found: Rulesets, around: Around) -> Facts:
    """Return calico_firewall from what was found; see gather()."""
    if not found.bases:
        return {**_census(found), **_all_accepted(around)}
    from . import firewall_verdicts

    facts = {**_census(found), **firewall_verdicts.verdicts(found, around)}
    if around.pods is not None and around.network is not None:
        from . import firewall_pods

        nothing: Facts = {}
        pods, known, own = around.pods, around.network, around.local_addresses
        between = found.sources.guard("pods", lambda: firewall_pods.verdicts(found, known, pods, own), nothing)
        facts.update(between)
    return facts


def _census(found: Rulesets) -> Facts:
    backends: Facts = {backend.replace("-", "_"): {"rules": count} for backend, count in sorted(found.rules.items())}
    if found.native:
        backends["nftables"] = {"foreign_base_chains": found.native[:_MOST_NATIVE]}
    facts: Facts = {"backends": backends, "owners": []}
    if found.tables:
        from .._firewall import owners

        facts["owners"] = owners.seen((table.name, table.chains) for table in found.tables)
    if all(found.rules.get(backend) for backend in _IPTABLES):
        from .._firewall import census

        for backend, seen in census.owners_by_backend(found.tables).items():
            if seen and backend in _IPTABLES:
                backends[backend.replace("-", "_")]["owners"] = seen
    return facts


def _all_accepted(around: Around) -> Facts:
    """Return the verdicts where nothing filters: those that firewall_verdicts would come to, too."""
    plain = [peer for peer in around.peers if peer.family == family_of(peer.address.partition("%")[0])]
    bgp = [peer.family for peer in plain if peer.kind != NO_BGP]
    tcp179: Facts = {
        way: [
            {"verdict": "accept", "count": bgp.count(family), "family": family}
            for family in read.FAMILIES
            if family in bgp
        ]
        for way in ("inbound", "outbound")
    }
    tcp179.update(other_ports(around))
    present = {peer.family for peer in plain}
    flows = [name for name, _protocol, _port, families in FLOWS if not present.isdisjoint(families)]
    return {"tcp179": tcp179, "flows": {"accepted": flows}} if present else {"tcp179": tcp179}


def other_ports(around: Around) -> Facts:
    """Return tcp179's key listen_ports, if this node listens on others than BGP's own."""
    others = {family: port for family, port in around.listen_ports.items() if port != BGP_PORT}
    return {"listen_ports": others} if others else {}
