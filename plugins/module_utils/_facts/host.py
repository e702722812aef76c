# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host below Calico: what of its settings, tables, tunnels, services and files may stand in a node's way.

What is as it should be is left out. Everything is read from the kernel and from files; a program (journalctl) is run
only where kubelet or Calico do not run. What could not be read stands among the sources.
"""

from __future__ import annotations

import os
import time

from .._host import cni, conntrack, counters, forwarding, kubelet, route_table, tunnels
from .._host.processes import names_in, read_text
from .._record import NamedTuple
from .packing import pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Dict

    from .._bird.discovery import Installation
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
_NETWORK_MANAGERS = {"NetworkManager": "NetworkManager", "systemd-network": "systemd-networkd"}
_FLANNEL_ENV = "/run/flannel/subnet.env"
_NEIGHBOUR_TABLES = {"ipv4": ("arp_cache", "ipv4"), "ipv6": ("ndisc_cache", "ipv6")}
_FAILING = ("failed", "incomplete")
_CERTIFIED = ("felix", "confd")
_REVERSE_PATH = "IPReversePathFilter"


class Started(NamedTuple):
    """Counters as they were when the pass began (monotonic clock): only that they grow tells of a fault of today."""

    at: float
    totals: dict[str, int]


class View(NamedTuple):
    """What the pass knows when it comes to the host. `network` and `connection` are None if the kernel does not answer
    over netlink, `peers` are addresses, `ways` the routes to them, `tunnels` the devices that bird.cfg names."""

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


def begin(proc_root: str = "/proc") -> Started:
    """Read for the first time the counters whose growth gather() reports."""
    return Started(time.monotonic(), _totals(proc_root))


def gather(view: View, sources: Sources) -> Facts:
    """Return calico_node.host. Notes the source host, and each that could not be read as host_<name>."""
    steps: tuple[tuple[str, Callable[[], Facts]], ...] = (
        ("sysctl", lambda: _sysctl(view, sources)),
        ("counters", lambda: _counters(view, sources)),
        ("neighbours", lambda: _neighbours(view)),
        ("ways", lambda: ways_to_peers(view.ways, view.local_addresses)),
        ("tunnels", lambda: _tunnels(view)),
        ("routes", lambda: _routes(view, sources)),
        ("network_managers", lambda: _network_managers(view)),
        ("kernel", lambda: _kernel(view, sources)),
        ("services", lambda: _services(view)),
        ("cni", lambda: _cni(view)),
        ("certificates", lambda: _certificates(view, sources)),
        ("logs", lambda: _logs(view, sources)),
    )
    nothing: Facts = {}
    facts: Facts = {}
    for name, step in steps:
        facts.update(sources.guard("host_" + name, step, nothing))
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
    """Return conntrack, neighbour_tables, reverse_path_dropped: how full tables are, and counters that ever moved, as
    {"total": n, "grew": n}. counted_seconds is the time over which they grew, if one did."""
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
    if _REVERSE_PATH in moved:
        facts["reverse_path_dropped"] = moved[_REVERSE_PATH]
    if any(counter["grew"] for counter in moved.values()):
        facts["counted_seconds"] = round(now - started.at, 1)
    return facts


def _counters(view: View, sources: Sources) -> Facts:
    totals, sizes = _totals(view.proc_root), _sizes(view.proc_root)
    if sizes["conntrack"] and not totals.keys() & set(conntrack.COUNTERS):
        sources.absent("host_conntrack", "this kernel has no /proc/net/stat/nf_conntrack, where losses are counted")
    return losses(view.started, totals, time.monotonic(), sizes)


def _totals(proc_root: str) -> dict[str, int]:
    net = os.path.join(proc_root, "net")
    found = counters.read_netstat(net, (_REVERSE_PATH,))
    found.update(conntrack.losses(proc_root))
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


def _tunnels(view: View) -> Facts:
    if view.network is None:
        return {}
    details = {}
    for link in view.network.links.values():
        if link.kind == "vxlan" and link.name in tunnels.NAMES and view.connection is not None:
            made = tunnels.vxlan(view.connection, link)
            if made is not None:
                details[link.name] = made
    wanted = needed_tunnels(
        [link.name for link in view.network.links.values()],
        view.tunnels,
        view.installation.backend,
        read_text(view.root + _FLANNEL_ENV, 4096),
    )
    return {"tunnels": tunnels.troubles(view.network, wanted, details, view.local_addresses.values())}


def needed_tunnels(
    present: Iterable[str], bird_tunnels: Iterable[str], backend: str, flannel_env: str
) -> dict[str, str]:
    """Return the tunnel devices that this node needs, each with the reason."""
    found = dict.fromkeys(bird_tunnels, "bird.cfg sends routes into it")
    if backend == "vxlan":
        found["vxlan.calico"] = "the networking backend is vxlan"
    # Felix makes these only where they are wanted; tunl0 comes with its module.
    found.update((name, "it is there") for name in present if name in tunnels.NAMES and name != "tunl0")
    values = dict(line.partition("=")[::2] for line in flannel_env.splitlines())
    if values.get("FLANNEL_MTU", "").endswith("50"):
        found.setdefault("flannel.1", f"{_FLANNEL_ENV} leaves room for VXLAN in FLANNEL_MTU")
    return found


def _routes(view: View, sources: Sources) -> Facts:
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
            summary = route_table.summary(entries, view.network, view.peers)
            if summary:
                found[family] = summary
    return {"routes": found}


# --- who else has a hand in it ---


def _network_managers(view: View) -> Facts:
    running = {
        _NETWORK_MANAGERS[process.comm]
        for process in _ours(view, view.processes.named(*_NETWORK_MANAGERS))
        if process.comm in _NETWORK_MANAGERS
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


def _kernel(view: View, sources: Sources) -> Facts:
    from .._host import kernel_features

    wanted = needed_features(view.installation, view.firewall, view.tunnels)
    if not wanted:
        return {}
    missing, told = kernel_features.missing(wanted, os.uname().release, view.root, view.proc_root)
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
        "kubelet": kubelet.kubelet(view.processes, here),
        "container_runtime": kubelet.runtime(view.processes, here, view.root),
    }


def _cni(view: View) -> Facts:
    return {"cni": cni.look(view.root)}


def _certificates(view: View, sources: Sources) -> Facts:
    from .._host import certificates

    parts = [view.installation.component(name) for name in _CERTIFIED]
    owners = [process for process in parts if process is not None]
    owners += _ours(view, view.processes.named("calico-typha"))
    read, concerning = certificates.look(owners, view.root)
    if not read and not concerning:
        sources.absent("host_certificates", "no certificate was found in the usual places, or none may be read")
    return {"certificates": concerning}


# --- logs ---


def _logs(view: View, sources: Sources) -> Facts:
    """Return log: telling lines of calico-node's programs and of kubelet, from files written to within the window."""
    now = time.time()
    fresh = [path for path in _calico_logs(view.root) if _modified(path) >= now - view.window]
    syslogs = [view.root + path for path in ("/var/log/kubelet.log", "/var/log/syslog", "/var/log/messages")]
    kubelets = [path for path in syslogs if _modified(path) >= now - view.window][:1]
    here = view.processes.network_namespace
    stopped = not view.installation.processes or "running" in kubelet.kubelet(view.processes, here)
    journal = stopped and os.path.isdir(view.root + "/run/systemd/system")
    if not (fresh or kubelets or journal):
        return {}
    for path in [path for path in fresh + kubelets if not os.access(path, os.R_OK)]:
        sources.failed("host_logs", f"{path} may not be read")
    from .._host import calico_log, log_lines

    lines = [line for path in fresh for line in calico_log.parse(log_lines.read_tail(path))]
    for path in kubelets:
        lines += calico_log.parse_kubelet(log_lines.read_tail(path), now)
    if journal and not kubelets:
        lines += calico_log.parse_kubelet(_journal(view), now)
    return {"log": [_log_entry(line) for line in calico_log.recent(lines, now, view.window)]}


