# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import shutil
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts import bgp, packing
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import processes, tcp_table

CONFIG = "etc/calico/confd/config"
ARGV = ("bird", "-R", "-s", "/var/run/calico/bird.ctl", "-d", "-c", "/etc/calico/confd/config/bird.cfg")
NET = os.path.join(os.path.dirname(__file__), "..", "_host", "recorded")


class Node:
    """A node made of recorded parts."""

    def __init__(self, fake_proc, server, recorded):
        self.proc = fake_proc
        self.server = server
        self.recorded = recorded
        self.params = {"bird_socket": server.path, "timeout": 2}
        self.sources = Sources()

    def play(self, case, pid=9):
        """Run the recorded BIRD of that name, with its configuration."""
        self.server.play(case)
        root = self.proc.add(pid, "bird", ARGV, {"CALICO_NETWORKING_BACKEND": "bird"}, "pod")
        shutil.copytree(str(self.recorded / case / "config"), os.path.join(root, CONFIG))
        return self

    def net(self, pid, **files):
        """Put recorded kernel tables into a process' net folder: tcp="mixed.tcp"."""
        for name, source in files.items():
            with open(os.path.join(NET, source), "rb") as stream:
                self.proc.write(os.path.join(self.proc.path, str(pid), "net", name), stream.read())
        return self

    def log(self, name, source):
        text = (self.recorded / "logs" / source).read_text()
        return self.proc.write(os.path.join(self.proc.host, "var/log/calico", name, "current"), text)

    def gather(self, **params):
        table = processes.walk(self.proc.path)
        return bgp.gather(dict(self.params, **params), self.sources, table, self.proc.path, self.proc.host)

    def status(self, name):
        return self.sources.status(name)


@pytest.fixture
def node(fake_proc, bird_server, bird_recorded):
    return Node(fake_proc, bird_server, bird_recorded)


