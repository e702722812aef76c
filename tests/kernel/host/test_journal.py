# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

import ansible_collections.netmedic.calico as collection

DAEMON = "/lib/systemd/systemd-journald"
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces, which needs root"),
    pytest.mark.skipif(not (os.path.exists(DAEMON) and shutil.which("journalctl")), reason="there is no journald"),
]

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
HOST = """
set -e
mount -t tmpfs tmpfs /media
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t proc proc /proc
mkdir -p /run/systemd/system /run/systemd/journal /run/log/journal
# journald ends at once where it cannot tell which control group it is in.
test -e /sys/fs/cgroup/cgroup.procs -o -e /sys/fs/cgroup/systemd || mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec {python} - {root} {daemon}
"""
NOT_STARTED = 77
# journald takes the unit from the sender's control group, or, of root, from what it says itself.
GATHER = """
import json, os, socket, struct, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Installation
from ansible_collections.netmedic.calico.plugins.module_utils._facts import host, host_counters, host_logs
from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process, ProcessTable

stamp = time.strftime("%m%d %H:%M:%S.000000    1388 prober.go:104] ")
ERRORED = "E" + stamp + '"Probe errored" err="rpc error: code = DeadlineExceeded" pod="kube-system/calico-node-x"'
FAILED = "I" + stamp + '"Probe failed" pod="kube-system/calico-node-x" output=<'
FAILED += "\\n\\tcalico/node is not ready: no BIRD\\n >"


def connected(journal):
    for start in range(3):
        daemon = subprocess.Popen(
            [sys.argv[2]], env=dict(os.environ, SYSTEMD_LOG_TARGET="console"), stderr=subprocess.PIPE, text=True
        )
        for attempt in range(100):
            try:
                return journal.connect("/run/systemd/journal/socket")
            except OSError:
                if daemon.poll() is not None:
                    break
                time.sleep(0.2)
        daemon.kill()
        print(daemon.communicate()[1] or "no word from journald", file=sys.stderr)
    sys.exit(77)


with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
    connected(journal)
    for message, unit in ((ERRORED, "k3s-agent"), (FAILED, "k3s-agent"), (ERRORED, "other")):
        body = b"MESSAGE\\n" + struct.pack("<Q", len(message)) + message.encode()
        journal.send(body + ("\\nSYSLOG_IDENTIFIER=k3s\\nOBJECT_SYSTEMD_UNIT=%s.service\\n" % unit).encode())
time.sleep(1)
os.makedirs("/media/9")
with open("/media/9/cgroup", "w") as group:
    group.write("0::/system.slice/k3s-agent.service\\n")
view = host.View(
    ProcessTable([Process(9, "k3s-agent", "/media/9")]), Installation([], "bird", ""), None, None, {}, [], {}, [], {},
    host_counters.Started(0.0, {}),
)
print(json.dumps(host_logs.gather(view, {"kubelet": {"process": "k3s-agent"}}, Sources()).get("log")))
"""


def test_kubelets_lines_are_read_from_the_journal_of_its_unit():
    script = HOST.format(daemon=DAEMON, python=sys.executable, root=ROOT)
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    done = subprocess.run(argv, input=GATHER, capture_output=True, text=True, timeout=120, check=False)

    if done.returncode == NOT_STARTED:
        pytest.skip("journald does not start here: " + done.stderr.strip())
    assert done.returncode == 0, done.stderr
    found = {line["kind"]: line for line in json.loads(done.stdout)}
    assert set(found) == {"probe_errored", "calico_not_ready"}
    assert "count" not in found["probe_errored"]
    assert found["calico_not_ready"]["text"] == "calico/node is not ready: no BIRD"
    assert found["calico_not_ready"]["at"]
