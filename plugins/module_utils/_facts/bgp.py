# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this node knows of its BGP sessions: BIRD's own account, its configuration and log, and the kernel's sockets."""

from __future__ import annotations

import os
import time

from .._bird import control, discovery
from .._bird.daemon import NOT_UNDERSTOOD, read_config, speak
from .._host import counters, sockets
from .._record import NamedTuple
from . import bgp_sockets, speakers
from .bgp_daemon import BGP_PORT, Look, Peer, facts_of, has_anything, local_address, peers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from .._bird.daemon import OnDisk, Spoken
    from .._bird.discovery import Daemon, Installation
    from .._bird.exports import Exports
    from .._bird.log import Line
    from .._host.processes import Process, ProcessTable
    from .sources import Sources

SCHEMA = 1
_FAMILIES = (discovery.IPV4, discovery.IPV6)
_TIMEOUT = 5.0
_LOG_WINDOW = 3600
_SHORT_ID = 12
MD5 = {"failure": "TCPMD5Failure", "unexpected": "TCPMD5Unexpected", "not_found": "TCPMD5NotFound"}
# A dialler whose SYN is dropped repeats it after 1 and 3 seconds, and BIRD dials again every 5: within any 2.2 seconds
# there is one.
_MD5_SPAN = 2.2


class BgpGathering(NamedTuple):
    """The facts, and beside them what only this pass needs.

    `local_addresses` says by family what this node is known by in BGP, `tunnels` which devices bird.cfg sends routes
    into, `md5_started` when the MD5 counters of `net_folder` were read (monotonic clock; None: they could not be),
    `waiting` the sockets that are to be looked at again, `exports` what BIRD gives to the kernel, by family.
    """

    facts: dict[str, Any]
    peers: list[Peer]
    local_addresses: dict[str, str]
    tunnels: list[str]
    installation: Installation
    net_folder: str
    md5_started: float | None
    waiting: bgp_sockets.Waiting | None = None
    exports: Mapping[str, Exports] = {}


def gather(
    params: Mapping[str, Any], sources: Sources, processes: ProcessTable, proc_root: str = "/proc", host_root: str = ""
) -> BgpGathering:
    """Gather calico_bgp, noting each source; `params` may hold timeout, bird_socket, bird6_socket and log_window.

    What node_facts adds (probes, peer_reachability, sources) is not in it, and the MD5 counters are read once: see
    finish_md5().
    """
    nothing = discovery.Installation([], "unknown", "")
    no_sockets: dict[str, Any] = {}
    no_lines: list[dict[str, Any]] = []
    installation = sources.guard("calico_processes", lambda: _installation(processes, sources), nothing)
    given = {discovery.IPV4: params.get("bird_socket") or "", discovery.IPV6: params.get("bird6_socket") or ""}
    timeout = float(params.get("timeout") or _TIMEOUT)
    daemons = [discovery.find_daemon(family, processes, installation, given[family], host_root) for family in _FAMILIES]
    looks = [look for look in (_look(daemon, timeout, sources) for daemon in daemons) if has_anything(look)]
    now = time.time()
    expected, why = discovery.expected(installation, daemons)
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "taken_at": _rfc3339(now),
        "expected": expected,
        "expected_why": why,
        "daemons": {look.daemon.family: facts_of(look, now) for look in looks},
    }
    own = [look.daemon.process for look in looks if look.daemon.process is not None]
    net_folder = os.path.join(own[0].directory if own else os.path.join(proc_root, "self"), "net")
    seen: list[bgp_sockets.Waiting] = []
    facts.update(
        sources.guard("tcp_sockets", lambda: _sockets(looks, own, net_folder, processes, sources, seen), no_sockets)
    )
    md5_started = sources.guard("md5_counters", lambda: _start_md5(facts, net_folder, sources), None)
    peers = [peer for look in looks for peer in peers_of(look)]
    alone: dict[str, Any] = {}
    if seen:
        known = sum(bool(peer.established) for peer in peers)
        facts.update(sources.guard("other_speakers", lambda: speakers.look(seen[0].all, known, own, processes), alone))
    window = float(params.get("log_window") or _LOG_WINDOW)
    names = {peer.name: peer.address for peer in peers}
    facts["log"] = sources.guard("bird_log", lambda: _log(daemons, names, now, window, sources), no_lines)
    addresses = {look.daemon.family: local_address(look) for look in looks if local_address(look)}
    tunnels = [tunnel for look in looks if look.on_disk for tunnel in look.on_disk.config.tunnels]
    gathering = BgpGathering(
        facts, peers, addresses, list(dict.fromkeys(tunnels)), installation, net_folder, md5_started
    )
    exports = {look.daemon.family: look.spoken.exports for look in looks if look.spoken.exports}
    return gathering._replace(waiting=seen[0] if seen else None, exports=exports)


