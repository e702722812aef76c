# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The BGP facts of nodes that are real: BIRD, kernel sockets, MD5 signatures, in namespaces of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import control
from matrix.sessions import Row

COLLECT = """
import json, os, sys
# What the pass itself imports late, another user may not be able to read.
from ansible_collections.netmedic.calico.plugins.module_utils._bird import client, log
from ansible_collections.netmedic.calico.plugins.module_utils._facts import bgp, node
from ansible_collections.netmedic.calico.plugins.module_utils._host import links, netlink, routes, tcp_diag, tcp_table
from ansible_collections.netmedic.calico.plugins.module_utils._probe import loop, reach
if sys.argv[2] != "0":
    os.setgid(int(sys.argv[2]))
    os.setuid(int(sys.argv[2]))
print(json.dumps(node.gather(json.loads(sys.argv[1]), ("bgp",))["calico_bgp"]))
"""
PARAMS = {"timeout": 2, "probe": True, "probe_timeout": 0.3, "probe_rate": 500, "log_window": 3600}
NOBODY = 65534
CONFIG = """
router id {router_id};
protocol device {{ scan time 2; }}
template bgp bgp_template {{
  debug {{ states }};
  description "Connection to BGP peer";
  local as {local_as};
  multihop;
  import all;
  export none;
  graceful restart;
  connect delay time 1;
  connect retry time 2;
  error wait time 1,2;
}}
{peers}
"""
PEER = """
protocol bgp Mesh_{name} from bgp_template {{
  neighbor {peer} as {peer_as};
  source address {own};
  {more}
}}
"""


class Node:
    """A network namespace with a BIRD whose configuration is seen only below its own root, as in a container."""

    def __init__(self, folder, address):
        self.folder, self.address = folder, address
        self.keeper = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        self.bird = None
        self.others = []
        self.socket = os.path.join(folder, "run", "bird.ctl")
        for name in ("config", "run"):
            os.makedirs(os.path.join(folder, name))

    def command(self, *argv):
        return ["nsenter", f"--net=/proc/{self.keeper.pid}/ns/net", *argv]

    def run(self, *argv):
        return subprocess.run(self.command(*argv), check=True, capture_output=True, text=True).stdout

    def configure(self, *peers, local_as=64512, peer_as=64512, more="", router_id=""):
        """Write bird.cfg; the greater address, as text, dials."""
        stanzas = "".join(
            PEER.format(
                name=peer.replace(".", "_"),
                peer=peer,
                peer_as=peer_as,
                own=self.address,
                more=("passive on;" if peer > self.address else "") + more,
            )
            for peer in peers
        )
        text = CONFIG.format(router_id=router_id or self.address, local_as=local_as, peers=stanzas)
        with open(os.path.join(self.folder, "config", "bird.cfg"), "w", encoding="utf-8") as stream:
            stream.write(text)

    def start(self):
        script = (
            "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/calico "
            f"&& mount --bind {self.folder}/config /mnt/calico "
            f"&& exec bird -R -s {self.socket} -d -c /mnt/calico/bird.cfg 2>{self.folder}/log"
        )
        argv = self.command("unshare", "--mount", "sh", "-c", script)
        self.bird = subprocess.Popen(argv, env={**os.environ, "CALICO_NETWORKING_BACKEND": "bird"})
        self.wait(lambda: control.ask(self.socket, ("show status",)).state == control.ANSWERS)

    def sessions(self):
        """The rows of the mesh's sessions: name, protocol, table, state, since when, BGP state and last error."""
        exchange = control.ask(self.socket, ("show protocols",))
        return [line.split() for line in exchange.replies[0].text.splitlines() if "Mesh_" in line]

    def established(self):
        return all(row[-1] == "Established" for row in self.sessions())

    def collect(self, user=0, **params):
        """Run the pass on this node, as that user."""
        argv = self.command(sys.executable, "-c", COLLECT, json.dumps({**PARAMS, **params}), str(user))
        return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)

    @staticmethod
    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def close(self):
        for process in [self.bird, *self.others, self.keeper]:
            if process is not None:
                process.kill()
                process.wait()


