# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's facts from texts: of the same shape as the modules return, by the same parsers and assembling functions.

The texts are known by the canonical names of an evidence bundle; a text that is missing is a source that is missing.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ...module_utils._address import settings
from ...module_utils._address.signs import HOLDERS
from ...module_utils._facts import addresses, firewall, grouping, node, other_nodes, overlay_ways
from ...module_utils._facts.sources import Sources
from ...module_utils._host import identity
from ...module_utils._host.processes import ProcessTable
from ...module_utils._probe import reach
from . import (
    asked_tools,
    firewall_ufw,
    lines,
    links,
    log,
    node_captures,
    node_clock,
    node_firewall,
    node_host,
    node_overlay,
    node_programs,
    node_routes,
    node_sizes,
    node_told,
    packet_log,
    routes_asked,
    stand_ins,
    sysctl,
    told_files,
    uname,
)
from . import neighbours as neighbour_texts
from . import overlay_ways as overlay_texts
from . import routes as route_texts
from .node_session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...module_utils._facts.bgp_daemon import Peer
    from ...module_utils._host.links import Network
    from ...module_utils._host.overlay import Learnt
    from ...module_utils._host.routes import Route
    from .node_told import Told

    Facts = dict[str, Any]

NO_PYTHON = "The node has no usable Python: half-open probes cannot be sent from it."
# No place on Earth is further from UTC than this, in seconds.
_FURTHEST_ZONE = 15 * 3600.0
_SERVER_TIME = re.compile(r"Current server time is (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_IMAGE = re.compile(r'"[^"]*"\s*:\s*"([^"]+)"')
_TAG = re.compile(r":(v?\d+\.\d+[^@/]*)(?:@|$)")
_MOST_PEERS = 1000


def facts(texts: Mapping[str, str], name: str, now: float | None = None, log_window: float = 3600.0) -> Facts:
    """Return {"calico_bgp": …, "calico_firewall": …, "calico_mtu": …, "calico_chrony": …, "calico_node": …}.

    `name` is how the node is called where no text says it, `now` when the texts were taken (seconds since 1970, by the
    node's clock): by default what they say themselves. Never raises: what breaks costs its own facts only.
    """
    return Assembly(texts, name, now, log_window).facts()