def all_peers(gathering: BgpGathering) -> list[Peer]:
    """Return every peer, one for each address and port, those with a session first."""
    return _distinct(sorted(gathering.peers, key=lambda peer: peer.established is None))


def troubled_peers(gathering: BgpGathering) -> list[Peer]:
    """Return the peers whose session runs and is not established, one for each address and port.

    If a second session with the same peer is established, there is nothing to find out on the way to it.
    """
    reached = {peer.address for peer in gathering.peers if peer.established}
    return _distinct([peer for peer in gathering.peers if peer.established is False and peer.address not in reached])


def finish_md5(
    gathering: BgpGathering,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Read the MD5 counters again and write into the facts by how much they grew.

    Waits for the rest of 2.2 seconds, and reads at all, only if there is something to see: a counter that has ever
    moved, and a session that is not established.
    """
    counted = gathering.facts.get("md5")
    if gathering.md5_started is None or not counted:
        return
    totals = [counted[name]["total"] for name in MD5 if name in counted]
    if not any(totals) or not any(peer.established is False for peer in gathering.peers):
        return
    missing = gathering.md5_started + _MD5_SPAN - clock()
    if missing > 0:
        sleep(missing)
    later = counters.read_netstat(gathering.net_folder, MD5.values())
    md5_grew(counted, later, clock() - gathering.md5_started)


def finish_sockets(gathering: BgpGathering) -> None:
    """Look again at sockets that looked stuck, and write into the facts those that still do."""
    add_stuck(gathering.facts, gathering.waiting.look_again() if gathering.waiting else [])


def add_stuck(facts: dict[str, Any], stuck: list[dict[str, Any]]) -> None:
    """Put stuck sockets with those in trouble."""
    if stuck:
        known = facts.setdefault("sockets", [])
        kept = stuck[: max(bgp_sockets.MOST - len(known), 0)]
        known += kept
        _leave_out(facts, [one["state"] for one in stuck[len(kept) :]])


def _distinct(peers: list[Peer]) -> list[Peer]:
    return list({(peer.address, peer.port): peer for peer in reversed(peers)}.values())[::-1]


def _installation(processes: ProcessTable, sources: Sources) -> Installation:
    installation = discovery.find_installation(processes)
    if installation.processes:
        sources.ok("calico_processes")
    else:
        sources.absent("calico_processes", f"none of {len(processes)} processes belongs to Calico")
    return installation


def _look(daemon: Daemon, timeout: float, sources: Sources) -> Look:
    name = "bird_socket_" + daemon.family
    spoken = sources.guard(name, lambda: _speak(daemon, timeout, name, sources), NOT_UNDERSTOOD)
    name = "bird_config_" + daemon.family
    on_disk = sources.guard(name, lambda: _read_config(daemon, name, sources), None)
    return Look(daemon, spoken, on_disk)


def _speak(daemon: Daemon, timeout: float, name: str, sources: Sources) -> Spoken:
    spoken = speak(daemon, timeout)
    note_spoken(spoken, name, [place.path for place in daemon.sockets], sources)
    return spoken


def note_spoken(spoken: Spoken, name: str, tried: Iterable[str], sources: Sources) -> None:
    """Note how it went to ask BIRD, as the source `name`; `tried` are the sockets looked for."""
    what = f"{spoken.socket} {spoken.detail}"
    if spoken.state == control.ABSENT:
        sources.absent(name, f"no control socket at {', '.join(dict.fromkeys(tried))}")
    elif spoken.state == control.GARBAGE:
        sources.unrecognised(name, what)
    elif spoken.state != control.ANSWERS:
        sources.failed(name, what)
    elif spoken.status is None or spoken.sessions is None or not spoken.status.state:
        sources.unrecognised(name, f"{spoken.socket} does not answer as BIRD does")
    else:
        sources.ok(name, "" if spoken.via == "socket" else f"asked through {spoken.via}")
        sources.unread(name, spoken.unread, spoken.unread_of)


def _read_config(daemon: Daemon, name: str, sources: Sources) -> OnDisk | None:
    on_disk, problem = read_config(daemon)
    note_config(on_disk, problem, name, [place.path for place in daemon.configs], sources)
    return on_disk


def note_config(on_disk: OnDisk | None, problem: str, name: str, tried: Iterable[str], sources: Sources) -> None:
    """Note how it went to read a configuration, as the source `name`; `tried` are the paths looked at."""
    if on_disk is None:
        places = ", ".join(dict.fromkeys(tried))
        if problem:
            sources.failed(name, problem)
        else:
            sources.absent(name, f"no configuration at {places}, nor below the roots of Calico's processes")
    elif not (on_disk.config.router_id or on_disk.config.peerings):
        sources.unrecognised(name, f"{on_disk.path} does not look like a configuration of BIRD")
    else:
        sources.ok(name)
        sources.unread(name, *on_disk.config.unread)


def _sockets(
    looks: list[Look],
    own: list[Process],
    net_folder: str,
    processes: ProcessTable,
    sources: Sources,
    waiting: list[bgp_sockets.Waiting],
) -> dict[str, Any]:
    """Return listeners on the BGP ports and the sockets there that are in trouble; put into `waiting` what is to be
    looked at again."""
    ports = {BGP_PORT} | {look.on_disk.config.listen_port or BGP_PORT for look in looks if look.on_disk}
    found = sockets.read_tcp(net_folder, ports)
    if not os.access(os.path.join(net_folder, "tcp"), os.R_OK):
        sources.failed("tcp_sockets", f"{net_folder}/tcp cannot be read")
        return {"listeners": [], "sockets": []}
    listening = [one for one in found if one.state == sockets.LISTEN and one.local_port in ports]
    holders = sockets.owners([one.inode for one in listening], own, processes)
    for one, holder in _elsewhere(looks, {process.pid for process in holders.values()}, net_folder):
        listening.append(one)
        holders[one.inode] = holder
    waiting.append(bgp_sockets.Waiting(found, net_folder, ports))
    return socket_facts(found, listening, holders, sources, bgp_sockets.is_troubled)


def _elsewhere(looks: list[Look], listening: set[int], net_folder: str) -> list[tuple[sockets.TcpSocket, Process]]:
    """Return the listening sockets, on whatever ports, of a BIRD that has peers and is not among `listening` (pids).

    BIRD opens its socket once and keeps it when its configuration changes.
    """
    birds = [
        look.daemon.process
        for look in looks
        if look.daemon.process is not None and look.daemon.process.pid not in listening and peers_of(look)
    ]
    if not birds:
        return []
    from .._host import tcp_table

    held = {inode: process for process in birds for inode in process.sockets()}
    return [(one, held[one.inode]) for one in tcp_table.listening(net_folder) if one.inode in held]


def socket_facts(
    found: list[sockets.TcpSocket],
    listening: list[sockets.TcpSocket],
    holders: Mapping[int, Process],
    sources: Sources,
    in_trouble: Callable[[sockets.TcpSocket], bool] = bgp_sockets.seems_troubled,
) -> dict[str, Any]:
    """Return listeners and sockets from those `found`; `holders` are the processes that hold them, by inode.

    Where there is one look only, sockets count as `in_trouble` that a second one might find well.
    """
    listeners = []
    for one in listening:
        entry: dict[str, Any] = {"address": one.local, "port": one.local_port}
        holder = holders.get(one.inode)
        if holder is not None:
            entry.update(pid=holder.pid, process=holder.comm, container=holder.container[:_SHORT_ID])
        listeners.append(entry)
    unowned = len(listening) - len(holders)
    sources.ok("tcp_sockets", f"the owner of {unowned} listening sockets may not be seen" if unowned else "")
    troubled = [one for one in found if in_trouble(one)]
    facts: dict[str, Any] = {
        "listeners": listeners,
        "sockets": [bgp_sockets.entry(one) for one in troubled[: bgp_sockets.MOST]],
        "sockets_established": sum(one.state == sockets.ESTABLISHED for one in found),
    }
    _leave_out(facts, [one.state for one in troubled[bgp_sockets.MOST :]])
    return facts


def _leave_out(facts: dict[str, Any], states: Iterable[str]) -> None:
    for state in states:
        left_out = facts.setdefault("sockets_left_out", {})
        left_out[state] = left_out.get(state, 0) + 1


def _start_md5(facts: dict[str, Any], net_folder: str, sources: Sources) -> float | None:
    started = time.monotonic()
    facts.update(md5_facts(counters.read_netstat(net_folder, MD5.values()), sources))
    return started if "md5" in facts else None


def md5_facts(counted: Mapping[str, int], sources: Sources) -> dict[str, Any]:
    """Return the key md5 from the kernel's counters, read once; nothing if it has none."""
    if not counted:
        sources.absent("md5_counters", "this kernel counts no TCP MD5 failures")
        return {}
    sources.ok("md5_counters")
    md5: dict[str, Any] = {"seconds": 0}
    for name, counter in MD5.items():
        if counter in counted:
            md5[name] = {"total": counted[counter], "grew": 0}
    return {"md5": md5}


def md5_grew(md5: dict[str, Any], later: Mapping[str, int], seconds: float) -> None:
    """Write into the key md5 by how much the counters grew until a second reading, `seconds` after the first."""
    md5["seconds"] = round(seconds, 1)
    for name, counter in MD5.items():
        if name in md5 and counter in later:
            md5[name] = {"total": later[counter], "grew": max(later[counter] - md5[name]["total"], 0)}


def _log(
    daemons: list[Daemon], names: Mapping[str, str], now: float, window: float, sources: Sources
) -> list[dict[str, Any]]:
    """Return the telling lines of all logs that were written to within the window, newest first."""
    read: list[str] = []
    fresh: list[str] = []
    odd: list[str] = []
    seen: set[tuple[int, int]] = set()
    for place in dict.fromkeys(place for daemon in daemons for place in daemon.logs):
        identity = place.identity
        # The runtime's copy holds the same lines as BIRD's own log folder, among those of all other services.
        if identity is None or identity in seen or (place.is_copy and fresh):
            continue
        seen.add(identity)
        if not os.path.isfile(place.actual):
            odd.append(place.path)
            continue
        read.append(place.path)
        if place.modified >= now - window:
            fresh.append(place.actual)
    if read:
        sources.ok("bird_log", ", ".join(read))
    else:
        sources.absent("bird_log", "no log of BIRD was found in the usual places")
    if odd:
        sources.failed("bird_log", not_regular(odd))
    if not fresh:
        return []
    from .._bird import log
    from .._host import log_lines

    tails = {path: log_lines.read_tail(path) for path in fresh}
    cut = [path for path, tail in tails.items() if not log_lines.reaches_back(path, tail, now - window)]
    if cut and not odd:
        sources.ok("bird_log", only_the_ends(cut))
    lines = [line for tail in tails.values() for line in log.parse(tail, names)]
    return [log_entry(line) for line in log.recent(lines, now, window)]


def only_the_ends(paths: Iterable[str]) -> str:
    """Say that of these logs not all was read that is of interest."""
    return f"only the ends of {', '.join(paths)} were read, which do not reach back for the window"


def not_regular(paths: Iterable[str]) -> str:
    """Say that these are read by nobody: what is no regular file may be endless, or wait for a writer for ever."""
    return f"not a regular file, which is not read: {', '.join(paths)}"


def log_entry(line: Line) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "at": _rfc3339(line.at) if line.at is not None else None,
        "kind": line.kind,
        "peer": line.peer,
        "value": line.value,
        "text": line.text,
    }
    if line.times > 1:
        entry["count"] = line.times
    return entry


def _rfc3339(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