@pytest.fixture
def nodes():
    """Two hosts on one link, 10.77.0.9 and 10.77.0.10; the first dials."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    for program in ("ip", "unshare", "nsenter", "bird"):
        if not shutil.which(program):
            pytest.skip(f"needs {program}")
    top = tempfile.mkdtemp(prefix="nm")
    os.chmod(top, 0o711)  # noqa: S103 - another user is to get as far as the socket
    made = [Node(os.path.join(top, name), address) for name, address in (("a", "10.77.0.9"), ("b", "10.77.0.10"))]
    try:
        own = os.readlink("/proc/self/ns/net")
        for node in made:
            node.wait(lambda node=node: os.readlink(f"/proc/{node.keeper.pid}/ns/net") != own)
        made[0].run(
            "ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", str(made[1].keeper.pid)
        )
        for node in made:
            for line in (f"addr add {node.address}/24 dev eth0", "link set lo up", "link set eth0 up"):
                node.run("ip", *line.split())
        yield made
    finally:
        for node in made:
            node.close()
        shutil.rmtree(top, ignore_errors=True)


@pytest.fixture
def mesh(nodes):
    one, two = nodes
    one.configure(two.address)
    two.configure(one.address)
    one.start()
    two.start()
    one.wait(lambda: one.established() and two.established())
    return nodes


def undisturbed(before, after):
    """Whether these rows are of the same sessions, in the same state, and none came up anew in between."""
    return len(before) == len(after) and all(
        [*old[:4], *old[5:]] == [*new[:4], *new[5:]] and Row(old[4]).same_as(Row(new[4]))
        for old, new in zip(before, after, strict=True)
    )


def daemon(facts):
    return facts["daemons"]["ipv4"]


def statuses(facts):
    return {entry["source"]: entry["status"] for entry in facts["sources"]}


def test_a_healthy_pair_is_seen_and_not_disturbed(mesh):
    one, two = mesh
    before = [node.sessions() for node in mesh]
    with open(os.path.join(two.folder, "log"), encoding="utf-8") as stream:
        said = stream.read()

    facts = [[node.collect() for node in mesh] for _again in range(3)][-1]

    assert all(undisturbed(rows, node.sessions()) for rows, node in zip(before, mesh, strict=True))
    with open(os.path.join(two.folder, "log"), encoding="utf-8") as stream:
        assert stream.read() == said
    for node, other, seen in ((one, two, facts[0]), (two, one, facts[1])):
        assert seen["expected"] is True
        assert daemon(seen)["peers"]["packed"] == {"Mesh": {"10.77.0": other.address.rpartition(".")[2]}}
        assert daemon(seen)["troubled"] == []
        assert daemon(seen)["config"]["path"] == "/mnt/calico/bird.cfg"
        assert daemon(seen)["config"]["local_address"] == node.address
        assert [(entry["port"], entry["pid"]) for entry in seen["listeners"]] == [(179, daemon(seen)["pid"])]
        assert statuses(seen)["bird_socket_ipv4"] == "ok"


def test_every_state_of_a_control_socket(mesh):
    _one, two = mesh

    two.bird.send_signal(signal.SIGSTOP)
    hung = two.collect(timeout=1)
    two.bird.send_signal(signal.SIGCONT)
    well = two.collect()
    denied = two.collect(user=NOBODY, bird_socket=two.socket)
    two.bird.kill()
    two.bird.wait()
    left = two.collect(bird_socket=two.socket)
    os.unlink(two.socket)
    gone = two.collect(bird_socket=two.socket)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(two.socket)
        other.listen(1)
        silent = two.collect(bird_socket=two.socket, timeout=1)

    assert (daemon(hung)["socket_state"], daemon(hung)["process_state"], daemon(hung)["running"]) == (
        "no_answer",
        "T",
        True,
    )
    assert daemon(well)["socket_state"] == "answers"
    assert daemon(denied)["socket_state"] == "denied"
    assert statuses(denied)["bird_socket_ipv4"] == "failed"
    assert (daemon(left)["socket_state"], daemon(left)["running"]) == ("refused", False)
    assert gone["daemons"] == {}
    assert daemon(silent)["socket_state"] == "no_answer"


def test_many_who_wait_for_a_hung_bird(mesh):
    _one, two = mesh
    two.bird.send_signal(signal.SIGSTOP)
    waiting = []
    for _each in range(20):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        client.connect_ex(two.socket)
        waiting.append(client)

    facts = two.collect(timeout=1)
    for client in waiting:
        client.close()

    assert daemon(facts)["socket_state"] == "no_answer"


def test_the_session_over_the_socket_is_restricted(mesh):
    _one, two = mesh

    exchange = control.ask(two.socket, ("disable all", "down", "restart all", "configure"))

    assert [reply.code for reply in exchange.replies] == [8007] * 4
    assert two.established()


def test_another_password_grows_the_listeners_counter(nodes):
    one, two = nodes
    one.configure(two.address, more='password "canary-one";')
    two.configure(one.address, more='password "canary-two";')
    one.start()
    two.start()
    time.sleep(4)

    facts = two.collect()
    dialler = one.collect()

    assert facts["md5"]["failure"]["total"] > 0
    assert facts["md5"]["failure"]["grew"] > 0
    assert facts["md5"]["seconds"] >= 2.2
    assert daemon(facts)["troubled"][0]["password"] is True
    assert daemon(facts)["config"]["password"] == "all"
    assert dialler["md5"]["failure"]["total"] == 0
    assert daemon(dialler)["troubled"][0]["bgp_state"] == "Connect"
    assert "canary" not in json.dumps([facts, dialler])


def test_another_as_number(nodes):
    one, two = nodes
    one.configure(two.address)
    two.configure(one.address, local_as=64513)
    one.start()
    two.start()
    one.wait(lambda: any("Bad peer AS" in " ".join(row) for row in one.sessions()))

    (session,) = daemon(one.collect())["troubled"]

    assert session["last_error"] in ("BGP Error: Bad peer AS", "Received: Bad peer AS")
    assert (session["local_as"], session["neighbor_as"]) == (64512, 64512)


def test_a_port_that_somebody_else_took(nodes):
    one, two = nodes
    script = (
        "import socket, time; s = socket.socket(); s.bind(('', 179)); s.listen(); print(1, flush=True); time.sleep(600)"
    )
    other = subprocess.Popen(two.command(sys.executable, "-c", script), stdout=subprocess.PIPE)
    two.others.append(other)
    other.stdout.readline()
    two.configure(one.address)
    two.start()

    facts = two.collect()

    (listener,) = facts["listeners"]
    assert listener["process"].startswith("python")
    assert listener["pid"] != daemon(facts)["pid"]
    assert daemon(facts)["troubled"][0]["last_error"] == "Error: No listening socket"


def test_a_configuration_that_bird_was_not_told_of(mesh):
    one, two = mesh
    time.sleep(3)
    two.configure(one.address, "10.77.0.99", peer_as=64599)

    config = daemon(two.collect())["config"]

    assert config["newer_than_running"] is True
    assert config["only_on_disk"] == ["Mesh_10_77_0_99"]
    assert config["changed"] == ["Mesh_10_77_0_9"]


def test_a_bird_of_another_network_is_not_ours(mesh):
    facts = subprocess.run(
        [sys.executable, "-c", COLLECT, json.dumps({**PARAMS, "bird_socket": "/nonexistent/bird.ctl"}), "0"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    pids = {entry.get("pid") for entry in json.loads(facts)["daemons"].values()}
    assert not pids & {node.bird.pid for node in mesh}


def test_timers_that_leave_little_room(nodes):
    one, two = nodes
    one.configure(two.address, more="hold time 9; keepalive time 2;")
    two.configure(one.address)
    one.start()
    two.start()
    one.wait(lambda: one.established() and two.established())

    here, there = daemon(one.collect()), daemon(two.collect())

    assert here["config"]["hold_times"] == {"9": {"10.77.0": "10"}}
    assert here["config"]["keepalive_times"] == {"2": {"10.77.0": "10"}}
    assert here["peers"]["short_hold_times"] == {"9": {"10.77.0": "10"}}
    assert there["peers"]["short_hold_times"] == {"9": {"10.77.0": "9"}}
    assert "hold_times" not in there["config"]


KERNEL = """
protocol kernel {{ persist; scan time 2; import none; export all; }}
protocol static {{
  route 10.244.7.0/26 via {peer};
  route 10.244.8.0/26 via {peer};
  route 10.244.9.0/26 blackhole;
}}
"""
ROUTES = "import json, sys\nfrom ansible_collections.netmedic.calico.plugins.module_utils._facts import node\n"
ROUTES += "print(json.dumps(node.gather(json.loads(sys.argv[1]), ('node',))['calico_node']['host']['routes']['ipv4']))"


def test_routes_that_the_kernel_does_not_take(nodes):
    one, two = nodes
    one.configure(two.address)
    with open(os.path.join(one.folder, "config", "bird.cfg"), "a", encoding="utf-8") as stream:
        stream.write(KERNEL.format(peer=two.address))
    one.run("ip", "route", "add", "10.244.8.0/26", "dev", "lo")
    one.start()

    def routes():
        argv = one.command(sys.executable, "-c", ROUTES, json.dumps({**PARAMS, "bird_socket": one.socket}))
        return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)

    one.wait(lambda: "10.244.9.0/26" in one.run("ip", "route"))
    lacking = routes()
    one.run("ip", "route", "del", "10.244.8.0/26", "dev", "lo")
    one.wait(lambda: "10.244.8.0/26" in one.run("ip", "route"))
    well = routes()

    assert lacking["not_in_kernel"] == {
        "exported": 3,
        "in_kernel": 2,
        "missing": {"26": {"10.244.8": "0"}},
        "refused": {"26": {"10.244.8": "0"}},
    }
    assert (well["bird"], "not_in_kernel" in well) == (3, False)