def _journal(view: View) -> str:
    """Return the end of kubelet's journal, which is in a form that no file reader understands."""
    from .._host import commands

    argv = ["journalctl", "-q", "--no-pager", "-o", "short-iso", "-u", "kubelet", "-n", "400"]
    return commands.run([*argv, "--since", f"-{int(view.window)}s"], view.timeout, 1 << 18).stdout


def _log_entry(line: Any) -> Facts:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(line.at)) if line.at is not None else None
    entry = {"at": at, "component": line.component, "kind": line.kind, "text": line.text}
    if line.times > 1:
        entry["count"] = line.times
    return entry


def _calico_logs(root: str) -> list[str]:
    """Return the newest two logs of calico-node's container, and those that it writes itself where told to."""
    found = []
    pods = f"{root}/var/log/pods"
    for pod in names_in(pods):
        if "_calico-node-" in pod or "_canal-" in pod or "_rke2-canal-" in pod:
            folder = f"{pods}/{pod}/calico-node"
            found += [f"{folder}/{name}" for name in names_in(folder) if name.endswith(".log")]
    found = sorted(found, key=_modified, reverse=True)[:2]
    if not found:
        services = ("felix", "confd", "monitor-addresses", "allocate-tunnel-addrs", "node-status-reporter", "cni")
        found = [f"{root}/var/log/calico/{service}/current" for service in services]
    return found


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _ours(view: View, found: Iterable[Process]) -> list[Process]:
    """Leave out processes of other networks: pods'."""
    here = view.processes.network_namespace
    return [process for process in found if not here or process.network_namespace in ("", here)]
