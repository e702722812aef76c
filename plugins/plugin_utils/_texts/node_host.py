# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico_node.host from texts: by the readers of a node, from its files laid out here and what `ip` and sysctl print.

What the kernel tells a node over netlink, texts tell here. Where nobody told a thing, its source is absent: silence is
never taken for "as it should be".
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ...module_utils._facts import host, host_counters, host_ways
from ...module_utils._host import (
    counters,
    forwarding,
    identity,
    kubelet,
    network_managers,
    other_plugins,
    route_table,
    rules,
)
from ...module_utils._host import tunnels as tunnel_devices
from ...module_utils._host.links import Network
from . import (
    host_tools,
    ip_rules,
    neighbours,
    node_control,
    node_routes,
    node_told,
    routes_asked,
    stand_ins,
    sysctl,
    systemctl_status,
    tunnels,
)
from .told_files import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .node import Assembly
    from .node_session import Session
    from .told_files import ToldFiles

    Facts = dict[str, Any]

_TEXTS = (
    FILE,
    "sysctl.txt",
    "netstat.txt",
    "processes.txt",
    "systemctl-status.txt",
    "ip-rule.txt",
    stand_ins.MODULES,
    *stand_ins.LOGS,
)
_LINKS = ("ip-addr.json", "ip-addr.txt", "ip-link.json", "ip-link.txt")
_NEIGHBOURS = ("ip-neigh.json", "ip-neigh.txt")
_SIZES = ("net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max")
_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
_RULES = {"ipv4": "ip-rule.txt", "ipv6": "ip6-rule.txt"}
_LIMITS = ("net.ipv4.neigh.default.gc_thresh3", "net.ipv6.neigh.default.gc_thresh3")
_BEGAN = "/began"
# What routes tell without the host's addresses, and without there being all of them.
_ALONE = ("blackholes", "unreachable", "conflicts", "dead")
# A release leads to a folder: it may not lead out of it.
_RELEASE = re.compile(r"[\w+~-][\w.+~-]{0,127}\Z")
_ZONE = re.compile(r"([+-])(\d\d)(\d\d)\Z")


