# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host below Calico: what of its settings, tables, tunnels, services and files may stand in a node's way.

What is as it should be is left out. Everything is read from the kernel and from files; a program (journalctl) is run
only where something is amiss that kubelet's lines explain. What could not be read stands among the sources.
"""

from __future__ import annotations

import os
import time

from .._host import cni, conntrack, counters, forwarding, kubelet, route_table, strain, tunnels
from .._host.processes import read_text
from .._record import NamedTuple
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Dict

    from .._bird.discovery import Installation
    from .._bird.exports import Exports
    from .._host.forwarding import Settings
    from .._host.links import Network
    from .._host.netlink import Netlink
    from .._host.processes import Process, ProcessTable
    from .._host.routes import Route
    from .sources import Sources

    Facts = Dict[str, Any]

_MOST_NAMED = 16
_NEARLY_FULL = 0.8
_WORKLOAD = "cali"
_NO_UNDERLAY = (
    "br-",
    "cali",
    "cbr",
    "cni",
    "docker",
    "flannel",
    "kube-",
    "lo",
    "lxcbr",
    "nodelocaldns",
    "veth",
    "virbr",
)
NETWORK_MANAGERS = {"NetworkManager": "NetworkManager", "systemd-network": "systemd-networkd"}
FLANNEL_ENV = "/run/flannel/subnet.env"
_NEIGHBOUR_TABLES = {"ipv4": ("arp_cache", "ipv4"), "ipv6": ("ndisc_cache", "ipv6")}
_FAILING = ("failed", "incomplete")
KUBELET_LOGS = (
    "/var/log/kubelet.log",
    "/var/lib/rancher/rke2/agent/logs/kubelet.log",
    "/var/log/syslog",
    "/var/log/messages",
)
CALICO_PODS = ("_calico-node-", "_canal-", "_rke2-canal-")
SERVICES = (
    "felix",
    "confd",
    "monitor-addresses",
    "allocate-tunnel-addrs",
    "node-status-reporter",
    "node-services",
    "cni",
)
_CERTIFIED = ("felix", "confd")
REVERSE_PATH = "IPReversePathFilter"
_CHECKSUMS = {"checksum_errors_tcp": "Tcp", "checksum_errors_udp": "Udp"}


class Started(NamedTuple):
    """Counters as they were when the pass began (monotonic clock): only that they grow tells of a fault of today.
    `strain` are those of strain.counters()."""

    at: float
    totals: dict[str, int]
    strain: Mapping[str, int] | None = None


class Elsewhere(NamedTuple):
    """Of another host than the one that this runs on: its time (seconds since the epoch), by how many seconds its local
    time is before UTC, its kernel's release, the end of kubelet's journal, how those logs begin of which only the end
    was read, and by port what the programs of Calico's say of their health."""

    now: float
    ahead: int
    release: str
    journal: str
    ends: Mapping[str, str] = {}
    health: Mapping[int, Facts] = {}


class View(NamedTuple):
    """What the pass knows when it comes to the host. `network` and `connection` are None if the kernel does not answer
    over netlink, `peers` are addresses, `ways` the routes to them, `tunnels` the devices that bird.cfg names.
    `elsewhere` is None on the very host; else its files lie below `root`, and nothing is asked of this one. `exports`
    are what BIRD gives to the kernel, by family."""

    processes: ProcessTable
    installation: Installation
    connection: Netlink | None
    network: Network | None
    ways: Mapping[str, Route]
    peers: Sequence[str]
    local_addresses: Mapping[str, str]
    tunnels: Sequence[str]
    firewall: Mapping[str, Any]
    started: Started
    root: str = ""
    proc_root: str = "/proc"
    window: float = 3600.0
    timeout: float = 5.0
    elsewhere: Elsewhere | None = None
    exports: Mapping[str, Exports] = {}


def begin(proc_root: str = "/proc") -> Started:
    """Read for the first time the counters whose growth gather() reports."""
    return Started(time.monotonic(), _totals(proc_root), strain.counters(proc_root))


