# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host's settings and counters: forwarding, reverse path filters, tables that are full, packets lost, load."""

from __future__ import annotations

import os
import time

from .._host import conntrack, counters, forwarding, strain, tunnels
from .._host.processes import read_text
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Dict

    from .._host.forwarding import Settings
    from .._host.links import Network
    from .._host.routes import Route
    from .host import View
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
_NEIGHBOUR_TABLES = {"ipv4": ("arp_cache", "ipv4"), "ipv6": ("ndisc_cache", "ipv6")}
REVERSE_PATH = "IPReversePathFilter"
_CHECKSUMS = {"checksum_errors_tcp": "Tcp", "checksum_errors_udp": "Udp"}


class Started(NamedTuple):
    """Counters as they were when the pass began (monotonic clock): only that they grow tells of a fault of today.
    `strain` are those of strain.counters()."""

    at: float
    totals: dict[str, int]
    strain: Mapping[str, int] | None = None


def begin(proc_root: str = "/proc") -> Started:
    """Read for the first time the counters whose growth gather() reports."""
    return Started(time.monotonic(), _totals(proc_root), strain.counters(proc_root))


def gather_switches(view: View, sources: Sources) -> Facts:
    names = {number: link.name for number, link in view.network.links.items()} if view.network else {}
    settings = forwarding.read(view.connection, names, view.proc_root)
    if not settings:
        sources.failed("host_sysctl", "neither netlink nor /proc/sys/net tells about forwarding")
    workloads = [name for name in names.values() if name.startswith(_WORKLOAD)]
    return switches(
        settings, underlay(view.network, view.ways, view.tunnels), workloads, "ipv6" in view.local_addresses
    )


def switches(settings: Settings, interfaces: Sequence[str], workloads: Sequence[str], ipv6: bool) -> Facts:
    """Return forwarding_off and rp_filter, "all" among the latter if it is set for all interfaces, and rp_filter_all,
    that setting itself. `interfaces` lead to other nodes, `workloads` to pods; IPv6 is looked at only where Calico
    uses it."""
    off: Facts = {}
    for family, used in (("ipv4", True), ("ipv6", ipv6)):
        found = forwarding.not_forwarding(settings.get(family, {}), [*interfaces, *workloads]) if used else []
        if found:
            off[family] = found[:_MOST_NAMED]
    ipv4 = settings.get("ipv4", {})
    strictness = forwarding.filtering(ipv4, [forwarding.ALL, *interfaces])
    everywhere = ipv4[forwarding.ALL].rp_filter if forwarding.ALL in ipv4 else None
    return {"forwarding_off": off, "rp_filter": strictness, "rp_filter_all": everywhere}


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


def gather_losses(view: View, sources: Sources) -> Facts:
    totals, sizes = _totals(view.proc_root), _sizes(view.proc_root)
    if sizes["conntrack"] and not totals.keys() & set(conntrack.COUNTERS):
        sources.absent("host_conntrack", "this kernel has no /proc/net/stat/nf_conntrack, where losses are counted")
    return losses(view.started, totals, time.monotonic(), sizes)


def gather_strain(view: View, sources: Sources) -> Facts:
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
