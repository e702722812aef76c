# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's facts from texts: of the same shape as the modules return, by the same parsers and assembling functions.

The texts are known by the canonical names of an evidence bundle; a text that is missing is a source that is missing.
"""

from __future__ import annotations

import itertools
import re
import time
from typing import TYPE_CHECKING, Any

from ...module_utils._address import settings
from ...module_utils._address.signs import HOLDERS
from ...module_utils._facts import addresses, chrony, firewall, grouping, mtu, node
from ...module_utils._facts.sources import Sources
from ...module_utils._host import identity
from ...module_utils._host.processes import ProcessTable
from ...module_utils._host.routes import Route
from ...module_utils._probe import reach
from ...module_utils._probe.path_mtu import PathResult
from . import links, node_firewall, node_told, uname, words
from . import neighbours as neighbour_texts
from . import routes as route_texts
from .node_session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ...module_utils._facts.bgp_daemon import Peer
    from ...module_utils._host.links import Network
    from ...module_utils._probe.path_mtu import Path
    from .node_told import Told
    from .parsed import Parsed

    Facts = dict[str, Any]

NO_PYTHON = "The node has no usable Python: half-open probes cannot be sent from it."
NO_SIZES = "The node has no usable Python: what paths behind routers carry cannot be measured from it."
NO_HOST = "Texts are not yet read for forwarding, conntrack, kubelet, the container runtime and certificates."
_SERVER_TIME = re.compile(r"Current server time is (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
_IMAGE = re.compile(r'"[^"]*"\s*:\s*"([^"]+)"')
_TAG = re.compile(r":(v?\d+\.\d+[^@/]*)(?:@|$)")
_MOST_PEERS = 1000
_TIME_SERVICES = (
    ("chrony", "chronyc-tracking.txt", "chronyc-sources.txt"),
    ("ntpd", "ntpq.txt"),
    ("timesyncd", "timedatectl.txt"),
)


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
        self.now = now if now is not None else _taken(texts, self.told)
        self.sources = {part: Sources() for part in node.PARTS}
        self.network: Network | None = None
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
            self._guarded("node", "netlink", lambda: self._look_around([peer.address for peer in peers]))
            self._guarded("bgp", "probes", lambda: self._reach(session))
            found["firewall"] = self._guarded("firewall", "firewall_facts", lambda: self._firewall(session, peers))
            found["mtu"] = self._guarded("mtu", "mtu_facts", lambda: self._sizes(session, peers))
            found["node"] = self._guarded("node", "node_facts", lambda: self._identity(session))
        found["chrony"] = self._guarded("chrony", "chrony_facts", self._clock)
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

    def _look_around(self, wanted: list[str]) -> None:
        sources = self.sources["node"]
        text = _first(self.texts, "ip-addr.json", "ip-addr.txt")
        more = _first(self.texts, "ip-link.json", "ip-link.txt")
        if not text and not more:
            sources.absent("netlink", node_told.NO_TEXT)
            return
        parsed = links.parse(text or more)
        self.network = parsed.value
        _note(sources, "netlink", parsed.problems)
        answers = ways_asked(self.texts.get("ip-route-get.txt", ""))
        asked = self.told.value("asked").split()
        if asked:
            self.ways = {address: answers.get(address, Route(address, "none")) for address in asked}
            return
        table = [
            entry
            for text in (_first(self.texts, "ip-route.json", "ip-route.txt"), self.texts.get("ip6-route.txt", ""))
            for entry in route_texts.parse(text).value
        ]
        self.ways = route_texts.look_up(table, wanted, self.network) if table else {}

    def _reach(self, session: Session) -> None:
        """Write what is known of the ways to peers in trouble. No SYN probe can be sent without Python."""
        troubled = session.troubled_peers()
        if not troubled:
            return
        self.sources["bgp"].failed("probes", NO_PYTHON if self.told.is_raw else node_told.NO_TEXT)
        targets = [reach.Target(peer.address, peer.port, peer.source, peer.signed) for peer in troubled[:_MOST_PEERS]]
        echoes = {row[0]: row[1] for row in self.told.rows("ping", 2)}
        text = _first(self.texts, "ip-neigh.json", "ip-neigh.txt")
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
        return {} if found is None else firewall.facts(found, peers, self.network, self.ways, session.local_addresses)

    def _sizes(self, session: Session, peers: list[Peer]) -> Facts:
        sources = self.sources["mtu"]
        ways = [
            mtu.PeerWay(
                peer.address, bool(peer.established), peer.source or session.local_addresses.get(peer.family, "")
            )
            for peer in peers
        ]
        configured = self._configured(sources)
        gathered = mtu.gather(
            self.network,
            ways,
            self.ways,
            session.tunnels,
            sources,
            configured=configured,
            environment=self._environment(session),
            version=self._version(),
        )
        results = list(self._paths(gathered.paths))
        mtu.finish(gathered, results)
        left = len(gathered.paths) - len(results)
        if not self.told.is_raw:
            sources.absent("path_mtu", node_told.NO_TEXT)
        elif left or not gathered.paths:
            sources.failed("path_mtu", NO_SIZES)
        else:
            sources.ok("path_mtu", "measured by ping")
        return gathered.facts

    def _paths(self, paths: Iterable[Path]) -> Iterator[PathResult]:
        """Yield what ping measured along the classes of path that stay on the link."""
        rows = {f"{row[0]} on-link": row for row in self.told.rows("path", 4)}
        for path in paths:
            found = [row for start, row in rows.items() if path.name.startswith(start + " ") or path.name == start]
            if found:
                _device, peer, _size, most = found[0][:4]
                carries = node_told.whole(most) or None
                result = "silent" if carries is None else "ok" if carries >= path.wanted else "smaller"
                yield PathResult(path.name, peer, path.wanted, carries, result)

    def _configured(self, sources: Sources) -> Facts:
        """Return what Calico's MTU file and the CNI configuration say; of the latter only path and MTU travel."""
        configured: Facts = {}
        told = self.told.value("mtu")
        if told.isdecimal():
            configured["calico_mtu_file"] = node_told.whole(told)
            sources.ok("calico_mtu_file")
        else:
            sources.absent(
                "calico_mtu_file",
                "There is no readable /var/lib/calico/mtu." if self.told.is_raw else node_told.NO_TEXT,
            )
        path, _newline, rest = self.texts.get("cni.txt", "").strip().partition("\n")
        if not path:
            sources.absent("cni_config", "There is no CNI configuration." if self.told.is_raw else node_told.NO_TEXT)
            return configured
        size = re.search(r'"mtu" *: *(\d{1,6})\b', rest)
        configured["cni"] = {"path": path, "mtu": int(size.group(1))} if size else {"path": path}
        sources.ok("cni_config")
        return configured

    def _clock(self) -> Facts:
        if not self.told.is_raw and not len(self.processes):
            return self._clock_by_texts()

        def reader_of(service: str) -> chrony.Reader:
            return lambda _timeout, _now: self._time_service(service)

        return chrony.gather(self.processes, self.sources["chrony"], 0.0, reader_of, lambda: None)

    def _clock_by_texts(self) -> Facts:
        """Return what a time service said of itself; which one runs is known only from what was asked."""
        sources = self.sources["chrony"]
        for service, *names in _TIME_SERVICES:
            text = "\n".join(self.texts[name] for name in names if self.texts.get(name, "").strip())
            if not text:
                continue
            parsed = _clock_parser(service, self.now)(text)
            _note(sources, service, parsed.problems if not parsed.value else ())
            if parsed.value:
                return {"service": service, "running": True, "synchronised": None, **parsed.value}
        sources.absent("time_service", node_told.NO_TEXT)
        return {}

    def _time_service(self, service: str) -> tuple[Facts, str]:
        if service == "chrony":
            from ...module_utils._clock import chrony as chronyc

            text = self.texts.get("chronyc-tracking.txt", "") + "\n" + self.texts.get("chronyc-sources.txt", "")
            return chronyc.parse(text, self.now)
        if service == "ntpd":
            from ...module_utils._clock import ntpd

            return ntpd.parse(self.texts.get("ntpq.txt", ""))
        from ...module_utils._clock import timesyncd

        found, trouble = timesyncd.parse(self.texts.get("timedatectl.txt", ""))
        marked = self.told.number("timesync")
        if marked is not None:
            found["synchronised"] = True
            found["last_update_seconds_ago"] = max(int(self.now - marked), 0)
        return found, trouble

    def _identity(self, session: Session) -> Facts:
        told = self.told
        uptime = told.number("uptime")
        system = uname.parse(self.texts.get("uname.txt", "")).value
        hostname = told.value("hostname") or (system.hostname if system is not None else "")
        known = {
            "nodename": told.value("nodename") or self.name or hostname.lower(),
            "nodename_source": "file" if told.value("nodename") else "hostname",
            "hostname": hostname,
            "boot_id": told.value("boot"),
            "uptime_seconds": int(uptime) if uptime is not None else None,
            "kernel": told.value("kernel") or (system.release if system is not None else ""),
            "os": identity.parse_os_release(self.texts.get("os-release.txt", "")),
            "privileged": told.is_root if told.is_raw else None,
        }
        found: Facts = {key: value for key, value in known.items() if value not in ("", None)}
        if self.network is not None:
            found.update(self._addresses(session, self.network))
        found["bgp_addresses"] = dict(session.local_addresses)
        self.sources["node"].absent("host", NO_HOST)
        found["calico"] = identity.calico(session.installation, node_told.NOWHERE)
        if self._version():
            found["calico"]["version"] = self._version()
        began, ended = told.number("began"), told.number("ended")
        if began is not None and ended is not None:
            found["taken_at_epoch"] = round(ended, 3)
            found["duration_seconds"] = round(ended - began, 3)
        return found

    def _addresses(self, session: Session, network: Network) -> Facts:
        # Which way the kernel would send to hosts that are not peers is in no text.
        about = addresses.Around(sorted({process.comm for process in self.processes.named(*HOLDERS)}))
        own = list(session.local_addresses.values())
        environment, sources = self._environment(session), self.sources["node"]
        return addresses.gather(network, own, environment, self._version(), sources, about)

    def _environment(self, session: Session) -> dict[str, str] | None:
        """Return what calico-node was told; None if no text tells."""
        return settings.read(session.installation.processes)

    def _version(self) -> str:
        return _version(row[0] for row in self.told.rows("image", 1))