def gather(view: View, sources: Sources, instead: Mapping[str, Callable[[], Facts]] | None = None) -> Facts:
    """Return calico_node.host. Notes the source host, and each that could not be read as host_<name>. `instead` are
    steps that take the place of those of the same name."""
    steps: tuple[tuple[str, Callable[[], Facts]], ...] = (
        ("sysctl", lambda: _sysctl(view, sources)),
        ("counters", lambda: _counters(view, sources)),
        ("strain", lambda: _strain(view, sources)),
        ("neighbours", lambda: _neighbours(view)),
        ("ways", lambda: ways_to_peers(view.ways, view.local_addresses)),
        ("rules", lambda: _rules(view, sources)),
        ("routes", lambda: _routes(view, sources, listed)),
        ("tunnels", lambda: _tunnels(view, listed, needed)),
        ("offload", lambda: _offload(view, sources)),
        ("network_managers", lambda: _network_managers(view)),
        ("kernel", lambda: _kernel(view, sources, needed)),
        ("services", lambda: _services(view)),
        ("cni", lambda: _cni(view, sources)),
        ("certificates", lambda: _certificates(view, sources)),
        ("control_plane", lambda: _control_plane(view, sources)),
        ("logs", lambda: _logs(view, facts, sources)),
    )
    nothing: Facts = {}
    facts: Facts = {}
    # What one step leaves for later ones: the routes of Felix and BIRD, the tunnel devices that are needed.
    listed: list[route_table.Entry] = []
    needed: dict[str, str] = {}
    for name, step in steps:
        facts.update(sources.guard("host_" + name, (instead or {}).get(name, step), nothing))
    sources.ok("host")
    return {name: value for name, value in facts.items() if value not in ({}, [], "", None)}


# --- settings and counters ---


def _sysctl(view: View, sources: Sources) -> Facts:
    names = {number: link.name for number, link in view.network.links.items()} if view.network else {}
    settings = forwarding.read(view.connection, names, view.proc_root)
    if not settings:
        sources.failed("host_sysctl", "neither netlink nor /proc/sys/net tells about forwarding")
    workloads = [name for name in names.values() if name.startswith(_WORKLOAD)]
    return switches(
        settings, underlay(view.network, view.ways, view.tunnels), workloads, "ipv6" in view.local_addresses
    )


def switches(settings: Settings, interfaces: Sequence[str], workloads: Sequence[str], ipv6: bool) -> Facts:
    """Return forwarding_off and rp_filter. `interfaces` lead to other nodes, `workloads` to pods; IPv6 is looked at
    only where Calico uses it."""
    off: Facts = {}
    for family, used in (("ipv4", True), ("ipv6", ipv6)):
        found = forwarding.not_forwarding(settings.get(family, {}), [*interfaces, *workloads]) if used else []
        if found:
            off[family] = found[:_MOST_NAMED]
    return {"forwarding_off": off, "rp_filter": forwarding.filtering(settings.get("ipv4", {}), interfaces)}


def underlay(network: Network | None, ways: Mapping[str, Route], in_use: Iterable[str] = ()) -> list[str]:
    """Return the interfaces that lead to peers (without a peer: those with addresses of the host's own), and the tunnel
    devices that are up."""
    if network is None:
        return []
    found = {way.device for way in ways.values() if way.kind == "unicast" and way.device}
    found = found or {
        entry.interface
        for entry in network.addresses
        if entry.scope == "global" and not entry.interface.startswith(_NO_UNDERLAY)
    }
    wanted = {*tunnels.NAMES, *in_use}
    found.update(link.name for link in network.links.values() if link.name in wanted and link.up)
    return sorted(found - {"lo"})


def losses(started: Started, totals: Mapping[str, int], now: float, sizes: Mapping[str, Mapping[str, int]]) -> Facts:
    """Return conntrack, neighbour_tables, reverse_path_dropped, checksum_errors_tcp and …_udp: how full tables are, and
    counters that ever moved, as {"total": n, "grew": n}. counted_seconds is over how long they grew, if one did."""
    moved = {
        name: {"total": total, "grew": max(total - started.totals.get(name, 0), 0)}
        for name, total in totals.items()
        if total
    }
    tracking: Facts = dict(sizes.get("conntrack", {}))
    tracking.update((name, moved[name]) for name in conntrack.COUNTERS if name in moved)
    neighbours: Facts = {}
    for family in _NEIGHBOUR_TABLES:
        table: Facts = dict(sizes.get(family, {}))
        if table.get("entries", 0) < _NEARLY_FULL * table.get("max", 1 << 31):
            table = {}
        if "table_fulls_" + family in moved:
            table["overflows"] = moved["table_fulls_" + family]
        if table:
            neighbours[family] = table
    facts: Facts = {"conntrack": tracking, "neighbour_tables": neighbours}
    if REVERSE_PATH in moved:
        facts["reverse_path_dropped"] = moved[REVERSE_PATH]
    facts.update((name, moved[name]) for name in _CHECKSUMS if name in moved)
    if any(counter["grew"] for counter in moved.values()):
        facts["counted_seconds"] = round(now - started.at, 1)
    return facts


