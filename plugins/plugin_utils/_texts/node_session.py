# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico_bgp from texts, and what the other parts need to know of the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._bird import control, discovery, log
from ...module_utils._facts import bgp, bgp_sockets, speakers
from ...module_utils._facts.bgp_daemon import BGP_PORT, Peer, facts_of, has_anything, local_address, peers_of
from ...module_utils._facts.packing import canonical
from ...module_utils._host import counters, log_lines, sockets, tcp_table
from . import bgp_capture, bird_config, bird_kept, node_bird, node_told, speaker_log, stand_ins, tcpdump
from . import sockets as socket_texts

if TYPE_CHECKING:
    from ...module_utils._bird.discovery import Installation
    from ...module_utils._facts.bgp_daemon import Look
    from .node import Assembly
    from .parsed import Problem

    Facts = dict[str, Any]

_BIRDS = ("bird", "bird6")
_CONFIGS = {"ipv4": "bird.cfg", "ipv6": "bird6.cfg"}
_LOGS = ("bird.log", "bird6.log", "confd.log", "calico-node.log")


class Session:
    """calico_bgp as far as texts tell it, and what the other parts need of it; mirrors bgp.gather()."""

    def __init__(self, whole: Assembly) -> None:
        self._whole = whole
        sources, texts, told, now = whole.sources["bgp"], whole.texts, whole.told, whole.now
        self.installation: Installation = discovery.find_installation(whole.processes)
        if self.installation.processes:
            sources.ok("calico_processes")
        else:
            sources.absent("calico_processes", "no process of Calico is among those listed")
        everything = node_bird.looks(texts, told, whole.processes, self.installation, now, sources)
        self.looks = [look for look in everything if has_anything(look)]
        self.exports = {look.daemon.family: look.spoken.exports for look in self.looks if look.spoken.exports}
        expected, why = self._expected()
        self.facts: Facts = {
            "expected": expected,
            "expected_why": why,
            "daemons": {look.daemon.family: self._daemon(look) for look in self.looks},
        }
        empty: Facts = {"listeners": [], "sockets": []}
        self.peers = [peer for look in self.looks for peer in peers_of(look)]
        if not self._lists_processes:
            self.facts["processes_listed"] = False
        self.facts.update(sources.guard("tcp_sockets", self._sockets, empty))
        sources.guard("md5_counters", self._md5, None)
        no_lines: list[Facts] = []
        self.facts["log"] = sources.guard("bird_log", self._log, no_lines)
        for name, gather in (("captured", self._captured), ("turned_away", lambda: speaker_log.facts(texts))):
            entries = sources.guard(name, gather, no_lines)
            if entries:
                self.facts[name] = entries
        nobody: list[str] = []
        kept = sources.guard("kept", lambda: bird_kept.facts(texts), nobody)
        if kept and not self.peers:
            self.facts["kept"] = kept
        self.local_addresses = {look.daemon.family: local_address(look) for look in self.looks if local_address(look)}
        self.tunnels = list(
            dict.fromkeys(tunnel for look in self.looks if look.on_disk for tunnel in look.on_disk.config.tunnels)
        )

    def all_peers(self) -> list[Peer]:
        """Return every peer, and those whom the operator named."""
        return bgp.all_peers(self.gathering()) + self._more()

    def troubled_peers(self) -> list[Peer]:
        """Return the peers whose session is not established, and those whom the operator named."""
        return bgp.troubled_peers(self.gathering()) + self._more()

    def gathering(self) -> bgp.BgpGathering:
        """Return what a pass over the node itself knows of the sessions."""
        return bgp.BgpGathering(
            self.facts, self.peers, self.local_addresses, self.tunnels, self.installation, node_told.NOWHERE, None
        )

    def _more(self) -> list[Peer]:
        known = {peer.address for peer in self.peers}
        given = [canonical(word) for word in self._whole.told.value("peers").split()]
        return [
            Peer("", "other", family, address, BGP_PORT, self.local_addresses.get(family, ""), None, None)
            for address in dict.fromkeys(given)
            if address not in known
            for family in ["ipv6" if ":" in address else "ipv4"]
        ]

    def _expected(self) -> tuple[bool | None, str]:
        expected, why = discovery.expected(self.installation, [])
        if expected is None:
            for look in self.looks:
                if look.on_disk is not None:
                    return True, f"there is a configuration for it at {look.on_disk.path}"
                if look.spoken.status is not None or look.spoken.sessions is not None:
                    return True, "it answers"
        return expected, why

    def _daemon(self, look: Look) -> Facts:
        found = facts_of(look, self._whole.now)
        if not (found["running"] or self._lists_processes or self._says_anything(look.daemon.family)):
            # Only a file or a log is known: whether there is a process besides, no text tells.
            del found["running"], found["socket_state"]
        elif found.get("socket_state") == control.DENIED and not self._lists_processes:
            # Whoever may not use the socket is told nothing of who listens there.
            found.pop("running")
        if [look.daemon.family] in self._whole.told.rows("hidden_socket", 1):
            found["socket_hidden"] = True
        if not self._whole.told.is_raw and "config" in found:
            self._leave_unknown(look, found["config"])
        return found

    def _leave_unknown(self, look: Look, config: Facts) -> None:
        """Take away what a file's text and a table, taken by people, cannot tell."""
        gone = ["modified_seconds_ago", "newer_than_running"]  # when the text was written says nothing of the file
        together = look.spoken.via != stand_ins.VIA or stand_ins.of_one_node(look)
        if look.spoken.via == stand_ins.VIA and not (together and stand_ins.shows_all(look)):
            # Its table leaves sessions out.
            gone += ["only_on_disk", "only_on_disk_packed"]
        if not together or bird_config.is_excerpt(self._whole.texts.get(_CONFIGS[look.daemon.family], "")):
            # What the rest of the file has, nobody knows.
            gone += ["only_running", "only_running_packed"]
        for name in gone:
            config.pop(name, None)

    @property
    def _lists_processes(self) -> bool:
        """All processes are told; of a list in which the first one is not, somebody has shown a part."""
        return self._whole.told.is_raw or node_told.is_whole(self._whole.processes)

    def _says_anything(self, family: str) -> bool:
        """There is a text of somebody who asked this family's BIRD, whatever it answered."""
        suffix = "6" if family == "ipv6" else ""
        names = (f"birdcl{suffix}-status.txt", f"birdcl{suffix}-protocols.txt", stand_ins.STATUS)
        return any(self._whole.texts.get(name, "").strip() for name in names)

    def _sockets(self) -> Facts:
        whole, sources = self._whole, self._whole.sources["bgp"]
        ports = {BGP_PORT} | {look.on_disk.config.listen_port or BGP_PORT for look in self.looks if look.on_disk}
        table, printed = whole.texts.get("proc-net-tcp.txt"), whole.texts.get("sockets.txt")
        holders: dict[int, node_told.ToldProcess] = {}
        unread: tuple[Problem, ...] = ()
        if table is not None:
            found = tcp_table.parse(table.encode(), ports)
            for inode, pid, comm, container in (row[:4] for row in whole.told.rows("holder", 4)):
                holders[node_told.whole(inode)] = node_told.ToldProcess.holder(pid, comm, container)
        elif printed is not None:
            listing = socket_texts.parse(printed)
            unread = listing.problems
            # A BIRD that listens elsewhere than it is told to is worth a look as well.
            ports |= {
                one.socket.local_port
                for one in listing.value
                if one.socket.state == sockets.LISTEN and any(comm in _BIRDS for comm, _pid in one.holders)
            }
            held = [one for one in listing.value if {one.socket.local_port, one.socket.peer_port} & ports]
            # A listing names the holder, not the inode: any number that tells them apart will do.
            found = [one.socket._replace(inode=number) for number, one in enumerate(held, 1)]
            for number, one in enumerate(held, 1):
                if one.holders:
                    comm, pid_held = one.holders[0]
                    holders[number] = node_told.ToldProcess.holder(str(pid_held), comm)
        else:
            sources.absent("tcp_sockets", node_told.NO_TEXT)
            return {"listeners": [], "sockets": []}
        listening = [one for one in found if one.state == sockets.LISTEN and one.local_port in ports]
        listeners = {one.inode for one in listening}
        own = {inode: holder for inode, holder in holders.items() if inode in listeners}
        in_trouble = bgp_sockets.is_troubled if table is not None and whole.told.is_raw else bgp_sockets.seems_troubled
        told = bgp.socket_facts(found, listening, own, sources, in_trouble)
        node_told.note_unread(sources, "tcp_sockets", unread)
        if table is not None:
            told.update(self._others(found))
            later = whole.texts.get("proc-net-tcp-later.txt", "")
            span = whole.told.number("looked_again") or 0.0
            waiting = bgp_sockets.Waiting(found, node_told.NOWHERE, ports)
            bgp.add_stuck(told, waiting.stuck(tcp_table.parse(later.encode(), ports), span))
        return told

    def _others(self, found: list[sockets.TcpSocket]) -> Facts:
        """Return other_speakers; the processes know the sockets that they were told to hold."""
        known = sum(bool(peer.established) for peer in self.peers)
        own = [look.daemon.process for look in self.looks if look.daemon.process is not None]
        nobody: Facts = {}
        return self._whole.sources["bgp"].guard(
            "other_speakers", lambda: speakers.look(found, known, own, self._whole.processes), nobody
        )

    def _captured(self) -> list[Facts]:
        texts = [text for name, text in self._whole.texts.items() if "tcpdump" in name]
        return bgp_capture.conversations(packet for text in texts for packet in tcpdump.parse(text).value.packets)

    def _md5(self) -> None:
        told, sources = self._whole.told, self._whole.sources["bgp"]
        text = self._whole.texts.get("netstat.txt")
        if text is None:
            sources.absent("md5_counters", node_told.NO_TEXT)
            return
        self.facts.update(bgp.md5_facts(counters.parse(text, "TcpExt", bgp.MD5.values()), sources))
        later = self._whole.texts.get("netstat-later.txt")
        if later is not None and "md5" in self.facts:
            span = told.number("counted") or 0.0
            bgp.md5_grew(self.facts["md5"], counters.parse(later, "TcpExt", bgp.MD5.values()), span)

    def _log(self) -> list[Facts]:
        whole, sources = self._whole, self._whole.sources["bgp"]
        read = [row[2] for row in whole.told.rows("file", 3) if row[0] in _LOGS]
        given = [name for name in _LOGS if whole.texts.get(name, "").strip()]
        odd = [row[0] for row in whole.told.rows("not_regular", 1)]
        if odd:
            sources.failed("bird_log", bgp.not_regular(odd))
        elif not read and not given:
            sources.absent(
                "bird_log", "no log of BIRD was found in the usual places" if whole.told.is_raw else node_told.NO_TEXT
            )
        else:
            sources.ok("bird_log", ", ".join(read or given))
        if read and not odd:
            ends = {row[0]: log_lines.stamp(row[1])[0] for row in whole.told.rows("begins", 2)}
            cut = [path for path, at in ends.items() if at is None or at > whole.now - whole.log_window]
            if cut:
                sources.ok("bird_log", bgp.only_the_ends(cut))
        names = {peer.name: peer.address for peer in self.peers}
        # The runtime's copy holds the same lines as BIRD's own log folder.
        own = any(name in ("bird.log", "bird6.log") for name in given)
        fresh = [name for name in given if not own or name != "calico-node.log"]
        lines = [line for name in fresh for line in log.parse(whole.texts[name], names)]
        return [bgp.log_entry(line) for line in log.recent(lines, whole.now, whole.log_window)]
