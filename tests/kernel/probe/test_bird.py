# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a real BIRD makes of our probes, and of what everybody else uses in their place."""

from __future__ import annotations

import re
import socket
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._probe import echo, loop, path_mtu, syn

ADDRESSES = {"bird": ("10.77.0.9", "10.77.0.10"), "bird6": ("fd77::9", "fd77::a")}
# In the shape that confd gives it; the node with the greater address, as text, dials.
CONFIG = """
router id {router_id};
timeformat protocol "%Y-%m-%d %H:%M:%S";
protocol kernel {{ learn; persist; scan time 2; import all; export all; graceful restart; }}
protocol device {{ scan time 2; }}
template bgp bgp_template {{
  debug {{ states, events }};
  description "Connection to BGP peer";
  local as 64512;
  multihop;
  gateway recursive;
  import all;
  export none;
  source address {own};
  add paths on;
  graceful restart;
  connect delay time 2;
  connect retry time 5;
  error wait time 5,30;
}}
protocol bgp {name} from bgp_template {{
  neighbor {peer} as 64512;
  {passive}
}}
"""


class Bird:
    """One BIRD on one host."""

    def __init__(self, wires, host, program, own, peer, passive):
        self._host, self._socket = host, str(wires.folder / f"{host.name}.ctl")
        self._log = wires.folder / f"{host.name}.log"
        config = wires.folder / f"{host.name}.cfg"
        router_id = "10.77.0.9" if own.endswith("9") else "10.77.0.10"
        name = "Mesh_" + re.sub(r"[.:]", "_", peer)
        config.write_text(
            CONFIG.format(router_id=router_id, own=own, peer=peer, name=name, passive="passive on;" if passive else "")
        )
        with open(self._log, "w", encoding="utf-8") as log:
            argv = [program, "-R", "-s", self._socket, "-d", "-c", str(config)]
            wires.keep(host.start(*argv, stdout=log, stderr=log))

    def session(self):
        """Return the session's state, since when (seconds), and BIRD's last word on it."""
        shown = self._host.run("birdc", "-r", "-s", self._socket, "show", "protocols", check=False)
        line = next((line for line in shown.splitlines() if line.startswith("Mesh_")), "")
        state, date, clock, *info = line.split()[3:] or ["", "1970-01-01", "00:00:00"]
        return state, time.mktime(time.strptime(f"{date} {clock}", "%Y-%m-%d %H:%M:%S")), " ".join(info)

    def established(self):
        return self.session()[2] == "Established"

    def log(self):
        return self._log.read_text(encoding="utf-8")


@pytest.fixture(params=["bird", "bird6"])
def mesh(request, needs, wires, pair):
    needs(request.param, "birdc")
    own, peer = ADDRESSES[request.param]
    one, two = pair
    birds = (
        Bird(wires, one, request.param, own, peer, passive=False),
        Bird(wires, two, request.param, peer, own, passive=True),
    )
    deadline = time.monotonic() + 30
    while not all(bird.established() for bird in birds):
        assert time.monotonic() < deadline, [bird.log() for bird in birds]
        time.sleep(0.1)
    # `since` counts in seconds: what happens from now on must not fall into the same one.
    time.sleep(2.2)
    return one, two, own, peer, birds


def unchanged(bird, session, log):
    """BIRD works `since` out anew from two clocks at every reply, so that it jumps by a second now and then."""
    state, since, info = bird.session()
    return (state, info) == session[::2] and abs(since - session[1]) <= 1 and bird.log() == log


def probe_both_ways(own, peer, times):
    results = []
    for _repeat in range(times):
        paths = [path_mtu.Path("path", [peer], own, 1500)]
        probers = [
            syn.SynProber([syn.SynTarget(peer, 179, own)], 0.5, 1000.0),
            echo.EchoProber([(peer, own)], 0.5, 1000.0),
            path_mtu.PathProber(paths, 0.5),
        ]
        assert loop.run(probers, 5.0)
        results.append((probers[0].results[0].result, probers[1].results[0], probers[2].results[0].result))
    return results


def test_probes_from_a_neighbours_own_address_leave_the_session_alone(mesh):
    one, two, own, peer, birds = mesh
    before = [(bird.session(), bird.log()) for bird in birds]

    assert one.call(probe_both_ways, own, peer, 20) == [("open", "answered", "ok")] * 20
    assert two.call(probe_both_ways, peer, own, 20) == [("open", "answered", "ok")] * 20

    time.sleep(2.2)
    assert all(unchanged(bird, *then) for bird, then in zip(birds, before, strict=True))
    assert one.half_open() == two.half_open() == 0


def connect(own, peer):
    with socket.socket(socket.AF_INET6 if ":" in peer else socket.AF_INET) as plain:
        plain.bind((own, 0))
        plain.settimeout(3.0)
        plain.connect((peer, 179))


def test_a_plain_connect_from_the_same_address_breaks_the_session(mesh):
    one, _two, own, peer, birds = mesh
    before = [(bird.session(), bird.log()) for bird in birds]

    one.call(connect, own, peer)

    time.sleep(1.0)
    assert not any(unchanged(bird, *then) for bird, then in zip(birds, before, strict=True))
    for bird, (_session, log) in zip(birds, before, strict=True):
        assert "State changed" in bird.log()[len(log) :]