def _counters(view: View, sources: Sources) -> Facts:
    totals, sizes = _totals(view.proc_root), _sizes(view.proc_root)
    if sizes["conntrack"] and not totals.keys() & set(conntrack.COUNTERS):
        sources.absent("host_conntrack", "this kernel has no /proc/net/stat/nf_conntrack, where losses are counted")
    return losses(view.started, totals, time.monotonic(), sizes)


def _strain(view: View, sources: Sources) -> Facts:
    """Return strain: what keeps BIRD from sending its keepalives in time."""
    if not read_text(f"{view.proc_root}/loadavg", 128):
        sources.absent("host_strain", "nothing tells of the host's load")
        return {}
    facts = strain.pressure(view.proc_root, view.root)
    before, now = view.started.strain or {}, strain.counters(view.proc_root)
    facts["interfaces"] = strain.interfaces(underlay(view.network, view.ways, view.tunnels), before, now)
    if "oom_kills" in now:
        grew = max(now["oom_kills"] - before.get("oom_kills", 0), 0) if before else 0
        facts["oom_kills"] = {"total": now["oom_kills"], "grew": grew}
    running = view.installation.processes
    if running:
        facts["calico_node"] = strain.container(view.installation.component("felix") or running[0], view.root)
    return {"strain": {name: value for name, value in facts.items() if value}}


def _totals(proc_root: str) -> dict[str, int]:
    net = os.path.join(proc_root, "net")
    found = counters.read_netstat(net, (REVERSE_PATH,))
    found.update(conntrack.losses(proc_root))
    protocols = read_text(net + "/snmp", 1 << 14)
    for name, group in _CHECKSUMS.items():
        wrong = counters.parse(protocols, group, ("InCsumErrors",))
        found.update((name, value) for value in wrong.values())
    for family, (table, _name) in _NEIGHBOUR_TABLES.items():
        counted = counters.parse_statistics(read_text(f"{net}/stat/{table}"), ("table_fulls",))
        found.update(("table_fulls_" + family, value) for value in counted.values())
    return found


def _sizes(proc_root: str) -> dict[str, dict[str, int]]:
    found = {"conntrack": conntrack.size(proc_root)}
    for family, (table, name) in _NEIGHBOUR_TABLES.items():
        # Every processor's line has the whole table's number of entries; only the first network namespace a limit.
        text = read_text(f"{proc_root}/net/stat/{table}").splitlines()[:2]
        limit = read_text(f"{proc_root}/sys/net/{name}/neigh/default/gc_thresh3", 32).strip()
        entries = counters.parse_statistics("\n".join(text), ("entries",)).get("entries")
        if limit.isdigit() and entries is not None:
            found[family] = {"entries": entries, "max": int(limit)}
    return found


# --- ways to peers ---


def _neighbours(view: View) -> Facts:
    if view.connection is None:
        return {}
    from .._host import neighbours

    hops = {way.gateway or address for address, way in view.ways.items() if way.kind == "unicast"}
    return {"neighbours": failing(neighbours.states(view.connection, hops))}


def failing(states: Mapping[str, str]) -> Facts:
    """Return {"failed": packed, "incomplete": packed} of the next hops to peers by their state in the neighbour
    tables."""
    found = {state: [address for address, seen in states.items() if seen == state] for state in _FAILING}
    return {state: pack(addresses) for state, addresses in found.items() if addresses}


def ways_to_peers(ways: Mapping[str, Route], local_addresses: Mapping[str, str]) -> Facts:
    """Return other_sources (peers to whom the kernel would not use the address that BGP uses, by the one it would use)
    and no_way (peers without an ordinary route, by what there is instead)."""
    others: dict[str, list[str]] = {}
    none: dict[str, list[str]] = {}
    for address, way in ways.items():
        own = local_addresses.get("ipv6" if ":" in address else "ipv4")
        if way.kind != "unicast":
            none.setdefault(way.kind, []).append(address)
        elif own and way.source and way.source != own:
            others.setdefault(way.source, []).append(address)
    return {
        "other_sources": {source: pack(addresses) for source, addresses in list(others.items())[:_MOST_NAMED]},
        "no_way": {kind: pack(addresses) for kind, addresses in none.items()},
    }


