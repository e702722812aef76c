# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel says of connections of a program that stands in for Felix: the real one needs a cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

import ansible_collections.netmedic.calico as collection

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root")

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
# The table is as libcalico-go/lib/health writes it (health_test.go).
FELIX = """
import socket, sys, threading, time

TABLE = (
    "+------------------+---------+----------------+---------------------+--------+\\n"
    "| COMPONENT        | TIMEOUT | LIVENESS       | READINESS           | DETAIL |\\n"
    "+------------------+---------+----------------+---------------------+--------+\\n"
    "| CalculationGraph | 30s     | reporting live | reporting ready     |        |\\n"
    "| FelixStartup     | -       | reporting live | reporting non-ready |        |\\n"
    "+------------------+---------+----------------+---------------------+--------+"
)


def serve(server, answer):
    while True:
        client = server.accept()[0]
        client.recv(4096)
        client.sendall(answer)
        client.close()


def dial(address, port):
    def run():
        kept.append(socket.socket())
        kept[-1].connect((address, port))
        time.sleep(60)

    threading.Thread(target=run, daemon=True).start()


kept = []
name, state = sys.argv[1:3]
with open("/proc/self/comm", "w") as comm:
    comm.write(name)
if state != "silent":
    head = "HTTP/1.0 503 Service Unavailable" if state == "not_ready" else "HTTP/1.0 200 OK"
    server = socket.create_server(("127.0.0.1", 9099))
    threading.Thread(target=serve, args=(server, (head + "\\r\\n\\r\\n" + TABLE).encode()), daemon=True).start()
for target in sys.argv[3:]:
    dial(target.split(",")[0], int(target.split(",")[1]))
time.sleep(60)
"""
LISTEN = """
import socket, sys, time
kept = [socket.create_server((word.split(",")[0], int(word.split(",")[1]))) for word in sys.argv[1:]]
time.sleep(60)
"""
GATHER = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
time.sleep(1.5)
print(json.dumps(node.gather({"probe": False}, ("node",))["calico_node"]["host"].get("control_plane")))
"""
HOST = """
set -e
mount -t proc proc /proc
ip link set lo up
ip address add 10.200.0.10/32 dev lo
ip address add 10.96.0.1/32 dev lo
mkdir /media/programs && cat > /media/programs/felix.py <<'END'
{felix}
END
cat > /media/programs/listen.py <<'END'
{listen}
END
cat > /media/programs/gather.py <<'END'
{gather}
END
"""
TOLD = (
    "KUBERNETES_SERVICE_HOST=10.96.0.1 KUBERNETES_SERVICE_PORT=443 FELIX_HEALTHENABLED=true "
    "FELIX_TYPHAK8SSERVICENAME=calico-typha FELIX_TYPHAK8SNAMESPACE=calico-system FELIX_TYPHACN=typha-server "
    "CALICO_TYPHA_SERVICE_HOST=10.96.0.77"
)


def control_plane(commands):
    """Return calico_node.host.control_plane of a host of its own on which these commands were run."""
    script = "mount -t tmpfs tmpfs /media\n" + HOST.format(felix=FELIX, listen=LISTEN, gather=GATHER)
    script += textwrap.dedent(commands) + f"\n{sys.executable} /media/programs/gather.py {ROOT}"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60, check=False)
    assert done.returncode == 0
    return json.loads(done.stdout)


def test_connections_that_are_there_are_counted():
    found = control_plane(
        f"""
        {sys.executable} /media/programs/listen.py 10.96.0.1,443 10.200.0.10,5473 & sleep 0.5
        {TOLD} {sys.executable} /media/programs/felix.py calico-felix ready 10.96.0.1,443 10.200.0.10,5473 &
        """
    )

    assert found == {
        "apiserver": {"10.96.0.1:443": {"established": 1, "told": ["calico"]}},
        "typha": {"service": "calico-system/calico-typha", "connections": {"10.200.0.10:5473": {"established": 1}}},
        "felix": {"state": "ready"},
    }


def test_a_typha_that_does_not_answer_is_seen_with_who_asks_it():
    found = control_plane(
        f"""
        iptables -A OUTPUT -p tcp --dport 5473 -j DROP
        {sys.executable} /media/programs/listen.py 10.96.0.1,443 & sleep 0.5
        {TOLD} {sys.executable} /media/programs/felix.py calico-felix not_ready 10.96.0.1,443 10.200.0.10,5473 &
        """
    )

    assert found["apiserver"]["10.96.0.1:443"]["established"] == 1
    assert found["typha"] == {
        "service": "calico-system/calico-typha",
        "service_address": "10.96.0.77",
        "connections": {"10.200.0.10:5473": {"established": 0, "opening": 1, "opened_by": ["calico-felix"]}},
        "expects": {"cn": "typha-server"},
    }
    assert found["felix"] == {"state": "not_ready", "parts": {"FelixStartup": "reporting non-ready"}}


def test_an_api_server_that_does_not_answer_is_seen():
    found = control_plane(
        f"""
        iptables -A OUTPUT -d 10.96.0.1 -j DROP
        {TOLD} {sys.executable} /media/programs/felix.py calico-felix silent 10.96.0.1,443 &
        """
    )

    (entry,) = found["apiserver"].values()
    assert entry == {"established": 0, "opening": 1, "opened_by": ["calico-felix"], "told": ["calico"]}
    assert found["felix"] == {"state": "not_listening"}


def test_another_programs_listener_is_not_asked():
    found = control_plane(
        f"""
        {sys.executable} /media/programs/listen.py 127.0.0.1,9099 & sleep 0.5
        {TOLD} {sys.executable} /media/programs/felix.py calico-felix silent &
        """
    )

    assert found["felix"]["state"] == "port_taken"
    assert found["felix"]["process"].startswith("python")