def ways_asked(text: str) -> dict[str, Route]:
    """Return the answers of `ip -o route get`, by the address that was asked for."""
    found = {}
    for line in text.splitlines():
        fields = line.replace("\\", " ").split()
        kind = "unicast"
        if fields and fields[0] in (
            "local",
            "broadcast",
            "anycast",
            "multicast",
            "blackhole",
            "unreachable",
            "prohibit",
        ):
            kind = fields.pop(0)
        address = words.address(fields[0]) if fields else ""
        if not address:
            continue
        named = dict(itertools.pairwise(fields[1:]))
        size = named.get("mtu", "")
        found[address] = Route(
            address, kind, named.get("dev", ""), named.get("via", ""), named.get("src", ""), node_told.whole(size)
        )
    return found


def _taken(texts: Mapping[str, str], told: Told) -> float:
    """Return when the texts were taken: by the script's own word, else by BIRD's clock (taken for UTC), else now."""
    ended = told.number("ended")
    if ended is not None:
        return ended
    match = _SERVER_TIME.search(_first(texts, "birdcl-status.txt", "birdcl6-status.txt"))
    if match is not None:
        try:
            import calendar

            return float(calendar.timegm(time.strptime(match.group(1), "%Y-%m-%d %H:%M:%S")))
        except ValueError:
            pass
    return time.time()


def _clock_parser(service: str, now: float) -> Callable[[str], Parsed[Facts]]:
    from . import chrony as chrony_texts
    from . import ntpq, timedatectl

    if service == "chrony":
        return lambda text: chrony_texts.parse(text, now)
    return ntpq.parse if service == "ntpd" else timedatectl.parse


def _version(images: Iterable[str]) -> str:
    for text in images:
        image = _IMAGE.search(text)
        tag = _TAG.search(image.group(1)) if image is not None else None
        if tag is not None:
            return tag.group(1)
    return ""


def _first(texts: Mapping[str, str], *names: str) -> str:
    """Return the first of these texts that is there, '' if none is."""
    return next((texts[name] for name in names if texts.get(name, "").strip()), "")


def _note(sources: Sources, name: str, problems: Iterable[Any]) -> None:
    told = [f"line {problem.line}: {problem.why}" for problem in problems]
    if told:
        sources.unrecognised(name, "; ".join(told[:3]))
    else:
        sources.ok(name)