def _rules(view: View, sources: Sources) -> Facts:
    """Return rules (by family, beside the kernel's own) and rerouted: the peers whom they lead BGP to another way."""
    if view.connection is None or view.network is None:
        return {}
    from .._host import routes

    families = []
    for family in ("ipv4", "ipv6"):
        if family == "ipv4" or "ipv6" in view.local_addresses:
            try:
                families += [family] if routes.has_rules(view.connection, family) else []
            except OSError as error:
                sources.failed("host_rules", f"the kernel does not list its {family} rules: {error.strerror}")
    if not families:
        return {}
    from .._host import rules

    found = {family: [rule.text for rule in rules.read(view.connection, family)] for family in families}
    return rule_facts(found, rules.rerouted(view.connection, view.network, view.ways, view.local_addresses))


def rule_facts(found: Mapping[str, Sequence[str]], led: Mapping[str, Sequence[str]]) -> Facts:
    """Return rules, rules_left_out and rerouted from the rules by family and the peers by the way they are led."""
    return {
        "rules": {family: texts[:_MOST_NAMED] for family, texts in found.items() if texts},
        "rules_left_out": sum(max(len(texts) - _MOST_NAMED, 0) for texts in found.values()) or None,
        "rerouted": {way: pack(addresses) for way, addresses in list(led.items())[:_MOST_NAMED]},
    }


def _tunnels(view: View, listed: Iterable[route_table.Entry], needed: dict[str, str]) -> Facts:
    if view.network is None:
        return {}
    details = {}
    for link in view.network.links.values():
        if link.kind == "vxlan" and link.name in tunnels.NAMES and view.connection is not None:
            made = tunnels.vxlan(view.connection, link)
            if made is not None:
                details[link.name] = made
    felix = view.installation.component("felix")
    needed.update(
        needed_tunnels(
            [link.name for link in view.network.links.values()],
            view.tunnels,
            view.installation.backend,
            read_text(view.root + FLANNEL_ENV, 4096),
            tunnels.reasons(view.network, led_into(listed), felix.environ(tunnels.SETTINGS) if felix else {}),
        )
    )
    return {"tunnels": tunnels.troubles(view.network, needed, details, view.local_addresses.values())}


def led_into(entries: Iterable[route_table.Entry]) -> set[str]:
    """Return the devices that Felix's routes lead into, in whatever table."""
    return {entry.device for entry in entries if entry.protocol == route_table.FELIX}


