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

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes network namespaces, which needs root"),
    pytest.mark.skipif(shutil.which("bird") is None, reason="there is no BIRD"),
]

ROOT = next(iter(collection.__path__)).rpartition("/ansible_collections/")[0]
SPEAKER = """
import socket, time
with open("/proc/self/comm", "w") as comm:
    comm.write("speaker")
kept = socket.create_connection(("10.200.0.254", 179))
time.sleep(60)
"""
ROUTER = """
import socket, time
kept = socket.create_server(("10.200.0.254", 179))
time.sleep(60)
"""
GATHER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.netmedic.calico.plugins.module_utils._facts import node
facts = node.gather({"probe": False}, ("bgp",))["calico_bgp"]
print(json.dumps([facts.get("other_speakers"), [one["process"] for one in facts["listeners"]]]))
"""
HOST = """
set -e
mount -t tmpfs tmpfs /media
mount -t proc proc /proc
ip link set lo up
unshare --net sleep 60 &
far=$!
sleep 0.3
ip link add eth0 type veth peer name eth1 netns $far
ip address add 10.200.0.9/24 dev eth0
ip link set eth0 up
nsenter -t $far -n ip address add 10.200.0.254/24 dev eth1
nsenter -t $far -n ip link set eth1 up
cat > /media/router.py <<'END'
{router}
END
cat > /media/speaker.py <<'END'
{speaker}
END
cat > /media/gather.py <<'END'
{gather}
END
printf 'router id 10.200.0.9;\\nprotocol device {{ }}\\nprotocol bgp Mesh_10_200_0_10 {{\\n' > /media/bird.cfg
printf '  local as 64512; neighbor 10.200.0.10 as 64512; passive on;\\n}}\\n' >> /media/bird.cfg
bird -f -c /media/bird.cfg -s /media/bird.ctl &
nsenter -t $far -n {python} /media/router.py &
sleep 1
"""


def others(commands):
    """Return other_speakers and the listeners' names of a host with a BIRD, on which these commands were run."""
    python = sys.executable
    script = HOST.format(router=ROUTER, speaker=SPEAKER, gather=GATHER, python=python)
    script += f"{commands}\nsleep 1\n{python} /media/gather.py {ROOT}"
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60, check=False)
    assert done.returncode == 0
    return json.loads(done.stdout)


def test_a_program_with_sessions_of_its_own_is_named():
    (found,), listening = others(f"{sys.executable} /media/speaker.py &")

    assert listening == ["bird"]
    assert found.pop("pid") > 1
    assert found == {"process": "speaker", "peers": {"10.200.0": "254"}}


def test_a_bird_alone_has_no_company():
    assert others("") == [None, ["bird"]]