class Assembly:
    """One node's texts on their way to facts. Mirrors the pass over a node, step by step."""

    def __init__(self, texts: Mapping[str, str], name: str, now: float | None, log_window: float) -> None:
        self.texts, self.name, self.log_window = texts, name, log_window
        self.told = node_told.Told(texts.get(node_told.FILE, ""))
        self.files = told_files.ToldFiles(texts.get(told_files.FILE, ""))
        self.now = now if now is not None else _taken(texts, self.told)
        if now is None and not self.told.is_raw:
            self.log_window += _apart(texts)
        self.sources = {part: Sources() for part in node.PARTS}
        self.network: Network | None = None
        self.table = node_routes.Table(texts)
        self.learnt: Learnt | None = None
        self.overlay: list[overlay_ways.Found] = []
        self.own: dict[str, str] = {}
        self.ways: Mapping[str, Route] = {}
        nobody = ProcessTable([])
        self.processes: ProcessTable = self.sources["node"].guard(
            "processes", lambda: node_told.process_table(self.told, texts), nobody
        )

    def facts(self) -> Facts:
        """Return all parts, stamped as a node stamps them."""
        sources = self.sources["bgp"]
        session = sources.guard("bgp_facts", lambda: Session(self), None)
        found: Facts = {part: {} for part in node.PARTS}
        if session is not None:
            found["bgp"] = session.facts
            peers = session.all_peers()
            self._guarded("node", "netlink", lambda: self._look_around(session, [peer.address for peer in peers]))
            if self.learnt is not None:
                peers += other_nodes.peers(self.learnt, peers, self.own, session.gathering())
            self._guarded("bgp", "probes", lambda: self._reach(session))
            found["firewall"] = self._guarded("firewall", "firewall_facts", lambda: self._firewall(session, peers))
            found["mtu"] = self._guarded("mtu", "mtu_facts", lambda: node_sizes.gather(self, session, peers))
            self._guarded("bgp", "probes", lambda: stand_ins.measured(self.texts, found, self.sources))
            found["node"] = self._guarded("node", "node_facts", lambda: self._identity(session))
            found["node"].update(
                self._guarded("node", "files", lambda: self._below(session, node_host.HostTexts(self, session, found)))
            )
        found["chrony"] = self._guarded("chrony", "chrony_facts", lambda: node_clock.gather(self))
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now))
        found["node"].setdefault("nodename", self.name)
        return {
            f"calico_{part}": {
                "schema": node.SCHEMA,
                **found[part],
                "taken_at": stamp,
                "sources": self.sources[part].as_list(),
            }
            for part in node.PARTS
        }

    def _guarded(self, part: str, name: str, gather: Callable[[], Facts | None]) -> Facts:
        nothing: Facts | None = None
        return self.sources[part].guard(name, gather, nothing) or {}

    def _look_around(self, session: Session, wanted: list[str]) -> None:
        sources = self.sources["node"]
        self.own = dict(session.local_addresses)
        text = self.first("ip-addr.json", "ip-addr.txt")
        more = self.first("ip-link.json", "ip-link.txt")
        if not text and not more:
            sources.absent("netlink", node_told.NO_TEXT)
            return
        parsed = links.parse(text or more)
        self.network = parsed.value
        node_told.note(sources, "netlink", parsed.problems)
        network = parsed.value
        if not session.peers and self.told.is_raw:
            self.learnt = sources.guard("overlay", lambda: node_overlay.learn(self, network), None)
        self.overlay = sources.guard("overlay_ways", lambda: overlay_texts.found(self, network), [])
        learnt = self.learnt.addresses if self.learnt is not None else []
        self.ways = self._ways([*wanted, *learnt], network)
        if self.learnt is not None:
            self.own = other_nodes.own(self.learnt, self.ways, session.gathering())

    def _ways(self, wanted: list[str], network: Network) -> Mapping[str, Route]:
        asked = self.told.value("asked").split()
        if asked:
            answers = routes_asked.parse(self.texts.get("ip-route-get.txt", ""))
            return routes_asked.ways(answers, self.told, "plain", asked)
        return route_texts.look_up(self.table.routes, wanted, network) if self.table.routes else {}

    def _reach(self, session: Session) -> None:
        """Write what is known of the ways to peers in trouble. No SYN probe can be sent without Python."""
        troubled = session.troubled_peers()
        if not troubled:
            return
        self.sources["bgp"].failed("probes", NO_PYTHON if self.told.is_raw else node_told.NO_TEXT)
        targets = [reach.Target(peer.address, peer.port, peer.source, peer.signed) for peer in troubled[:_MOST_PEERS]]
        echoes = {row[0]: row[1] for row in self.told.rows("ping", 2)}
        if echoes:
            self.sources["bgp"].ok("echoes")
        text = self.first("ip-neigh.json", "ip-neigh.txt")
        states = neighbour_texts.states(neighbour_texts.parse(text).value)
        why = NO_PYTHON if self.told.is_raw else node_told.NO_TEXT
        reached = [
            reach.reach_fact(
                target, self.ways.get(target.peer), states.get(target.peer, ""), echoes.get(target.peer, "")
            )
            for target in targets
        ]
        not_tried = [reach.not_tried(target, why) for target in targets]
        for name, entries in (("probes", not_tried), ("peer_reachability", reached)):
            session.facts[name], groups = grouping.fold(entries)
            if groups:
                session.facts[f"{name}_groups"] = groups

    def _firewall(self, session: Session, peers: list[Peer]) -> Facts:
        sources = self.sources["firewall"]
        found = node_firewall.rulesets(self.texts, self.told, sources)
        if found is None:
            return {}
        ports = firewall.listen_ports(session.facts)
        around = firewall.Around(peers, self.network, self.ways, self.own, ports)
        if self.table.routes:
            around = around._replace(pods=self.table.pods)
        if not self.table.tells_makers:
            sources.absent("pods", "No text tells who made the routes, and so not which lead to pods elsewhere.")
        if self.told.is_raw and self.network is not None:
            around = around._replace(programs=lambda interfaces: node_programs.read(self, interfaces))
        gathered = firewall.with_programs(found, around)
        if "pods" not in gathered:
            stopped = {
                "felix_rules": node_firewall.ranges_stopped(found),
                "not_accepted": node_firewall.stopped_ahead_of_calico(found) + node_firewall.closed_to_pods(found),
            }
            gathered.update(_named("invalid_dropped", node_firewall.mostly_invalid(found)))
            drops = node_firewall.forward_drops(found) or firewall_ufw.drops_routed(
                self.texts.get("ufw-status.txt", "")
            )
            gathered.update({"forward_drops": True} if drops else {})
            if any(stopped.values()):
                gathered["pods"] = {name: some for name, some in stopped.items() if some}
        # Half a file of rules would be another set of rules.
        lacking = [] if self.files.is_told else [node_told.NO_TEXT]
        lacking += [f"{path} is too large." for path in self.files.left_out]
        lacking += ["Not all files were told."] if self.files.is_told and not self.files.is_whole else []
        if lacking:
            sources.absent("persistence", lacking[0])
        else:
            firewall.add_persistence(gathered, found, self.files, around)
        return gathered

    def _identity(self, session: Session) -> Facts:
        told = self.told
        uptime = told.number("uptime")
        system = uname.parse(self.texts.get("uname.txt", "")).value
        hostname = told.value("hostname") or (system.hostname if system is not None else "")
        nodename = told.value("nodename") or _nodename(self.texts.get("nodename", ""))
        known = {
            "nodename": nodename or self.name or hostname.lower(),
            "nodename_source": "file" if nodename else "hostname",
            "hostname": hostname,
            "boot_id": told.value("boot"),
            "uptime_seconds": int(uptime) if uptime is not None else None,
            "kernel": told.value("kernel") or (system.release if system is not None else ""),
            "os": identity.parse_os_release(self.texts.get("os-release.txt", "")),
            "privileged": told.is_root if told.is_raw else None,
        }
        found: Facts = {key: value for key, value in known.items() if value not in ("", None)}
        if told.is_raw:
            found["read_without_python"] = True
        found["bgp_addresses"] = dict(session.local_addresses)
        found["calico"] = identity.calico(session.installation, node_told.NOWHERE)
        if self.version():
            found["calico"]["version"] = self.version()
        began, ended = told.number("began"), told.number("ended")
        if began is not None and ended is not None:
            found["taken_at_epoch"] = round(ended, 3)
            found["duration_seconds"] = round(ended - began, 3)
        led = other_nodes.facts(self.learnt, self.own) if self.learnt is not None and self.learnt.nodes else {}
        led.update({"devices": overlay_ways.facts(self.overlay)} if self.overlay else {})
        found.update({"overlay": led} if led else {})
        return found

    def _below(self, session: Session, texts: node_host.HostTexts) -> Facts:
        """Return what the node's files tell, laid out as they lie there."""
        nothing: Facts = {}
        sources, known, network = self.sources["node"], nothing, self.network
        with self.files.laid_out() as root:
            for process in self.processes:
                if isinstance(process, node_told.ToldProcess):
                    process.lies_in(root)
            hardware = identity.hardware(root)
            known = {"hardware": hardware} if hardware else {}
            if self.told.is_raw:
                known.update(sources.guard("names", lambda: identity.names(session.installation, root), nothing))
            if network is not None:
                gathered = sources.guard("addresses", lambda: self._addresses(session, network, root), nothing)
                known.update(gathered)
            host = sources.guard("host", lambda: texts.gather(root), nothing)
            no_captures: list[Facts] = []
            captured = sources.guard("captures", lambda: node_captures.facts(self.texts), no_captures)
            asked = (
                nothing if self.told.is_raw else sources.guard("tools", lambda: asked_tools.facts(self.texts), nothing)
            )
            host.update({"captured": captured} if captured else {}, **({"tools": asked} if asked else {}))
            no_drops: list[Facts] = []
            dropped = sources.guard("logged_drops", lambda: packet_log.facts(self.texts), no_drops)
            of_pods = sources.guard("logged_drops", lambda: packet_log.of_pods(self.texts), no_drops)
            host.update({"logged_drops": dropped} if dropped else {}, **_named("logged_pod_drops", of_pods))
            known.update({"host": host} if host else {})
        return known

    def _addresses(self, session: Session, network: Network, root: str) -> Facts:
        values = sysctl.parse(self.texts.get("sysctl.txt", "")).value
        outward = {row[0]: row[1] for row in self.told.rows("outward", 2)}
        promotes = [f"net.ipv4.conf.{name}.promote_secondaries" for name in ("all", "%s")]
        about = addresses.Around(
            sorted({process.comm for process in self.processes.named(*HOLDERS)}),
            lambda interface: not values or "1" in [values.get(name.replace("%s", interface)) for name in promotes],
            outward.get,
            addresses.told_to_kubelet(self.processes, root),
        )
        own = list(self.own.values())
        environment, sources = self.environment(session), self.sources["node"]
        backend = session.installation.backend
        return addresses.gather(network, own, environment, self.version(), sources, about, backend)

    def environment(self, session: Session) -> dict[str, str] | None:
        """Return what calico-node was told; None if no text tells."""
        return settings.read(session.installation.processes)

    def first(self, *names: str) -> str:
        """Return the first of these texts that is there, '' if none is."""
        return next((self.texts[name] for name in names if self.texts.get(name, "").strip()), "")

    def version(self) -> str:
        return _version(row[0] for row in self.told.rows("image", 1))


