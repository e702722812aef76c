# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of one BIRD daemon: healthy sessions packed, the others in full."""

from __future__ import annotations

from .._bird import control
from .._bird.replies import kind_of, port_in_name
from .._numbers import is_whole
from .._record import NamedTuple
from .packing import canonical, pack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .._bird.config import Config, Peering
    from .._bird.daemon import OnDisk, Spoken
    from .._bird.discovery import Daemon
    from .._bird.replies import Session

BGP_PORT = 179
_YOUNG = 120.0
_MOST_RECENT = 20
_MOST_UNUSUAL = 20
_MOST_GROUPS = 8
# BIRD offers 240 seconds. Less than this leaves little room for a moment of loss or of want.
_SHORT_HOLD = 90
# BIRD tells times in whole seconds: what it did "2 seconds ago" was less than 3 and more than 1 second ago.
_ROUNDING = 1.0


class Peer(NamedTuple):
    """One peer as this node knows it, configured or running. It serves this pass only and does not travel.

    `source` is the address that the session uses here ('' if left to the kernel), `signed` whether a password is
    configured for it (None: unknown), `established` None if BIRD does not say.
    """

    name: str
    kind: str
    family: str
    address: str
    port: int
    source: str
    signed: bool | None
    established: bool | None


class Look(NamedTuple):
    """What one look at one daemon brought together."""

    daemon: Daemon
    spoken: Spoken
    on_disk: OnDisk | None


def has_anything(look: Look) -> bool:
    """Whether there is a trace of this family's BIRD at all."""
    return look.daemon.process is not None or look.on_disk is not None or look.spoken.state != control.ABSENT


def peers_of(look: Look) -> list[Peer]:
    """Return everybody that this daemon talks to or is configured to talk to."""
    family = look.daemon.family
    peerings = {peering.name: peering for peering in _peerings(look)}
    found = []
    for session in look.spoken.sessions or ():
        peering = peerings.pop(session.name, None)
        found.append(
            Peer(
                session.name,
                session.kind,
                family,
                session.peer,
                _port(session.name, peering),
                session.source or (peering.source if peering else ""),
                peering.password if peering else None,
                session.established,
            )
        )
    for peering in peerings.values():
        kind, port = kind_of(peering.name), _port(peering.name, peering)
        found.append(Peer(peering.name, kind, family, peering.peer, port, peering.source, peering.password, None))
    return [peer for peer in found if peer.address]


def local_address(look: Look) -> str:
    """Return the address that this node is known by in this family's BGP; '' if nothing tells."""
    for peering in _peerings(look):
        if peering.source:
            return peering.source
    for session in look.spoken.sessions or ():
        if session.source:
            return session.source
    if look.on_disk and look.on_disk.config.own_address:
        return look.on_disk.config.own_address
    router_id = look.on_disk.config.router_id if look.on_disk else ""
    if not router_id and look.spoken.status:
        router_id = look.spoken.status.router_id
    # A router id has the form of an IPv4 address also where IPv6 alone is spoken, and is none there.
    return router_id if look.daemon.family == "ipv4" else ""


def facts_of(look: Look, now: float) -> dict[str, Any]:
    """Return the dict that stands under daemons.ipv4 or daemons.ipv6; `now` is the node's clock."""
    facts = _process_facts(look)
    status = look.spoken.status
    if status is not None:
        facts.update(
            _known(
                version=status.version,
                router_id=status.router_id,
                state=status.state,
                booted_seconds_ago=_whole(status.booted_ago),
                reconfigured_seconds_ago=_whole(status.reconfigured_ago),
            )
        )
        if status.waiting_for is not None:
            facts["graceful_restart"] = {"waiting_for": status.waiting_for, "timer": status.wait_timer}
    if look.on_disk is not None:
        facts["config"] = _config_facts(look, look.on_disk, now)
    if look.spoken.sessions is not None:
        facts.update(_session_facts(look, look.spoken.sessions))
    return facts


def _process_facts(look: Look) -> dict[str, Any]:
    process, spoken = look.daemon.process, look.spoken
    facts: dict[str, Any] = {
        "running": process is not None or spoken.state in (control.ANSWERS, control.NO_ANSWER),
        "socket": spoken.socket,
        "socket_state": spoken.state,
        "via": spoken.via,
    }
    if spoken.via == "socket" and _is_hidden(look):
        facts["socket_hidden"] = True
    if process is not None:
        facts.update(
            _known(
                pid=process.pid,
                process=process.comm,
                process_state=process.state,
                argv_config=process.option("c"),
                start_ticks=process.start_ticks,
                started_seconds_ago=_whole(process.started_seconds_ago),
            )
        )
    return facts