def test_a_healthy_node(node):
    facts = node.play("healthy").net(9, tcp="no_listening_socket.tcp", netstat="md5_dialler.netstat").gather().facts

    assert facts["schema"] == 1
    assert time.strptime(facts["taken_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert facts["expected"] is True
    daemon = facts["daemons"]["ipv4"]
    assert list(facts["daemons"]) == ["ipv4"]
    assert (daemon["running"], daemon["pid"], daemon["process"], daemon["via"]) == (True, 9, "bird", "socket")
    assert (daemon["socket_state"], daemon["version"], daemon["state"]) == ("answers", "1.6.8", "up")
    assert daemon["peers"] == {
        "total": 1,
        "established": 1,
        "packed": {"Mesh": {"10.200.0": "10"}},
        "newest_since_seconds_ago": 19,
        "oldest_since_seconds_ago": 19,
        "routes_imported": 1,
        "routes_exported": 1,
    }
    assert (daemon["troubled"], daemon["recent"]) == ([], [])
    config = daemon["config"]
    assert (config["router_id"], config["local_as"], config["local_address"]) == ("10.200.0.9", 64512, "10.200.0.9")
    assert (config["peers"], config["disabled"], config["password"], config["listen_port"]) == (1, False, "none", 179)
    assert not {"only_on_disk", "only_running", "changed", "duplicate_names"} & set(config)
    assert [node.status(name) for name in ("bird_socket_ipv4", "bird_config_ipv4", "tcp_sockets")] == ["ok"] * 3
    assert node.status("bird_socket_ipv6") == "absent"


def test_troubled_sessions_stand_in_full(node):
    daemon = node.play("mixed").gather().facts["daemons"]["ipv4"]

    troubled = {entry["name"]: entry for entry in daemon["troubled"]}
    assert daemon["peers"]["packed"] == {"Mesh": {"10.200.0": "1,9,11"}}
    assert (daemon["peers"]["total"], daemon["peers"]["established"]) == (21, 4)
    assert len(troubled) == 18
    assert troubled["Node_10_200_0_2"] == {
        "name": "Node_10_200_0_2",
        "kind": "Node",
        "peer": "10.200.0.2",
        "port": 179,
        "state": "start",
        "bgp_state": "Active",
        "last_error": "Socket: Connection refused",
        "since_seconds_ago": 40,
        "neighbor_as": 64512,
        "local_as": 64512,
        "passive": False,
        "password": False,
        "source": "10.200.0.10",
        "timers": {"connect_delay": "2/2"},
    }
    assert troubled["Mesh_10_200_0_63"]["password"] is True
    assert troubled["Mesh_10_200_0_5"]["passive"] is True
    assert troubled["Global_10_200_0_70"]["disabled"] is True
    # Established, but on a port of its own.
    assert troubled["Global_10_200_0_69_port_1790"]["bgp_state"] == "Established"
    assert troubled["Global_10_200_0_69_port_1790"]["port"] == 1790
    assert daemon["graceful_restart"] == {"waiting_for": 11, "timer": "200/240"}
    assert (daemon["config"]["password"], daemon["config"]["with_password"]) == ("some", {"10.200.0": "63,68"})


def test_no_password_is_anywhere_in_the_facts(node):
    gathering = node.play("mixed").gather()

    assert "canary" not in json.dumps(gathering.facts) + repr(gathering) + json.dumps(node.sources.as_list())


def test_peers_for_the_rest_of_the_pass(node):
    gathering = node.play("mixed").gather()

    peers = {peer.name: peer for peer in gathering.peers}
    assert len(peers) == 21
    assert peers["Global_10_200_0_69_port_1790"].port == 1790
    assert peers["Node_10_200_0_66"].source == "10.200.0.99"
    assert (peers["Mesh_10_200_0_63"].signed, peers["Mesh_10_200_0_9"].signed) == (True, False)
    assert gathering.local_addresses == {"ipv4": "10.200.0.10"}
    # 10.200.0.9 has two protocols, one of which is established: nothing is wrong with the way to it.
    assert len(bgp.all_peers(gathering)) == 20
    troubled = {peer.address for peer in bgp.troubled_peers(gathering)}
    assert len(troubled) == 16
    assert not troubled & {"10.200.0.1", "10.200.0.9", "10.200.0.11", "10.200.0.69"}


# BIRD took its configuration 53 seconds ago, give or take one.
@pytest.mark.parametrize(("age", "newer"), [(0, True), (50, True), (53, False), (55, False), (3600, False)])
def test_a_configuration_that_was_not_taken(node, age, newer):
    node.play("reload_stuck")
    written = time.time() - age
    for name in ("bird.cfg", "bird_aggr.cfg", "bird_ipam.cfg"):
        os.utime(os.path.join(node.proc.path, "9", "root", CONFIG, name), (written, written))

    config = node.gather().facts["daemons"]["ipv4"]["config"]

    assert config["changed"] == ["Mesh_10_200_0_1"]
    assert config["newer_than_running"] is newer
    assert config["modified_seconds_ago"] == pytest.approx(age, abs=2)


def test_a_configuration_with_more_and_fewer_peers_than_run(node):
    node.play("healthy")
    path = os.path.join(node.proc.path, "9", "root", CONFIG, "bird.cfg")
    with open(path) as stream:
        text = stream.read()
    with open(path, "w") as stream:
        stream.write(text.replace("10_200_0_10", "10_200_0_77").replace("10.200.0.10", "10.200.0.77"))

    config = node.gather().facts["daemons"]["ipv4"]["config"]

    assert config["only_on_disk"] == ["Mesh_10_200_0_77"]
    assert config["only_running"] == ["Mesh_10_200_0_10"]


def test_a_name_given_twice(node):
    node.play("healthy")
    path = os.path.join(node.proc.path, "9", "root", CONFIG, "bird.cfg")
    with open(path, "a") as stream:
        stream.write("\nprotocol bgp Mesh_10_200_0_10 from bgp_template { neighbor 10.200.0.10 as 64512; }\n")

    assert node.gather().facts["daemons"]["ipv4"]["config"]["duplicate_names"] == ["Mesh_10_200_0_10"]


def test_a_bird_that_is_down_leaves_its_configuration(node):
    node.play("healthy").server.close()
    shutil.rmtree(os.path.join(node.proc.path, "9"))
    root = node.proc.add(5, "runsvdir", ("runsvdir", "-P", "/etc/service/enabled"), root="pod")
    assert os.path.exists(os.path.join(root, CONFIG, "bird.cfg"))

    gathering = node.gather()

    daemon = gathering.facts["daemons"]["ipv4"]
    assert (daemon["running"], daemon["socket_state"], daemon["via"]) == (False, "refused", "")
    assert gathering.facts["expected"] is True
    assert daemon["config"]["peer_addresses"] == {"10.200.0": "10"}
    assert "peers" not in daemon
    assert "newer_than_running" not in daemon["config"]
    assert [(peer.address, peer.established) for peer in bgp.all_peers(gathering)] == [("10.200.0.10", None)]
    assert bgp.troubled_peers(gathering) == []
    assert node.status("bird_socket_ipv4") == "failed"


def test_a_bird_that_hangs(node):
    node.play("healthy").server.replies["show status"] = b""

    daemon = node.gather(timeout=0.3).facts["daemons"]["ipv4"]

    assert (daemon["running"], daemon["socket_state"], daemon["process_state"]) == (True, "no_answer", "S")
    assert "version" not in daemon
    assert daemon["config"]["peers"] == 1
    assert node.status("bird_socket_ipv4") == "failed"


def test_something_else_on_the_socket(node):
    node.server.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"

    daemon = node.gather().facts["daemons"]["ipv4"]

    assert (daemon["running"], daemon["socket_state"]) == (False, "garbage")
    assert node.status("bird_socket_ipv4") == "unrecognised"


def test_a_node_without_anything_of_calico(node):
    facts = node.gather(bird_socket=os.path.join(node.proc.host, "nothing")).facts

    assert (facts["expected"], facts["daemons"], facts["log"]) == (None, {}, [])
    assert node.status("calico_processes") == "absent"
    assert "failed" not in [entry["status"] for entry in node.sources.as_list() if entry["source"] != "tcp_sockets"]


def test_both_families(node):
    node.play("healthy")
    node.proc.add(
        10, "bird6", ("bird6", "-s", "/none/calico/bird6.ctl", "-c", "/etc/calico/confd/config/bird6.cfg"), root="pod"
    )
    for path in (node.recorded / "ipv6" / "config").iterdir():
        shutil.copy(str(path), os.path.join(node.proc.path, "10", "root", CONFIG))

    gathering = node.gather()

    assert gathering.facts["daemons"]["ipv6"]["socket_state"] == "absent"
    assert gathering.facts["daemons"]["ipv6"]["config"]["peer_addresses"] == {"fd00:200:0:0:0:0:0": "9,b"}
    assert gathering.local_addresses == {"ipv4": "10.200.0.9", "ipv6": "fd00:200::a"}


def test_a_family_that_this_node_does_not_have(node):
    node.play("healthy")
    node.proc.write(
        os.path.join(node.proc.path, "9", "root", CONFIG, "bird6.cfg"),
        "router id 10.200.0.9;\n# IPv6 disabled on this node.\n",
    )

    gathering = node.gather()

    config = gathering.facts["daemons"]["ipv6"]["config"]
    assert (config["disabled"], config["peers"]) == (True, 0)
    assert gathering.local_addresses == {"ipv4": "10.200.0.9"}


def test_who_listens_and_what_is_stuck(node):
    node.play("mixed").net(9, tcp="mixed.tcp")
    inode = _inode_of_listener(node, 9)
    os.symlink(f"socket:[{inode}]", os.path.join(node.proc.path, "9", "fd", "7"))

    facts = node.gather().facts

    assert facts["listeners"] == [{"address": "0.0.0.0", "port": 179, "pid": 9, "process": "bird", "container": ""}]
    states = {one["peer"]: one["state"] for one in facts["sockets"]}
    assert states["10.200.0.4"] == "SYN_SENT"
    assert states["10.200.0.67"] == "FIN_WAIT1"
    assert "10.200.0.9" not in states


def test_somebody_else_listens(node):
    node.play("no_listening_socket").net(9, tcp="no_listening_socket.tcp")
    node.proc.add(50, "gobgpd", container="d" * 64)
    os.symlink(f"socket:[{_inode_of_listener(node, 9)}]", os.path.join(node.proc.path, "50", "fd", "3"))

    facts = node.gather().facts

    assert facts["listeners"] == [
        {"address": "0.0.0.0", "port": 179, "pid": 50, "process": "gobgpd", "container": "d" * 12}
    ]
    assert facts["daemons"]["ipv4"]["troubled"][0]["last_error"] == "Error: No listening socket"


def test_a_listener_whose_owner_may_not_be_seen(node):
    facts = node.play("mixed").net(9, tcp="mixed.tcp").gather().facts

    assert facts["listeners"] == [{"address": "0.0.0.0", "port": 179}]
    assert "may not be seen" in {one["source"]: one["detail"] for one in node.sources.as_list()}["tcp_sockets"]


def test_a_listener_on_the_configured_port(node):
    node.play("healthy").net(9, tcp="mixed.tcp")
    path = os.path.join(node.proc.path, "9", "root", CONFIG, "bird.cfg")
    with open(path, "a") as stream:
        stream.write("\nlisten bgp port 1790;\n")
    table = os.path.join(node.proc.path, "9", "net", "tcp")
    with open(table) as stream:
        text = stream.read()
    with open(table, "w") as stream:
        stream.write(text.replace("00000000:00B3", "00000000:06FE"))

    assert [one["port"] for one in node.gather().facts["listeners"]] == [1790]


def test_a_bird_that_listens_on_another_port_than_it_is_told_to(node):
    node.play("healthy").net(9, tcp="mixed.tcp")
    inode = _inode_of_listener(node, 9)
    table = os.path.join(node.proc.path, "9", "net", "tcp")
    with open(table) as stream:
        text = stream.read()
    with open(table, "w") as stream:
        stream.write(text.replace("00000000:00B3", "00000000:06FE"))

    assert node.gather().facts["listeners"] == []
    os.symlink(f"socket:[{inode}]", os.path.join(node.proc.path, "9", "fd", "7"))
    (listener,) = node.gather().facts["listeners"]
    assert (listener["port"], listener["pid"]) == (1790, 9)


def test_the_log(node):
    os.utime(node.log("bird", "unknown_peer.current"), None)
    entries = node.play("healthy").gather(log_window=10**9).facts["log"]

    assert entries[0]["kind"] == "unexpected_connect"
    assert entries[0]["peer"] == "10.200.0.10"
    assert entries[0]["count"] > 10
    assert entries[0]["at"].startswith("2026-11-21T01:")


def test_a_log_of_which_the_end_is_read_says_so_if_that_is_too_little(node):
    def said(when):
        line = f"{when}.00000 bird: Mesh_10_200_0_10: State changed to start\n"
        path = os.path.join(node.proc.host, "var/log/calico/bird/current")
        with open(path, "w") as stream:
            stream.write(line * 5000)
        node.gather(log_window=3600)
        return {one["source"]: one["detail"] for one in node.sources.as_list()}["bird_log"]

    node.log("bird", "unknown_peer.current")
    node.play("healthy")

    assert "do not reach back" in said(time.strftime("%Y-%m-%d_%H:%M:%S", time.gmtime()))
    assert "do not reach back" not in said("2001-01-01_01:00:00")


def test_a_log_that_was_not_written_to_in_the_window(node):
    path = node.log("bird", "unknown_peer.current")
    os.utime(path, (1000, 1000))

    assert node.play("healthy").gather().facts["log"] == []
    assert node.status("bird_log") == "ok"


def test_the_log_comes_from_the_container_runtime_where_there_is_no_other(node):
    pods = "var/log/pods/calico-system_calico-node-abcde_1/calico-node/0.log"
    line = "2026-11-21T01:02:03.5Z stdout F bird: BGP: Cannot open listening socket\n"
    node.proc.write(os.path.join(node.proc.host, pods), line)

    entries = node.play("healthy").gather(log_window=10**9).facts["log"]

    assert [(entry["kind"], entry["at"]) for entry in entries] == [("cannot_listen", "2026-11-21T01:02:03Z")]


def test_counters_are_read_again_only_if_there_is_something_to_see(node):
    slept = []
    gathering = node.play("healthy").net(9, netstat="md5_listener.netstat").gather()
    bgp.finish_md5(gathering, slept.append)

    assert slept == []
    assert gathering.facts["md5"]["seconds"] == 0
    assert gathering.facts["md5"]["failure"]["total"] > 0


def test_counters_that_never_moved_are_not_waited_for(node):
    slept = []
    gathering = node.play("mixed").net(9, netstat="md5_dialler.netstat").gather()
    bgp.finish_md5(gathering, slept.append)

    assert slept == []
    assert gathering.facts["md5"]["failure"] == {"total": 0, "grew": 0}


def test_counters_of_a_listener_with_another_password_grow(node):
    node.play("mixed").net(9, netstat="md5_listener.netstat")
    path = os.path.join(node.proc.path, "9", "net", "netstat")
    gathering = node.gather()
    before = gathering.facts["md5"]["failure"]["total"]
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        with open(path) as stream:
            header, values = [line.split() for line in stream.read().splitlines()[:2]]
        values[header.index("TCPMD5Failure")] = str(before + 2)
        node.proc.write(path, " ".join(header) + "\n" + " ".join(values) + "\n")

    bgp.finish_md5(gathering, sleep)

    assert 1.5 < slept[0] <= 2.2
    assert gathering.facts["md5"]["failure"] == {"total": before + 2, "grew": 2}


def test_a_pass_that_took_long_enough_waits_no_more(node):
    gathering = node.play("mixed").net(9, netstat="md5_listener.netstat").gather()
    slept = []

    bgp.finish_md5(gathering, slept.append, clock=lambda: gathering.md5_started + 3.0)

    assert slept == []
    assert gathering.facts["md5"]["seconds"] == 3.0


def test_a_kernel_that_counts_nothing(node):
    gathering = node.play("mixed").gather()
    bgp.finish_md5(gathering)

    assert "md5" not in gathering.facts
    assert node.status("md5_counters") == "absent"


def test_a_gatherer_that_breaks_down_leaves_the_others(node, monkeypatch):
    def burst(*_args):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(bgp, "speak", burst)
    monkeypatch.setattr(bgp.sockets, "read_tcp", burst)

    facts = node.play("healthy").gather().facts

    assert facts["daemons"]["ipv4"]["config"]["peers"] == 1
    assert [node.status(name) for name in ("bird_socket_ipv4", "tcp_sockets", "bird_config_ipv4")] == [
        "failed",
        "failed",
        "ok",
    ]


def test_the_facts_are_plain_data(node):
    facts = node.play("mixed").net(9, tcp="mixed.tcp", netstat="md5_listener.netstat").gather().facts

    assert json.loads(json.dumps(facts)) == facts


def _thousand(text, first, pattern):
    """Repeat the part of a recorded text that speaks of 10.200.0.10 for a thousand peers."""
    start = text.index(first)
    part = text[start:].rpartition("0000 ")[0] if "0000 " in text else text[start:]
    many = ""
    for number in range(1000):
        high, low = 1 + number // 250, number % 250 + 1
        many += part.replace("10.200.0.10", f"10.200.{high}.{low}").replace("10_200_0_10", f"10_200_{high}_{low}")
    return text[:start] + many + pattern


def test_a_thousand_healthy_peers_take_a_few_kilobytes(node, bird_text):
    node.play("healthy").net(9, tcp="no_listening_socket.tcp", netstat="md5_dialler.netstat")
    os.utime(node.log("bird", "killed_peer.iso"), None)
    replies = _thousand(bird_text("healthy", "protocols.raw"), "1002-Mesh", "0000 \n")
    node.server.replies["show protocols all"] = replies.encode()
    path = os.path.join(node.proc.path, "9", "root", CONFIG, "bird.cfg")
    with open(path) as stream:
        text = _thousand(stream.read(), "\n# For peer", "")
    with open(path, "w") as stream:
        stream.write(text)

    gathering = node.gather(timeout=10, log_window=10**9)

    daemon = gathering.facts["daemons"]["ipv4"]
    assert (daemon["peers"]["total"], daemon["peers"]["established"], daemon["config"]["peers"]) == (1000, 1000, 1000)
    assert len(list(packing.unpack(daemon["peers"]["packed"]["Mesh"]))) == 1000
    assert not {"changed", "only_on_disk", "only_running"} & set(daemon["config"])
    assert len(json.dumps(gathering.facts, separators=(",", ":"))) < 3072


def _inode_of_listener(node, pid):
    with open(os.path.join(node.proc.path, str(pid), "net", "tcp"), "rb") as stream:
        (listener,) = [one for one in tcp_table.parse(stream.read(), [179]) if one.state == "LISTEN"]
    return listener.inode


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=lambda make: make.__name__)
def test_a_log_that_is_no_regular_file_is_told_and_not_read(node, make):
    path = node.log("bird", "unknown_peer.current")
    os.unlink(path)
    make(path)

    assert node.play("healthy").gather(log_window=10**9).facts["log"] == []
    told = {one["source"]: one for one in node.sources.as_list()}["bird_log"]
    assert (told["status"], "not a regular file" in told["detail"]) == ("failed", True)
    assert "/var/log/calico/bird/current" in told["detail"]