def needed_tunnels(
    present: Iterable[str],
    bird_tunnels: Iterable[str],
    backend: str,
    flannel_env: str,
    reasons: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the tunnel devices that this node needs, each with the reason; `reasons` are tunnels.reasons()."""
    found = dict(reasons or {})
    found.update(dict.fromkeys(bird_tunnels, "bird.cfg sends routes into it"))
    if backend == "vxlan":
        found["vxlan.calico"] = "the networking backend is vxlan"
    # Felix makes these only where they are wanted; tunl0 comes with its module.
    for name in present:
        if name in tunnels.NAMES and name != tunnels.IPIP:
            found.setdefault(name, "it is there")
    values = dict(line.partition("=")[::2] for line in flannel_env.splitlines())
    if values.get("FLANNEL_MTU", "").endswith("50"):
        found.setdefault("flannel.1", f"{FLANNEL_ENV} leaves room for VXLAN in FLANNEL_MTU")
    return found


def _routes(view: View, sources: Sources, listed: list[route_table.Entry]) -> Facts:
    if view.connection is None or view.network is None:
        return {}
    found: Facts = {}
    for family in ("ipv4", "ipv6"):
        if family == "ipv4" or "ipv6" in view.local_addresses:
            try:
                entries = route_table.read(view.connection, family, view.network)
            except OSError as error:
                sources.failed("host_routes", f"the kernel does not list its {family} routes: {error.strerror}")
                continue
            listed += entries
            summary = route_table.summary(entries, view.network, view.peers)
            if family in view.exports and view.exports[family].total > summary.get("bird", 0):
                from . import kernel_routes

                lacking = kernel_routes.missing(view.exports[family], entries, view.timeout)
                summary.update({"not_in_kernel": lacking} if lacking else {})
                if lacking is None:
                    sources.failed("host_routes", f"BIRD does not tell which {family} routes it gives to the kernel")
            if summary:
                found[family] = summary
    return {"routes": found}


def _offload(view: View, sources: Sources) -> Facts:
    devices = [link.name for link in view.network.links.values()] if view.network else []
    devices = [name for name in devices if name in tunnels.NAMES]
    if not devices:
        return {}
    from .._host import offload

    return offloaded(*offload.sending(devices), sources)


def offloaded(on: Sequence[str], unknown: Sequence[str], sources: Sources) -> Facts:
    """Return checksum_offload: the devices where it is on. Those that do not tell are noted."""
    if unknown:
        sources.failed("host_offload", f"{', '.join(unknown)} does not tell who makes its checksums")
    return {"checksum_offload": on}


# --- who else has a hand in it ---


def _network_managers(view: View) -> Facts:
    running = {
        NETWORK_MANAGERS[process.comm]
        for process in _ours(view, view.processes.named(*NETWORK_MANAGERS))
        if process.comm in NETWORK_MANAGERS
    }
    facts: Facts = {}
    if running and view.network is not None:
        from .._host import network_managers

        names = {number: link.name for number, link in view.network.links.items()}
        facts["network_managers"] = network_managers.look(running, names, view.root)
    from .._host import other_plugins

    facts["other_plugins"] = other_plugins.look(
        [link.name for link in view.network.links.values()] if view.network else [],
        other_plugins.daemons(process.comm for process in view.processes),
        other_plugins.configurations(view.root),
        view.firewall.get("owners") or (),
    )
    return facts


def _kernel(view: View, sources: Sources, devices: Iterable[str]) -> Facts:
    from .._host import kernel_features

    wanted = needed_features(view.installation, view.firewall, list(dict.fromkeys((*view.tunnels, *devices))))
    if not wanted:
        return {}
    release = view.elsewhere.release if view.elsewhere else os.uname().release
    missing, told = kernel_features.missing(wanted, release, view.root, view.proc_root)
    if not told:
        sources.absent("host_kernel", "neither lists of modules nor the kernel's configuration can be read")
    return {"kernel_missing": missing}


def needed_features(installation: Installation, firewall: Mapping[str, Any], devices: Iterable[str]) -> list[str]:
    """Return the parts of the kernel that are needed here. What Felix filters with is known only by what it made, so
    iptables' parts are asked for unless a table "calico" of nftables is there."""
    from .._host import kernel_features

    backends = firewall.get("backends") or {}
    native = (backends.get("nftables") or {}).get("foreign_base_chains") or []
    by_nftables = any(" calico " in f"{name} " for name in native)
    wanted = kernel_features.needed(devices, by_nftables)
    if installation.component("felix") is None:
        wanted = [name for name in wanted if name in ("ipip", "vxlan", "wireguard")]
    if backends.get("iptables_nft") or by_nftables:
        wanted = [name for name in wanted if name != "ip_tables"]
    return wanted


def _services(view: View) -> Facts:
    here = view.processes.network_namespace
    return {
        "kubelet": kubelet.kubelet(view.processes, here, view.root),
        "container_runtime": kubelet.runtime(view.processes, here, view.root),
    }


def _cni(view: View, sources: Sources) -> Facts:
    found = cni.look(view.root, _now(view))
    path, unread = found.pop("unread", ("", []))
    sources.unread("host_cni", unread, path)
    return {"cni": found}


def _certificates(view: View, sources: Sources) -> Facts:
    from .._host import certificates

    parts = [view.installation.component(name) for name in _CERTIFIED]
    owners = [process for process in parts if process is not None]
    owners += _ours(view, view.processes.named("calico-typha"))
    read, concerning = certificates.look(owners, view.root, _now(view))
    if not read and not concerning:
        sources.absent("host_certificates", "no certificate was found in the usual places, or none may be read")
    return {"certificates": concerning}


# --- control plane and logs ---


def _control_plane(view: View, sources: Sources) -> Facts:
    from . import control_plane

    return control_plane.gather(view, sources)


def _logs(view: View, facts: Facts, sources: Sources) -> Facts:
    from . import host_logs

    return host_logs.gather(view, facts, sources)


def _now(view: View) -> float:
    return view.elsewhere.now if view.elsewhere else time.time()


def _ours(view: View, found: Iterable[Process]) -> list[Process]:
    """Leave out processes of other networks: pods'."""
    here = view.processes.network_namespace
    return [process for process in found if not here or process.network_namespace in ("", here)]