def _is_hidden(look: Look) -> bool:
    """Say whether BIRD answers in its own container only: none of the host's usual places has its socket."""
    process = look.daemon.process
    if process is None:
        return False
    own = [place for place in look.daemon.sockets if place.root == process.root]
    others = [place for place in look.daemon.sockets if place.root != process.root]
    return any(place.identity for place in own) and not any(place.identity for place in others)


def _config_facts(look: Look, on_disk: OnDisk, now: float) -> dict[str, Any]:
    config = on_disk.config
    age = max(now - on_disk.modified, 0.0)
    facts = _known(
        path=on_disk.path,
        modified_seconds_ago=_whole(age),
        router_id=config.router_id,
        local_as=config.local_as,
        listen_address=config.listen_address,
        listen_port=config.listen_port or BGP_PORT,
        local_address=local_address(look),
        duplicate_names=config.duplicate_names,
        unbalanced=config.unbalanced,
        missing_files=config.missing,
    )
    facts["disabled"] = config.disabled
    facts["peers"] = len(config.peerings)
    facts.update(_password_facts(config))
    facts.update(_timer_facts(config))
    status = look.spoken.status
    if status is not None and status.reconfigured_ago is not None:
        facts["newer_than_running"] = look.spoken.at - on_disk.modified + _ROUNDING < status.reconfigured_ago
    if look.spoken.sessions is not None:
        facts.update(_differences(config, look.spoken.sessions))
    elif config.peerings:
        facts["peer_addresses"] = pack(peering.peer for peering in config.peerings if peering.peer)
    return facts


def _password_facts(config: Config) -> dict[str, Any]:
    signed = [peering.peer for peering in config.peerings if peering.password]
    if not config.peerings:
        return {}
    if not signed:
        return {"password": "none"}
    if len(signed) == len(config.peerings):
        return {"password": "all"}
    return {"password": "some", "with_password": pack(signed)}


def _timer_facts(config: Config) -> dict[str, Any]:
    """Return hold_times and keepalive_times: the peers for whom others than BIRD's are configured, by seconds."""
    facts: dict[str, Any] = {}
    for name in ("hold_time", "keepalive_time"):
        by_seconds: dict[str, list[str]] = {}
        for peering in config.peerings:
            seconds = getattr(peering, name)
            if seconds is not None:
                by_seconds.setdefault(str(seconds), []).append(peering.peer)
        facts.update(_known(**{name + "s": _packed(by_seconds) or None}))
    return facts


def _packed(groups: dict[str, list[str]]) -> dict[str, Any]:
    return {name: pack(members) for name, members in list(groups.items())[:_MOST_GROUPS]}


def _differences(config: Config, sessions: list[Session]) -> dict[str, Any]:
    """Name the protocols in which the running configuration and the one on disk differ."""
    running = {session.name: session for session in sessions}
    on_disk = {peering.name: peering for peering in config.peerings if peering.name}
    changed = []
    for name in sorted(running.keys() & on_disk.keys()):
        session, peering = running[name], on_disk[name]
        other_as = None not in (session.peer_as, peering.peer_as) and session.peer_as != peering.peer_as
        if other_as or (peering.peer and canonical(session.peer) != canonical(peering.peer)):
            changed.append(name)
    named = {
        "only_on_disk": sorted(on_disk.keys() - running.keys()),
        # A protocol that has no name on disk runs under one that BIRD gave it.
        "only_running": sorted(running.keys() - on_disk.keys()) if len(on_disk) == len(config.peerings) else [],
        "changed": changed,
    }
    facts: dict[str, Any] = {}
    for key, names in named.items():
        if names:
            from . import grouping

            facts[key], packed = grouping.fold_names(names)
            if packed:
                facts[key + "_packed"] = packed
    return facts


