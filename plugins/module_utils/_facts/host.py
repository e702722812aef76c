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

from .._host import cni, kubelet
from .._record import NamedTuple
from . import host_counters, host_ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Dict

    from .._bird.discovery import Installation
    from .._bird.exports import Exports
    from .._host import route_table
    from .._host.links import Address, Network
    from .._host.netlink import Netlink
    from .._host.processes import Process, ProcessTable
    from .._host.routes import Route
    from .host_counters import Started
    from .sources import Sources

    Facts = Dict[str, Any]

NETWORK_MANAGERS = {"NetworkManager": "NetworkManager", "systemd-network": "systemd-networkd"}
_CERTIFIED = ("felix", "confd")


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


def gather(view: View, sources: Sources, instead: Mapping[str, Callable[[], Facts]] | None = None) -> Facts:
    """Return calico_node.host. Notes the source host, and each that could not be read as host_<name>. `instead` are
    steps that take the place of those of the same name."""
    steps: tuple[tuple[str, Callable[[], Facts]], ...] = (
        ("sysctl", lambda: host_counters.gather_switches(view, sources)),
        ("counters", lambda: host_counters.gather_losses(view, sources)),
        ("strain", lambda: host_counters.gather_strain(view, sources)),
        ("neighbours", lambda: host_ways.gather_neighbours(view)),
        ("ways", lambda: host_ways.ways_to_peers(view.ways, view.local_addresses)),
        ("rules", lambda: host_ways.gather_rules(view, sources)),
        ("routes", lambda: host_ways.gather_routes(view, sources, listed)),
        ("tunnels", lambda: host_ways.gather_tunnels(view, listed, needed)),
        ("offload", lambda: host_ways.gather_offload(view, sources)),
        ("network_managers", lambda: _network_managers(view)),
        ("kernel", lambda: _kernel(view, sources, needed)),
        ("services", lambda: _services(view)),
        ("kube_proxy", lambda: _kube_proxy(view)),
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


# --- who else has a hand in it ---


def _addresses(view: View) -> Sequence[Address]:
    return view.network.addresses if view.network is not None else ()


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
    if any(one.interface.startswith("cali") and one.family == "ipv4" for one in _addresses(view)):
        from .._host import network_managers

        told = facts.setdefault("network_managers", {})
        told.update(network_managers.with_addresses(_addresses(view)))
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


def _kube_proxy(view: View) -> Facts:
    running = view.processes.named("kube-proxy", "k3s-server", "k3s-agent", "k3s", "kubelite")
    if not running:
        return {}
    from .._host import kube_proxy

    return {"kube_proxy": kube_proxy.look(_ours(view, running))}


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
