# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other network plugins left on this node, or what of theirs runs beside Calico."""

from __future__ import annotations

from .cni import FOLDERS
from .processes import names_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# By plugin: beginnings of its interfaces' names, its daemons, beginnings of its configuration files' names after the
# number.
PLUGINS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "flannel": (("flannel",), ("flanneld",), ("flannel", "canal")),
    "weave": (("weave", "vethwe-", "vxlan-6784"), ("weaver",), ("weave",)),
    "cilium": (("cilium_", "lxc_health"), ("cilium-agent",), ("cilium",)),
    "kube-router": (("kube-bridge", "kube-dummy-if"), ("kube-router",), ("kuberouter", "kube-router")),
    "antrea": (("antrea-gw", "antrea-tun"), ("antrea-agent",), ("antrea",)),
    "ovn-kubernetes": (("ovn-k8s-mp",), ("ovn-controller",), ("ovn-kubernetes",)),
    "romana": ((), ("romana_agent",), ("romana",)),
    "bridge": (("cni0", "cbr0"), (), ()),
}
_MOST_NAMED = 6


def look(
    interfaces: Iterable[str], daemons: Iterable[str], files: Iterable[str], owners: Iterable[str] = ()
) -> dict[str, Any]:
    """Return calico_node.host.other_plugins: by plugin its interfaces, files, rules (it has some in a packet
    filter), and running if its daemon runs (then it is in use, and no leftover). `files` are names of CNI
    configurations, `owners` those of the packet filters' rules."""
    found: dict[str, Any] = {}
    names, running = list(interfaces), set(daemons)
    kept_files, ruling = list(files), set(owners)
    for plugin, (links, programs, beginnings) in PLUGINS.items():
        entry: dict[str, Any] = {}
        held = sorted(name for name in names if links and name.startswith(links))
        if held:
            entry["interfaces"] = held[:_MOST_NAMED]
        kept = sorted(name for name in kept_files if beginnings and _bare(name).startswith(beginnings))
        if kept:
            entry["files"] = kept[:_MOST_NAMED]
        if plugin in ruling:
            entry["rules"] = True
        if running & {name[:15] for name in programs}:
            entry["running"] = True
        if entry:
            found[plugin] = entry
    return found


def configurations(root: str = "") -> list[str]:
    """Return the names of the files in the folders for CNI configurations, also of those put aside by an ending of
    their own (".bak", ".cilium_bak")."""
    found = [name for folder in FOLDERS for name in names_in(root + folder) if ".conf" in name]
    return list(dict.fromkeys(found))


def daemons(comms: Iterable[str]) -> set[str]:
    """Return those of the processes' names that are another plugin's daemon."""
    known = {name[:15] for _links, programs, _files in PLUGINS.values() for name in programs}
    return known.intersection(comms)


def _bare(name: str) -> str:
    """Return "flannel.conflist" of "10-flannel.conflist"."""
    return name.lstrip("0123456789").lstrip("-_").lower()
