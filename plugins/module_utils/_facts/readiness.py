# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host must be like before Calico is installed there, or upgraded, and what nobody asks of one that runs it.

All of it is read, nothing is run, loaded or sent. It is asked for in preflight only, so that every other pass over a
node is as short as before.
"""

from __future__ import annotations

import os
from functools import partial

from .._host import held_ports, kernel_features, machine, sysctl_files
from .._host.identity import NODENAME_FILES
from .._host.processes import read_text, resolve_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Dict

    from .host import View
    from .sources import Sources

    Facts = Dict[str, Any]

# Settings that Calico depends on, and that a file sets back at the next boot or `sysctl --system`.
SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.ipv4.conf.default.rp_filter",
    "net.ipv6.conf.all.disable_ipv6",
)
_OWN_INTERFACES = ("cali", "vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali")
_IPIP = "tunl0"
_OWN_FILES = (
    *NODENAME_FILES,
    "/etc/cni/net.d/10-calico.conflist",
    "/etc/cni/net.d/10-canal.conflist",
    "/etc/cni/net.d/calico-kubeconfig",
    "/var/run/calico/bird.ctl",
)
_IPTABLES = ("/usr/sbin/iptables", "/sbin/iptables", "/usr/bin/iptables")
_MOST_ROUTES = 24
_MOST_INTERFACES = 8
_MOST_REACHED = 4
_LIMIT = 1 << 18


def gather(view: View, sources: Sources, reach: Sequence[str] = ()) -> Facts:
    """Return calico_node.readiness. Notes what could not be read as readiness_<name>.

    `reach` are destinations (addresses, or names that stand in /etc/hosts) of which it is told from which address the
    kernel would send there, as autodetection by can-reach finds it.
    """
    nothing: Facts = {}
    steps = (
        ("machine", lambda: {"machine": machine.identity(_interfaces(view), view.root)}),
        ("saved", lambda: {"saved": saved(view.root)}),
        ("kernel", lambda: _kernel(view)),
        ("ports", lambda: {"ports": held_ports.look(view.processes, _tunnels(view), view.proc_root)}),
        ("routes", lambda: _routes(view, sources)),
        ("calico_left", lambda: {"calico_left": _left(view)}),
        ("iptables", lambda: {"iptables": iptables_tool(view.root)}),
        ("reach", lambda: {"reach": _reach(reach, view.root)}),
    )
    facts: Facts = {}
    for name, step in steps:
        facts.update(sources.guard("readiness_" + name, step, nothing))
    # That no port is held is worth telling: without it nobody knows that anybody looked.
    return {name: value for name, value in facts.items() if value not in ({}, "", None) or name == "ports"}


def _interfaces(view: View) -> list[str]:
    """Return the interfaces that are the host's own: those with an address by which others may know it."""
    if view.network is None:
        return []
    from .addresses import addresses_of

    return [entry["interface"] for entry in addresses_of(view.network, ())["addresses"]]


def saved(root: str = "") -> Facts:
    """Return by setting its value and file, as it will be set when the host starts; what no file sets is left out."""
    from .._change import saved_settings

    found: Facts = {}
    paths = [*sysctl_files.in_order(root), root + sysctl_files.LAST]
    for path in paths:
        content = read_text(path, _LIMIT)
        for key in SETTINGS if content else ():
            line = saved_settings.deciding(content, key)
            # A line for the very key counts, wherever in sysctl.d patterns stand; sysctl.conf is read after all of it.
            if line is not None and (key not in found or found[key]["pattern"] or not line.pattern):
                found[key] = {"value": line.value, "file": path[len(root) :], "pattern": line.pattern}
    return {key: {"value": one["value"], "file": one["file"]} for key, one in found.items()}


def _kernel(view: View) -> Facts:
    """Return kernel_missing (of all that Calico may need, whatever is planned), or that nothing tells."""
    release = view.elsewhere.release if view.elsewhere else os.uname().release
    missing, told = kernel_features.missing(kernel_features.NEEDS, release, view.root, view.proc_root)
    return {"kernel_missing": missing} if told else {"kernel_unknown": True}


def _tunnels(view: View) -> dict[int, str]:
    """Return the VXLAN devices by their UDP ports."""
    if view.network is None or view.connection is None:
        return {}
    from .._host import tunnels

    made = {
        link.name: tunnels.vxlan(view.connection, link) for link in view.network.links.values() if link.kind == "vxlan"
    }
    return {one.port: name for name, one in made.items() if one is not None}


def _routes(view: View, sources: Sources) -> Facts:
    if view.connection is None or view.network is None:
        return {}
    from .._host import other_routes

    connection, network = view.connection, view.network
    found: list[other_routes.Other] = []
    for family in ("ipv4", "ipv6"):
        found += sources.guard(
            f"readiness_routes_{family}", partial(other_routes.read, connection, family, network), []
        )
    texts = list(dict.fromkeys(route.text for route in found if not route.device.startswith(_OWN_INTERFACES)))
    left = len(texts) - _MOST_ROUTES
    return {"routes": texts[:_MOST_ROUTES] or None, "routes_left_out": left if left > 0 else None}


def _left(view: View) -> Facts:
    """Return what is there of Calico where none of it runs: interfaces, files."""
    if view.installation.processes:
        return {}
    links = view.network.links.values() if view.network else ()
    interfaces = [link.name for link in links if link.name.startswith(_OWN_INTERFACES)]
    if view.network and any(one.interface == _IPIP and one.scope == "global" for one in view.network.addresses):
        interfaces.append(_IPIP)  # without an address it only tells that the module is loaded
    files = [path for path in _OWN_FILES if os.path.lexists(view.root + path)]
    facts: Facts = {}
    if interfaces:
        facts["interfaces"] = sorted(interfaces)[:_MOST_INTERFACES]
    if len(interfaces) > _MOST_INTERFACES:
        facts["interfaces_count"] = len(interfaces)
    return dict(facts, **({"files": files} if files else {}))


def iptables_tool(root: str = "") -> str:
    """Return to which backend the host's iptables writes, nft or legacy, by what its link leads to; '' if there is none
    or it does not tell (before 1.8 there is only one)."""
    for path in _IPTABLES:
        if os.path.lexists(root + path):
            name = os.path.basename(resolve_inside(root, path))
            return "nft" if "nft" in name else "legacy" if "legacy" in name else ""
    return ""


def _reach(destinations: Iterable[str], root: str) -> Facts:
    from .addresses import source_of

    wanted = list(dict.fromkeys(destinations))[:_MOST_REACHED]
    found = {destination: source_of(destination, root) for destination in wanted}
    return {destination: source for destination, source in found.items() if source is not None}