class HostTexts:
    """What texts tell of a host, as the steps that stand in for those which ask the kernel. `found` are the parts."""

    def __init__(self, whole: Assembly, session: Session, found: Mapping[str, Facts]) -> None:
        self._whole, self._session, self._firewall = whole, session, found["firewall"]
        self._sources = whole.sources["node"]
        self._files: ToldFiles = whole.files
        told = sysctl.parse(whole.texts.get("sysctl.txt", ""))
        node_told.note_unread(self._sources, "host_sysctl", told.problems)
        self._values: Mapping[str, str] = told.value
        for name in (*_SIZES, *_LIMITS, _LIBERAL):
            if name in self._values:
                self._files.add("/proc/sys/" + name.replace(".", "/"), self._values[name])
        for path, value in ((identity.NODENAME_FILES[0], "nodename"), ("/proc/uptime", "uptime")):
            if whole.told.value(value):
                self._files.add(path, whole.told.value(value))
        node_control.lay_out(whole.texts, self._files)
        if not self._files.is_told:
            stand_ins.lay_out(whole.texts, self._files, whole.now)

    def gather(self, root: str) -> Facts:
        """Return calico_node.host as far as texts tell it; {} (and the source host) if they tell nothing of it. The
        files lie below `root`."""
        texts = self._whole.texts
        names = (*_TEXTS, *_LINKS, *_NEIGHBOURS, *node_routes.NAMES, *host_tools.names(texts))
        if not any(texts.get(name, "").strip() for name in (*names, *stand_ins.further_logs(texts))):
            self._sources.absent("host", node_told.NO_TEXT)
            return {}
        return host.gather(self._view(root), self._sources, self._steps(root))

    def _view(self, root: str) -> host.View:
        """Return what the readers want to know."""
        whole, session, told = self._whole, self._session, self._whole.told
        release = told.value("kernel")
        began, ended = told.number("began"), told.number("ended")
        span = max(ended - began, 0.0) if began is not None and ended is not None else 0.0
        return host.View(
            processes=whole.processes,
            installation=session.installation,
            connection=None,
            network=whole.network,
            ways=whole.ways,
            peers=[peer.address for peer in session.peers],
            local_addresses=whole.own,
            tunnels=session.tunnels,
            firewall=self._firewall,
            started=host_counters.begin(f"{root}{_BEGAN}/proc")._replace(at=time.monotonic() - span),
            root=root,
            proc_root=root + "/proc",
            window=whole.log_window,
            elsewhere=host.Elsewhere(
                whole.now,
                _ahead(told.value("zone")),
                release if _RELEASE.match(release) else "-",
                self._files.read("/journal"),
                self._files.ends,
                node_control.answers(self._files),
            ),
        )

    def _steps(self, root: str) -> dict[str, Callable[[], Facts]]:
        """Return the steps in whose place texts stand: without the node's files also those that read them."""
        found: dict[str, Callable[[], Facts]] = {
            "sysctl": self._sysctl,
            "neighbours": self._neighbours,
            "rules": self._rules,
            "tunnels": self._tunnels,
            "routes": self._routes,
            "offload": self._offload,
            "services": lambda: self._services(root),
        }
        if not self._files.is_told:
            found.update(
                counters=self._counters,
                strain=lambda: self._untold("strain"),
                control_plane=lambda: self._untold("control_plane"),
                network_managers=self._other_plugins,
                cni=lambda: self._untold("cni"),
                certificates=lambda: self._untold("certificates"),
            )
            if not stand_ins.has_modules(self._files):
                found["kernel"] = lambda: self._untold("kernel")
            if not stand_ins.has_logs(self._files):
                found["logs"] = lambda: self._untold("logs")
        return found

    def _untold(self, name: str, why: str = node_told.NO_TEXT) -> Facts:
        self._sources.absent("host_" + name, why)
        return {}

    def _sysctl(self) -> Facts:
        whole = self._whole
        values = dict(self._values)
        if "net.ipv4.ip_forward" in values:
            values.setdefault("net.ipv4.conf.all.forwarding", values["net.ipv4.ip_forward"])
        told = {name.rpartition(".")[2] for name in values if ".conf." in name}
        if not told & {"forwarding", "rp_filter"}:
            return self._untold("sysctl")
        if not {"forwarding", "rp_filter"} <= told:
            self._sources.absent("host_sysctl", "Either forwarding or rp_filter is in no text.")
        # Of an interface whose forwarding nobody told, nothing is to be said.
        for name in self._values:
            if name.endswith(".rp_filter"):
                values.setdefault(name[: -len("rp_filter")] + "forwarding", "1")
        names = [link.name for link in whole.network.links.values()] if whole.network else []
        return host_counters.switches(
            forwarding.from_sysctl(values),
            host_counters.underlay(whole.network, whole.ways, self._session.tunnels),
            [name for name in names if name.startswith("cali")],
            "ipv6" in self._whole.own,
        )

    def _counters(self) -> Facts:
        text = self._whole.texts.get("netstat.txt", "")
        totals = counters.parse(text, "TcpExt", (host_counters.REVERSE_PATH,))
        sizes = [node_told.whole(self._values.get(name, "")) for name in _SIZES if name in self._values]
        known = dict(zip(("count", "max"), sizes, strict=False)) if len(sizes) == len(_SIZES) else {}
        if known and self._values.get(_LIBERAL, "0") != "0":
            known["tcp_be_liberal"] = True
        if not totals or not known:
            self._sources.absent("host_counters", node_told.NO_TEXT)
        return host_counters.losses(host_counters.Started(0.0, totals), totals, 0.0, {"conntrack": known})

    def _neighbours(self) -> Facts:
        text = self._whole.first(*_NEIGHBOURS)
        if not text:
            return self._untold("neighbours")
        parsed = neighbours.parse(text)
        node_told.note_unread(self._sources, "host_neighbours", parsed.problems)
        states = neighbours.states(parsed.value)
        hops = {way.gateway or address for address, way in self._whole.ways.items() if way.kind == "unicast"}
        return {"neighbours": host_ways.failing({hop: states.get(hop, "none") for hop in sorted(hops)})}

    def _rules(self) -> Facts:
        whole, own = self._whole, self._whole.own
        told = [whole.texts.get(name, "") for family, name in _RULES.items() if family == "ipv4" or family in own]
        if not all(told):
            self._untold("rules")
        found = {
            family: [
                rule.text for rule in ip_rules.parse(whole.texts.get(name, "")).value if rule.text not in rules.OWN
            ]
            for family, name in _RULES.items()
            if family == "ipv4" or family in own
        }
        if not any(found.values()):
            return {}
        if whole.network is None:
            return host_ways.rule_facts(found, {})
        asked = whole.told.value("asked_bgp").split()
        if not asked:
            self._untold("rules", "Where these rules lead BGP is in no text.")
        answers = routes_asked.ways(
            routes_asked.parse(whole.texts.get("ip-route-get-bgp.txt", "")), whole.told, "bgp", asked
        )
        answers = {
            address: way
            for address, way in answers.items()
            if address in whole.ways and whole.network.holds(own.get("ipv6" if ":" in address else "ipv4", ""))
        }
        return host_ways.rule_facts(found, rules.led_elsewhere(answers, whole.ways))

    def _tunnels(self) -> Facts:
        network, session = self._whole.network, self._session
        if network is None:
            return {}
        text = self._whole.first(*_LINKS)
        made = {name: one for name, one in tunnels.vxlans(text).items() if name in tunnel_devices.NAMES}
        untold = [
            link.name
            for link in network.links.values()
            if link.kind == "vxlan" and link.name in tunnel_devices.NAMES and link.name not in made
        ]
        if untold:
            self._sources.absent("host_tunnels", f"How {', '.join(untold)} is set up is in no text (ip -d tells it).")
        felix = session.installation.component("felix")
        texts = self._whole.texts
        logs = [texts.get(name, "") for name in (*stand_ins.LOGS, *stand_ins.further_logs(texts))]
        wanted = host_ways.needed_tunnels(
            [link.name for link in network.links.values()],
            session.tunnels,
            session.installation.backend,
            self._files.read(host_ways.FLANNEL_ENV),
            {
                **tunnels.set_up_in_vain(logs),
                **tunnel_devices.reasons(
                    network,
                    host_ways.led_into(self._whole.table.entries()),
                    felix.environ(tunnel_devices.SETTINGS) if felix else {},
                ),
            },
        )
        found = tunnel_devices.troubles(network, wanted, made, self._whole.own.values())
        # What shows no address at all (`ip link`, or its lines with "mtu"), or ends too early, tells nothing of one.
        lacking = {tunnels.cut_off(text)} if network.addresses else set(tunnel_devices.NAMES)
        lacking = lacking - tunnels.without_address(text)
        return {"tunnels": [one for one in found if one["name"] not in lacking or one.get("problem") != "no_address"]}

    def _offload(self) -> Facts:
        network = self._whole.network
        devices = (
            [name for name in (link.name for link in network.links.values()) if name in tunnel_devices.NAMES]
            if network
            else []
        )
        told = {row[0]: row[1] for row in self._whole.told.rows("offload", 2)}
        if not devices:
            return {}
        if not any(told.values()):
            return self._untold("offload", "Who makes the checksums of what tunnel devices send, only ethtool tells.")
        unknown = [name for name in devices if told.get(name, "").partition(" ")[0] not in ("on", "off")]
        return host_ways.offloaded(
            [name for name in devices if told.get(name, "").startswith("on")], unknown, self._sources
        )

    def _routes(self) -> Facts:
        network, table = self._whole.network, self._whole.table
        node_told.note_unread(self._sources, "host_routes", table.problems)
        if not table.routes:
            return {} if network is None else self._untold("routes")
        if network is None:
            return self._routes_alone() if table.tells_makers else {}
        if not table.tells_makers:
            return self._untold("routes", "This node's ip does not print who made a route.")
        found: Facts = {}
        for family in ("ipv4", "ipv6"):
            if family == "ipv4" or "ipv6" in self._whole.own:
                peers = [peer.address for peer in self._session.peers]
                summary = route_table.summary(table.entries(family), network, peers)
                if family in self._session.exports:
                    node_routes.add_missing(summary, self._session.exports[family], family, self._whole)
                if summary:
                    found[family] = summary
        return {"routes": found}

    def _routes_alone(self) -> Facts:
        """Return what routes tell by themselves: which of them lead nowhere. What is on the link is not known, and how
        many there are says nothing where somebody shows some of them."""
        found: Facts = {}
        for family in ("ipv4", "ipv6"):
            told = route_table.summary(self._whole.table.entries(family), Network({}, []), ())
            kept = {name: told[name] for name in _ALONE if name in told}
            if kept:
                found[family] = kept
        return {"routes": found} if found else {}

    def _other_plugins(self) -> Facts:
        whole = self._whole
        if whole.processes.named(*host.NETWORK_MANAGERS):
            self._untold("network_managers", "What the network managers are told stands in no text.")
        names = [link.name for link in whole.network.links.values()] if whole.network else []
        found = host_tools.look(whole.texts)
        others = network_managers.with_addresses(whole.network.addresses) if whole.network else {}
        if others:
            found["network_managers"] = {**found.get("network_managers", {}), **others}
        running = other_plugins.daemons(process.comm for process in whole.processes)
        found["other_plugins"] = other_plugins.look(names, running, (), self._firewall.get("owners") or ())
        return found

    def _services(self, root: str) -> Facts:
        whole, told = self._whole, self._whole.told
        here = whole.processes.network_namespace
        if not told.is_raw and whole.processes.get(1) is None:
            units = systemctl_status.parse(whole.texts.get("systemctl-status.txt", "")).value
            down = next((unit for unit in units if unit.is_down), None)
            if down is not None:
                return {"kubelet": {"running": False, "process": down.shown()}}
            return self._untold("services", "No text lists all processes.")
        seen = {row[0] for row in told.rows("socket", 1)}
        return {
            "kubelet": kubelet.kubelet(whole.processes, here, root),
            "container_runtime": kubelet.runtime(
                whole.processes, here, is_there=seen.__contains__ if told.is_raw else lambda _path: True
            ),
        }


def _ahead(zone: str) -> int:
    """Return by how many seconds "+0130" is before UTC."""
    match = _ZONE.match(zone)
    if match is None:
        return 0
    seconds = int(match.group(2)) * 3600 + int(match.group(3)) * 60
    return -seconds if match.group(1) == "-" else seconds
