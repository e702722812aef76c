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

    from .._host.links import Network
    from .._host.netlink import Netlink
    from .._host.routes import Route
    from .._probe.loop import Prober
    from .._probe.path_mtu import PathProber
    from .._probe.reach import Round
    from .bgp import BgpGathering
    from .bgp_daemon import Peer
    from .mtu import MtuGathering

    Facts = Dict[str, Any]

SCHEMA = 1
PARTS = ("bgp", "firewall", "mtu", "chrony", "node")
_MOST_ADDRESSES = 32
_MOST_TARGETS = 1000
# Interfaces whose addresses are none of the node itself. Those of tunnels are in calico_mtu.
_OF_CONTAINERS = ("br-", "cali", "cbr", "cni", "docker", "lxcbr", "podman", "veth", "virbr")
_OF_SERVICES = ("kube-ipvs", "nodelocaldns")
_OF_TUNNELS = ("flannel", "tunl", "vxlan", "wg-v6.cali", "wireguard.cali")
_NO_NODE_ADDRESS = _OF_CONTAINERS + _OF_SERVICES + _OF_TUNNELS
_SEARCH_SECONDS = 6.0
_PASS_SECONDS = 30.0


def gather(params: Mapping[str, Any], parts: Iterable[str] = PARTS, root: str = "", proc_root: str = "/proc") -> Facts:
    """Return {"calico_<part>": facts} for the wanted parts, JSON types only.

    `params` may hold peers, probe, probe_timeout, probe_rate, timeout, bird_socket, bird6_socket and log_window.
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
        self._ways: Mapping[str, Route] = {}
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
            facts["duration_seconds"] = round(time.monotonic() - self._began, 3)
            facts["cpu_seconds"] = round(sum(os.times()[:4]), 3)
        facts["sources"] = self._sources[part].as_list()
        return facts

    def _look_at_sessions(self) -> None:
        """Do everything for which one must know the peers."""
        from .._bird import discovery
        from . import bgp

        sources = self._sources_for("bgp", "node", "mtu", "firewall")
        session = sources.guard(
            "bgp_facts",
            lambda: bgp.gather(self._params, sources, self._processes, self._proc_root, self._root),
            bgp.BgpGathering({}, [], {}, [], discovery.Installation([], "unknown", ""), "", None),
        )
        self._facts["bgp"] = session.facts
        peers = bgp.all_peers(session)
        more = _more_peers(self._params.get("peers") or (), peers, session)
        self._look_around([peer.address for peer in peers + more])
        self._measure(session, peers, bgp.troubled_peers(session) + more)
        self._part("firewall", lambda: self._firewall(session, peers + more))
        if "bgp" in self._wanted:
            sources.guard("md5_counters", lambda: bgp.finish_md5(session), None)
        self._part("node", lambda: self._identity(session))

    def _part(self, part: str, gather_it: Callable[[], Facts]) -> None:
        """Gather one part if it is wanted and there is time left."""
        if part not in self._wanted:
            return
        if time.monotonic() - self._began > _PASS_SECONDS:
            why = f"Not looked at: the pass had taken {_PASS_SECONDS:.0f} s already."
            self._sources[part].failed(f"{part}_facts", why)
            return
        self._facts[part] = self._sources[part].guard(f"{part}_facts", gather_it, {})

    def _sources_for(self, *parts: str) -> Sources:
        """Return the record of the first part that is wanted: what all parts share is noted there."""
        return self._sources[next(part for part in parts if part in self._wanted)]

    def _look_around(self, addresses: list[str]) -> None:
        """Read interfaces, addresses and the ways to all peers from the kernel."""
        from .._host import links, netlink, routes

        sources = self._sources_for("node", "mtu", "bgp", "firewall")
        try:
            self._connection = netlink.Netlink()
            self._network = links.read(self._connection)
            self._ways = routes.look_up(self._connection, addresses, self._network)
            sources.ok("netlink")
        except OSError as error:
            sources.failed("netlink", f"The kernel does not answer over netlink: {error.strerror or error}.")

    def _measure(self, session: BgpGathering, peers: list[Peer], troubled: list[Peer]) -> None:
        """Send all probes of this pass together: to peers in trouble, and along each class of path."""
        sizes = self._sources["mtu"].guard("mtu_facts", lambda: self._sizes(session, peers), None)
        reached = self._sources["bgp"].guard("probes", lambda: self._reach(troubled), None)
        probers: list[Prober] = list(reached.probers) if reached else []
        walking = self._walk_paths(sizes) if sizes else None
        if walking:
            probers.append(walking)
        if probers:
            from .._probe import loop

            limit = max(reached.seconds if reached else 0.0, _SEARCH_SECONDS if walking else 0.0)
            sources = self._sources["bgp" if reached else "mtu"]
            if not sources.guard("probes", lambda: loop.run(probers, limit), True):
                sources.failed("probes", f"Not all probes were finished within {limit:.1f} s.")
        if reached:
            self._facts["bgp"]["probes"], self._facts["bgp"]["peer_reachability"] = reached.seen()
        if sizes:
            from . import mtu

            mtu.finish(sizes, walking.results if walking else [])
            self._facts["mtu"] = sizes.facts

    def _sizes(self, session: BgpGathering, peers: list[Peer]) -> MtuGathering | None:
        if "mtu" not in self._wanted:
            return None
        from . import mtu

        ways = [
            mtu.PeerWay(
                peer.address, bool(peer.established), peer.source or session.local_addresses.get(peer.family, "")
            )
            for peer in peers
        ]
        return mtu.gather(self._network, ways, self._ways, session.tunnels, self._sources["mtu"], self._root)

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
        return firewall.gather(self._params, sources, peers, self._network, self._ways, session.local_addresses)

    def _clock(self) -> Facts:
        from . import chrony

        return chrony.gather(self._processes, self._sources["chrony"], self._timeout)

    def _identity(self, session: BgpGathering) -> Facts:
        from .._host import identity

        facts = identity.host(self._root, self._proc_root)
        facts.update(_addresses(self._network, session.local_addresses.values()) if self._network else {})
        facts["bgp_addresses"] = dict(session.local_addresses)
        facts["calico"] = identity.calico(session.installation, self._root)
        return facts


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


def _addresses(network: Network, own: Iterable[str]) -> Facts:
    """Return the addresses by which other nodes might know this one, at most 32, those in use for BGP first."""
    used = set(own)
    found = []
    for entry in sorted(network.addresses, key=lambda entry: entry.address not in used):
        link = network.link(entry.interface)
        ordinary = entry.scope == "global" and not entry.interface.startswith(_NO_NODE_ADDRESS)
        if ordinary or entry.address in used:
            fact = {
                "address": entry.address,
                "prefix": entry.prefix,
                "interface": entry.interface,
                "scope": entry.scope,
            }
            found.append(dict(fact, up=bool(link and link.up)))
    facts: Facts = {"addresses": found[:_MOST_ADDRESSES]}
    if len(found) > _MOST_ADDRESSES:
        facts["addresses_left_out"] = len(found) - _MOST_ADDRESSES
    return facts
