# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._facts import speakers
from ansible_collections.netmedic.calico.plugins.module_utils._host import sockets
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import ProcessTable
from ansible_collections.netmedic.calico.plugins.module_utils._host.sockets import TcpSocket


class FakeProcess:
    def __init__(self, pid, comm, container="", network=""):
        self.pid, self.comm, self.container, self.network_namespace, self.state = pid, comm, container, network, "S"


BIRD = FakeProcess(5, "bird")
SPEAKER = FakeProcess(9, "speaker", "c" * 64)


def session(peer, inode, port=179):
    return TcpSocket("10.0.0.1", port, peer, 40000, sockets.ESTABLISHED, 0, 0, 0, inode)


def held(monkeypatch, **by_pid):
    asked = []

    def owners(inodes, first, others, *_patience):
        asked.append([process.pid for process in first])
        wanted = set(inodes)
        return {
            inode: process
            for process in [*first, *others]
            for inode in by_pid.get(f"p{process.pid}", ())
            if inode in wanted
        }

    monkeypatch.setattr(speakers.sockets, "owners", owners)
    return asked


def test_a_bird_alone_is_nobody_else_and_its_files_are_not_looked_at(monkeypatch):
    asked = held(monkeypatch)

    assert speakers.look([session("10.0.0.2", 1)], 1, [BIRD], ProcessTable([BIRD])) == {}
    assert asked == []


def test_who_holds_connections_that_bird_does_not(monkeypatch):
    held(monkeypatch, p5=[1], p9=[2, 3], p7=[4])
    found = [session("10.0.0.2", 1), session("10.0.0.254", 2), session("10.0.0.253", 3), session("10.0.0.9", 4)]
    table = ProcessTable([BIRD, SPEAKER, FakeProcess(7, "python3")])

    (others,) = speakers.look(found, 1, [BIRD], table).values()

    assert others == [
        {"process": "python3", "pid": 7, "peers": {"10.0.0": "9"}},
        {"process": "speaker", "pid": 9, "container": "c" * 12, "peers": {"10.0.0": "253-254"}},
    ]


def test_connections_whose_holder_may_not_be_seen_are_told(monkeypatch):
    held(monkeypatch)

    assert speakers.look([session("10.0.0.2", 0)], 0, [], ProcessTable([])) == {
        "other_speakers": [{"peers": {"10.0.0": "2"}}]
    }


def test_a_speaker_without_connections_is_named_but_not_one_of_another_network(monkeypatch):
    held(monkeypatch)
    table = ProcessTable([SPEAKER, FakeProcess(11, "bgpd", network="net:[2]"), FakeProcess(12, "bird")], "net:[1]")

    found = speakers.look([], 0, [BIRD], table)["other_speakers"]

    assert [entry["process"] for entry in found] == ["speaker", "bgpd", "bird"]  # BIRD's network may not be read
    elsewhere = FakeProcess(5, "bird", network="net:[1]")
    found = speakers.look([], 0, [elsewhere], table)["other_speakers"]
    assert [entry["process"] for entry in found] == ["speaker", "bird"]
