# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one pass over a node that all fact modules share: one walk over the processes, one snapshot of the network, one
loop of probes. Each module asks for the parts it wants; what none of them needs is not done, nor imported.

Every part is guarded and the whole has a limit, so that what hangs or breaks costs its own facts and no others.
"""

from __future__ import annotations

import os
import time

from .._host import processes
from . import packing
from .sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Dict

    from .._host.bpf_programs import Program
    from .._host.links import Network
    from .._host.netlink import Netlink
    from .._host.overlay import Learnt
    from .._host.pod_routes import Pods
    from .._host.routes import Route
    from .._probe.loop import Prober
    from .._probe.path_mtu import PathProber
    from .._probe.reach import Round
    from . import overlay_ways
    from .bgp import BgpGathering
    from .bgp_daemon import Peer
    from .host import View
    from .host_counters import Started
    from .mtu import MtuGathering

    Facts = Dict[str, Any]

SCHEMA = 1
PARTS = ("bgp", "firewall", "mtu", "chrony", "node")
_MOST_TARGETS = 1000
_SEARCH_SECONDS = 6.0
_PASS_SECONDS = 30.0
# All others take little, or have limits of their own: what hung before is no reason to leave them out.
_LONG = ("firewall",)


def gather(params: Mapping[str, Any], parts: Iterable[str] = PARTS, root: str = "", proc_root: str = "/proc") -> Facts:
    """Return {"calico_<part>": facts} for the wanted parts, JSON types only.

    `params` may hold peers, probe, probe_timeout, probe_rate, timeout, bird_socket, bird6_socket,
    log_window, readiness and readiness_reach.
    """
    wanted = frozenset(parts)
    one = Pass(params, wanted, root, proc_root)
    try:
        one.run()
    finally:
        one.close()
    return {f"calico_{part}": one.stamped(part) for part in PARTS if part in wanted}


class Pass:
    """One pass. Its steps build on each other, and each leaves something usable when it fails."""

    def __init__(self, params: Mapping[str, Any], wanted: frozenset[str], root: str, proc_root: str) -> None:
        self._params, self._wanted, self._root, self._proc_root = params, wanted, root, proc_root
        self._began = time.monotonic()
        self._timeout = float(params.get("timeout") or 5)
        self._sources = {part: Sources() for part in PARTS}
        self._facts: dict[str, Facts] = {}
        self._connection: Netlink | None = None
        self._network: Network | None = None
        self._pods_of: dict[str, Pods] = {}
        self._learnt: Learnt | None = None
        self._own: dict[str, str] = {}
        self._ways: Mapping[str, Route] = {}
        self._overlay: list[overlay_ways.Found] = []
        self._echoed: overlay_ways.Round | None = None
        self._told: tuple[Facts, dict[str, str] | None] | None = None
        self._counted: Started | None = None
        nobody = processes.ProcessTable([])
        self._processes = self._sources["node"].guard("processes", lambda: processes.walk(proc_root), nobody)

    def run(self) -> None:
        """Do what the wanted parts need."""
        if self._wanted - {"chrony"}:
            self._look_at_sessions()
        self._part("chrony", self._clock)

    def close(self) -> None:
        """Give back what is open."""
        if self._connection is not None:
            self._connection.close()

    def stamped(self, part: str) -> Facts:
        """Return one part's facts with what all parts have in common."""
        taken_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        facts = dict({"schema": SCHEMA, "taken_at": taken_at}, **self._facts.get(part, {}))
        if part == "node":
            # The controller knows when it began to wait and when it was answered: between them lies this moment.
            facts["taken_at_epoch"] = round(time.time(), 3)
            facts["duration_seconds"] = round(time.monotonic() - self._began, 3)
            facts["cpu_seconds"] = round(sum(os.times()[:4]), 3)
        facts["sources"] = self._sources[part].as_list()
        return facts

    def _look_at_sessions(self) -> None:
        """Do everything for which one must know the peers."""
        from .._bird import discovery
        from . import bgp

        if "node" in self._wanted:
            from . import host_counters

            self._counted = host_counters.begin(self._proc_root)
        sources = self._sources_for("bgp", "node", "mtu", "firewall")
        session = sources.guard(
            "bgp_facts",
            lambda: bgp.gather(self._params, sources, self._processes, self._proc_root, self._root),
            bgp.BgpGathering({}, [], {}, [], discovery.Installation([], "unknown", ""), "", None),
        )
        self._facts["bgp"] = session.facts
        peers = bgp.all_peers(session)
        more = _more_peers(self._params.get("peers") or (), peers, session)
        nodes = self._look_around(session, peers + more)
        self._measure(session, peers + more + nodes, bgp.troubled_peers(session) + more)
        self._part("firewall", lambda: self._firewall(session, peers + more + nodes))
        if "bgp" in self._wanted:
            sources.guard("tcp_sockets", lambda: bgp.finish_sockets(session), None)
            sources.guard("md5_counters", lambda: bgp.finish_md5(session), None)
        self._part("node", lambda: self._identity(session))

    def _part(self, part: str, gather_it: Callable[[], Facts]) -> None:
        """Gather one part if it is wanted, and if there is time left for one that may take long."""
        if part not in self._wanted:
            return
        if part in _LONG and time.monotonic() - self._began > _PASS_SECONDS:
            why = f"Not looked at: the pass had taken {_PASS_SECONDS:.0f} s already."
            self._sources[part].failed(f"{part}_facts", why)
            return
        self._facts[part] = self._sources[part].guard(f"{part}_facts", gather_it, {})

    def _sources_for(self, *parts: str) -> Sources:
        """Return the record of the first part that is wanted: what all parts share is noted there."""
        return self._sources[next(part for part in parts if part in self._wanted)]

    def _look_around(self, session: BgpGathering, peers: list[Peer]) -> list[Peer]:
        """Read interfaces, addresses and the ways to all peers from the kernel. Return the other nodes that it knows
        where BIRD tells of none."""
        from .._host import links, netlink, routes

        sources = self._sources_for("node", "mtu", "bgp", "firewall")
        self._own = dict(session.local_addresses)
        nodes: list[Peer] = []
        try:
            self._connection = netlink.Netlink()
            self._network = links.read(self._connection)
            addresses = [peer.address for peer in peers]
            if not session.peers:
                addresses += self._learn(self._connection, self._network)
            self._ways = routes.look_up(self._connection, addresses, self._network)
            if self._learnt is not None:
                from . import other_nodes

                self._own = other_nodes.own(self._learnt, self._ways, session)
                nodes = other_nodes.peers(self._learnt, peers, self._own, session)
            self._overlay = sources.guard("overlay_ways", self._look_at_overlay, [])
            sources.ok("netlink")
        except OSError as error:
            sources.failed("netlink", f"The kernel does not answer over netlink: {error.strerror or error}.")
        return nodes

    def _look_at_overlay(self) -> list[overlay_ways.Found]:
        """Return the VXLAN devices with their ways to other nodes."""
        from .._host import overlay

        if self._connection is None or self._network is None or not overlay.tunnelling(self._network):
            return []
        from . import overlay_ways

        return overlay_ways.read(self._connection, self._network)

    def _learn(self, connection: Netlink, network: Network) -> list[str]:
        """Learn of the other nodes from tunnels and routes; return their addresses."""
        from .._host import overlay
        from .._host.processes import read_text
        from .host_ways import FLANNEL_ENV

        sources = self._sources_for("node", "firewall", "mtu", "bgp")
        flannel = read_text(self._root + FLANNEL_ENV, 4096)
        self._learnt = sources.guard("overlay", lambda: overlay.learn(connection, network, flannel, sources), None)
        return self._learnt.addresses if self._learnt is not None else []

    def _measure(self, session: BgpGathering, peers: list[Peer], troubled: list[Peer]) -> None:
        """Send all probes of this pass together: to peers in trouble, and along each class of path."""
        sizes = self._sources["mtu"].guard("mtu_facts", lambda: self._sizes(session, peers), None)
        reached = self._sources["bgp"].guard("probes", lambda: self._reach(troubled), None)
        probers: list[Prober] = list(reached.probers) if reached else []
        walking = self._walk_paths(sizes) if sizes else None
        if walking:
            probers.append(walking)
        self._echoed = self._sources["node"].guard("overlay_echoes", self._ask_overlay, None)
        probers += self._echoed.probers if self._echoed else []
        if probers:
            from .._probe import loop

            limit = max(reached.seconds if reached else 0.0, _SEARCH_SECONDS if walking or self._echoed else 0.0)
            sources = self._sources["bgp" if reached else "mtu" if walking else "node"]
            if not sources.guard("probes", lambda: loop.run(probers, limit), True):
                sources.failed("probes", f"Not all probes were finished within {limit:.1f} s.")
        if reached:
            from . import grouping

            for name, entries in zip(("probes", "peer_reachability"), reached.seen()):
                self._facts["bgp"][name], groups = grouping.fold(entries)
                if groups:
                    self._facts["bgp"][name + "_groups"] = groups
        if sizes:
            from . import mtu

            mtu.finish(sizes, walking.results if walking else [])
            self._facts["mtu"] = sizes.facts

    def _ask_overlay(self) -> overlay_ways.Round | None:
        if "node" not in self._wanted or not self._overlay or not self._params.get("probe", True):
            return None
        from . import overlay_ways

        return overlay_ways.Round(self._overlay, self._own, self._sources["node"], self._patience())

    def _sizes(self, session: BgpGathering, peers: list[Peer]) -> MtuGathering | None:
        if "mtu" not in self._wanted:
            return None
        from . import mtu

        ways = [
            mtu.PeerWay(peer.address, bool(peer.established), peer.source or self._own.get(peer.family, ""))
            for peer in peers
        ]
        calico, environment = self._calico(session)
        return mtu.gather(
            self._network,
            ways,
            self._ways,
            session.tunnels,
            self._sources["mtu"],
            self._root,
            environment=environment,
            version=str(calico.get("version", "")),
        )

    def _walk_paths(self, sizes: MtuGathering) -> PathProber | None:
        from . import mtu

        sources = self._sources["mtu"]
        if not self._params.get("probe", True):
            sources.absent("path_mtu", "Probing is switched off.")
            return None
        return sources.guard("path_mtu", lambda: mtu.prober(sizes, self._patience(), sources), None)

    def _reach(self, troubled: list[Peer]) -> Round | None:
        if "bgp" not in self._wanted or not troubled:
            return None
        from .._probe import reach

        sources = self._sources["bgp"]
        manner = reach.Manner(
            self._patience(), float(self._params.get("probe_rate") or 1000), bool(self._params.get("probe", True))
        )
        if len(troubled) > _MOST_TARGETS:
            left = len(troubled) - _MOST_TARGETS
            sources.unrecognised("probes_left_out", f"{left} of {len(troubled)} peers in trouble were not looked at.")
        targets = [reach.Target(peer.address, peer.port, peer.source, peer.signed) for peer in troubled[:_MOST_TARGETS]]
        return reach.Round(targets, self._connection, self._network, sources, manner)

    def _patience(self) -> float:
        return float(self._params.get("probe_timeout") or 1.0)

    def _firewall(self, session: BgpGathering, peers: list[Peer]) -> Facts:
        from . import firewall

        sources = self._sources["firewall"]
        ports = firewall.listen_ports(session.facts)
        around = firewall.Around(peers, self._network, self._ways, self._own, ports)
        if self._connection is not None:
            around = around._replace(pods=self._pods, programs=self._programs)
        return firewall.gather(self._params, sources, around, self._root)

    def _pods(self, family: str) -> Pods:
        from .._host import pod_routes

        if family not in self._pods_of:
            self._pods_of[family] = pod_routes.Pods([], {})
            if self._connection is not None and self._network is not None:
                self._pods_of[family] = pod_routes.read(self._connection, family, self._network)
        return self._pods_of[family]

    def _programs(self, interfaces: Iterable[str]) -> list[Program]:
        from .._host import bpf_programs

        if self._connection is None or self._network is None:
            return []
        return bpf_programs.read(self._connection, self._network, interfaces, self._sources["firewall"])

    def _clock(self) -> Facts:
        from . import chrony

        return chrony.gather(self._processes, self._sources["chrony"], self._timeout)

    def _identity(self, session: BgpGathering) -> Facts:
        from .._host import identity

        facts = identity.host(self._root, self._proc_root)
        named: Facts = {}
        installation = session.installation
        facts.update(self._sources["node"].guard("names", lambda: identity.names(installation, self._root), named))
        facts["calico"] = dict(self._calico(session)[0])
        nothing: Facts = {}
        facts.update(self._sources["node"].guard("addresses", lambda: self._addresses(session), nothing))
        facts["bgp_addresses"] = dict(session.local_addresses)
        known = self._overlay_facts()
        facts.update({"overlay": known} if known else {})
        facts["host"] = self._sources["node"].guard("host", lambda: self._host(session), nothing)
        if self._params.get("readiness"):
            facts["readiness"] = self._sources["node"].guard("readiness", lambda: self._readiness(session), nothing)
        return facts

    def _overlay_facts(self) -> Facts:
        facts: Facts = {}
        if self._learnt is not None and self._learnt.nodes:
            from . import other_nodes

            facts.update(other_nodes.facts(self._learnt, self._own))
        if self._overlay:
            from . import overlay_ways

            facts["devices"] = overlay_ways.facts(self._overlay)
            facts.update({"echoes": self._echoed.facts()} if self._echoed else {})
        return facts

    def _addresses(self, session: BgpGathering) -> Facts:
        from . import addresses

        if self._network is None:
            return {}
        calico, environment = self._calico(session)
        own = list(self._own.values())
        about = addresses.around(self._processes, self._root, self._proc_root)
        version = str(calico.get("version", ""))
        sources, backend = self._sources["node"], session.installation.backend
        return addresses.gather(self._network, own, environment, version, sources, about, backend)

    def _calico(self, session: BgpGathering) -> tuple[Facts, dict[str, str] | None]:
        """Return what runs of Calico and what it was told by its environment (None: not known), read once."""
        if self._told is None:
            from .._address import settings
            from .._host import identity

            installation = session.installation
            self._told = identity.calico(installation, self._root), settings.read(installation.processes)
        return self._told

    def _host(self, session: BgpGathering) -> Facts:
        from . import host

        return host.gather(self._view(session), self._sources["node"])

    def _readiness(self, session: BgpGathering) -> Facts:
        from . import readiness

        reach = [str(one) for one in self._params.get("readiness_reach") or ()]
        return readiness.gather(self._view(session), self._sources["node"], reach)

    def _view(self, session: BgpGathering) -> View:
        from . import host, host_counters

        return host.View(
            processes=self._processes,
            installation=session.installation,
            connection=self._connection,
            network=self._network,
            ways=self._ways,
            peers=[peer.address for peer in session.peers],
            local_addresses=self._own,
            tunnels=session.tunnels,
            firewall=self._facts.get("firewall", {}),
            started=self._counted or host_counters.begin(self._proc_root),
            exports=session.exports,
            root=self._root,
            proc_root=self._proc_root,
            window=float(self._params.get("log_window") or 3600),
            timeout=self._timeout,
        )


def _more_peers(given: Iterable[str], known: list[Peer], session: BgpGathering) -> list[Peer]:
    """Return a peer for each given address that BIRD knows nothing of."""
    from .bgp_daemon import Peer

    names = {peer.address for peer in known}
    more = []
    for text in given:
        address = packing.canonical(str(text).strip())
        if address not in names:
            names.add(address)
            family = "ipv6" if ":" in address else "ipv4"
            source = session.local_addresses.get(family, "")
            more.append(Peer("", "other", family, address, 179, source, None, None))
    return more
