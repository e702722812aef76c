# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other network plugins, or an earlier Calico, left on hosts where Calico is to be installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import commands, words
from .._evidence import plain
from . import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Host, Scene

CALICOS_FILE = "10-calico.conflist"
_FOLDER = "/etc/cni/net.d"
_MOST_FILES = 4
_OWN_FILES = ("calico", "canal")


def findings(scene: Scene) -> list[dict[str, Any]]:
    """What is left over on these hosts."""
    found: list[dict[str, Any]] = []
    for check in (_running, _files, _of_others, _rules, _of_calico):
        found += check(scene)
    return found


def _others(host: Host) -> dict[str, dict[str, Any]]:
    found = told.part(host, "calico_node", "host", "other_plugins")
    return {name: plain.mapping(one) for name, one in found.items()}


def _expected(scene: Scene, plugin: str) -> bool:
    """Canal has flannel carry pods' packets."""
    return plugin in ("flannel", "bridge") and "canal" in scene.flavours and bool(scene.planned.get("flavour"))


def _running(scene: Scene) -> Iterator[dict[str, Any]]:
    hosts: dict[str, list[str]] = {}
    for host in told.read_hosts(scene):
        for plugin, one in _others(host).items():
            if one.get("running") and not _expected(scene, plugin):
                hosts.setdefault(plugin, []).append(host.name)
    for plugin, names in hosts.items():
        yield from told.together(
            "preflight.other_plugin_running",
            "major",
            dict.fromkeys(names, f"the daemon of {plugin} runs"),
            f"The network plugin {plugin} runs on {{hosts}}.",
            f"Remove {plugin} from the cluster first, or plan Calico for policies only beside it.",
            {name: [f"ps -eo pid,args | grep -i {plugin}"] for name in names},
            "processes",
            title="Another network plugin runs",
            means="Two plugins give out addresses, program routes and filter packets, each as if it were alone.",
        )


def _first(host: Host) -> str:
    """The first file of a CNI configuration that is not Calico's: kubelet's runtime takes the first by name."""
    cni = told.part(host, "calico_node", "host", "cni")
    files = [name for name in plain.texts(cni.get("files")) if not any(own in name for own in _OWN_FILES)]
    return min(files, default="")


def _files(scene: Scene) -> Iterator[dict[str, Any]]:
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for host in told.read_hosts(scene):
        name = _first(host)
        folder = plain.text(told.part(host, "calico_node", "host", "cni").get("folder") or "") or _FOLDER
        if name:
            (before if name < CALICOS_FILE else after)[host.name] = f"{folder}/{name}"
    for hosts, severity, says in (
        (before, "major", f"comes before Calico's ({CALICOS_FILE}), so that pods get another plugin's network"),
        (after, "minor", f"comes after Calico's ({CALICOS_FILE}), and pods get that network until Calico is there"),
    ):
        yield from told.together(
            "preflight.cni_leftovers",
            severity,
            hosts,
            f"A CNI configuration of another plugin on {{hosts}} {says}.",
            "Remove the file when nothing uses it any more; pods that are there keep their network until made anew.",
            {name: [f"sudo mv {commands.word(path, 'FILE')} /root/"] for name, path in hosts.items()},
            "cni",
            title="CNI configurations of another plugin are left",
            means="The container runtime takes the first configuration by name.",
        )


def _of_others(scene: Scene) -> Iterator[dict[str, Any]]:
    found: dict[str, dict[str, str]] = {}
    for host in told.read_hosts(scene):
        for plugin, one in _others(host).items():
            interfaces = plain.texts(one.get("interfaces"))
            if interfaces and not one.get("running") and not _expected(scene, plugin):
                found.setdefault(plugin, {})[host.name] = words.listed(interfaces)
    for plugin, hosts in found.items():
        first = next(iter(hosts.values()), "").partition(",")[0].partition(" ")[0]
        yield from told.together(
            "preflight.interfaces_left",
            "minor",
            hosts,
            f"Interfaces of {plugin} are left on {{hosts}}: {next(iter(hosts.values()), '')}.",
            "Delete them, or reboot the host, once nothing uses them: their routes and addresses lead astray.",
            {name: [f"sudo ip link delete {commands.word(first, 'DEVICE')}"] for name in hosts},
            "interfaces",
            title="Interfaces of another plugin are left",
            means="Their subnets keep routes of their own, and autodetection may take their addresses.",
        )


def _rules(scene: Scene) -> Iterator[dict[str, Any]]:
    found: dict[str, dict[str, str]] = {}
    for host in told.read_hosts(scene):
        for plugin, one in _others(host).items():
            if one.get("rules") and not one.get("running") and not _expected(scene, plugin):
                found.setdefault(plugin, {})[host.name] = f"chains or rules of {plugin}"
    for plugin, hosts in found.items():
        yield from told.together(
            "leftover_iptables_rules",
            "minor",
            hosts,
            f"Rules of {plugin}, which does not run there, are left in the packet filters of {{hosts}}.",
            "Remove them, best by a reboot; a rule that drops or masquerades goes on doing it.",
            {name: ["sudo iptables-save | grep -iE 'FLANNEL|WEAVE|CILIUM|KUBE-ROUTER|CNI-'"] for name in hosts},
            "iptables",
        )


def _of_calico(scene: Scene) -> Iterator[dict[str, Any]]:
    left: dict[str, str] = {}
    lines: dict[str, list[str]] = {}
    for host in told.read_hosts(scene):
        if told.runs_calico(host):
            continue
        said, typed = _left(host)
        if said:
            left[host.name], lines[host.name] = "; ".join(said), typed
    yield from told.together(
        "preflight.calico_leftovers",
        "minor",
        left,
        "An earlier Calico left something on {hosts}.",
        "Remove it before Calico is installed anew. A reboot clears interfaces, routes and rules, but no files.",
        lines,
        "host",
        title="An earlier Calico left something behind",
        means="Old routes lead pods' packets astray, old rules filter by policies that are gone, an old configuration "
        "makes kubelet believe that there is a network.",
    )


def _left(host: Host) -> tuple[list[str], list[str]]:
    """What of Calico's is left on a host, and what removes it."""
    own = plain.mapping(told.readiness(host).get("calico_left"))
    interfaces, files = plain.texts(own.get("interfaces")), plain.texts(own.get("files"))
    tables = told.part(host, "calico_node", "host", "routes").values()
    routes = sum(plain.count(plain.mapping(one).get(kind)) for one in tables for kind in ("bird", "felix"))
    said, typed = [], []
    if interfaces:
        said.append(f"interfaces {words.listed(interfaces)}")
        typed.append(f"sudo ip link delete {commands.word(interfaces[0], 'DEVICE')}")
    if files:
        said.append(f"files {words.listed(files)}")
        typed.append(f"sudo rm -r {' '.join(commands.word(path, 'FILE') for path in files[:_MOST_FILES])}")
    if routes:
        said.append(words.plural(routes, "route"))
        typed.append("sudo ip route flush proto bird; sudo ip route flush proto 80")
    if "calico" in plain.texts(told.part(host, "calico_firewall").get("owners")):
        said.append("rules in the packet filters")
        typed.append("sudo iptables-save | grep -c cali-   # a reboot clears them")
    return said, typed