def _named(name: str, found: list[Facts]) -> Facts:
    return {name: found} if found else {}


def _taken(texts: Mapping[str, str], told: Told) -> float:
    """Return when the texts were taken: by the script's own word, else by BIRD's clock (taken for UTC), else by the
    last line of a log, else now."""
    ended = told.number("ended")
    if ended is not None:
        return ended
    match = _SERVER_TIME.search(texts.get("birdcl-status.txt") or texts.get("birdcl6-status.txt", ""))
    if match is not None:
        try:
            import calendar

            return float(calendar.timegm(time.strptime(match.group(1), "%Y-%m-%d %H:%M:%S")))
        except ValueError:
            pass
    return _last_line(texts) or time.time()


def _last_line(texts: Mapping[str, str]) -> float | None:
    """Return when the last line of the logs was written: nothing was taken long after it. None if no line tells.

    Stamps without a year (syslog's, klog's) count only where no other line has one: they are taken for the last year's.
    """
    names = (*stand_ins.LOGS, *stand_ins.READ_ELSEWHERE, *stand_ins.further_logs(texts))
    logs = [texts[name] for name in names if texts.get(name, "").strip()]
    told = [log.parse(text).value.last for text in logs]
    if not any(told):
        told = [log.last_of_this_year(text, time.time()) for text in logs]
    return max((moment for moment in told if moment is not None), default=None)


def _apart(texts: Mapping[str, str]) -> float:
    """Return by how much local time and UTC are apart in logs that have both: journald writes the one, without a year,
    before lines in which programs have the other. Lines would be taken for old ones otherwise."""
    most = 0.0
    for name in (*stand_ins.LOGS, *stand_ins.further_logs(texts)):
        last = log.parse(texts[name]).value.last if texts.get(name, "").strip() else None
        local = log.last_of_this_year(texts[name], last) if last is not None else None
        if last is not None and local is not None and abs(last - local) <= _FURTHEST_ZONE:
            most = max(most, abs(last - local))
    return most


def _nodename(text: str) -> str:
    """Return what stands in /var/lib/calico/nodename, '' if the text is nothing like it."""
    printed = lines.printed(text[:1000]).split()
    return printed[0] if len(printed) == 1 else ""


def _version(images: Iterable[str]) -> str:
    for text in images:
        image = _IMAGE.search(text)
        tag = _TAG.search(image.group(1)) if image is not None else None
        if tag is not None:
            return tag.group(1)
    return ""