def _session_facts(look: Look, sessions: list[Session]) -> dict[str, Any]:
    unusual = [session for session in sessions if session.established and _is_unusual(session)][:_MOST_UNUSUAL]
    listed = {session.name for session in unusual}
    packed: dict[str, list[str]] = {}
    for session in sessions:
        if session.established and session.name not in listed:
            packed.setdefault(session.kind, []).append(session.peer)
    established = [session for session in sessions if session.established]
    ages = [session.since for session in established if session.since is not None]
    peers = _known(
        newest_since_seconds_ago=_whole(min(ages)) if ages else None,
        oldest_since_seconds_ago=_whole(max(ages)) if ages else None,
    )
    peers["total"] = len(sessions)
    peers["established"] = len(established)
    peers["packed"] = {kind: pack(addresses) for kind, addresses in packed.items()}
    peers["routes_imported"] = sum(session.imported for session in established)
    peers["routes_exported"] = sum(session.exported for session in established)
    peers.update(_odd_counts(established))
    peers.update(_known(short_hold_times=_short_hold_times(established) or None))
    peerings = {peering.name: peering for peering in _peerings(look)}
    troubled = [session for session in sessions if not session.established] + unusual
    facts = {"peers": peers, "recent": _recent(look, established), "troubled": []}
    if troubled:
        from . import grouping

        entries = [_troubled(session, peerings.get(session.name)) for session in troubled]
        facts["troubled"], groups = grouping.fold(entries)
        facts.update(_known(troubled_groups=groups))
    return facts


def _odd_counts(established: list[Session]) -> dict[str, Any]:
    """Return routes_filtered, and without_routes: the peers that sent no route, unless that is all or none of them."""
    silent = [session.peer for session in established if not session.imported]
    facts = _known(routes_filtered=sum(session.filtered for session in established) or None)
    if silent:
        facts["without_routes"] = pack(silent) if len(silent) < len(established) else "all"
    return facts


def _short_hold_times(established: list[Session]) -> dict[str, Any]:
    """Return the peers with whom a hold time of less than 90 seconds was agreed on, by seconds."""
    short: dict[str, list[str]] = {}
    for session in established:
        agreed = session.hold_timer.rpartition("/")[2].partition(".")[0]
        if is_whole(agreed) and 0 < int(agreed) < _SHORT_HOLD:
            short.setdefault(agreed, []).append(session.peer)
    return _packed(short)


def _is_unusual(session: Session) -> bool:
    return session.external or session.state != "up" or port_in_name(session.name) is not None


def _recent(look: Look, established: list[Session]) -> list[dict[str, Any]]:
    """Name the sessions that came up a moment ago although BIRD did not."""
    status = look.spoken.status
    if status is None or status.booted_ago is None or status.booted_ago < _YOUNG:
        return []
    young = [(session.since, session.peer) for session in established if session.since is not None]
    young = sorted(pair for pair in young if pair[0] < _YOUNG)[:_MOST_RECENT]
    return [{"peer": peer, "since_seconds_ago": _whole(since)} for since, peer in young]


def _troubled(session: Session, peering: Peering | None) -> dict[str, Any]:
    facts = _known(
        name=session.name,
        kind=session.kind,
        peer=session.peer,
        port=_port(session.name, peering),
        state=session.state,
        bgp_state=session.bgp_state,
        last_error=session.last_error,
        since_seconds_ago=_whole(session.since),
        neighbor_as=session.peer_as,
        hold_timer=session.hold_timer,
        timers=session.timers or None,
        routes_imported=session.imported or None,
        routes_exported=session.exported or None,
        routes_filtered=session.filtered or None,
        neighbor_id=session.peer_id,
        restarting=session.restarting or None,
        local_as=session.local_as,
        source=session.source,
    )
    if peering is not None:
        facts["passive"] = peering.passive
        facts["password"] = peering.password
        facts.update(
            _known(
                local_as=session.local_as or peering.local_as,
                source=session.source or peering.source,
                disabled=peering.disabled or None,
                ttl_security=peering.ttl_security or None,
                direct=peering.direct or None,
            )
        )
    return facts


def _peerings(look: Look) -> list[Peering]:
    return look.on_disk.config.peerings if look.on_disk else []


def _port(name: str, peering: Peering | None) -> int:
    return (peering.port if peering else None) or port_in_name(name) or BGP_PORT


def _known(**facts: Any) -> dict[str, Any]:
    """Leave out what is unknown, empty or has no entries."""
    return {key: value for key, value in facts.items() if value is not None and value != "" and value != []}


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
