# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab node as in a large cluster: a thousand established peers, ten thousand firewall rules.

BIRD itself would need a thousand speakers to have a thousand sessions, so here a program in its place answers on its
control socket as BIRD 1.6.8 does, from a configuration of that size, and holds real TCP sessions to a thousand
addresses which the lab's other node carries.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.machine import Machine
    from lab.progress import Say

NODE, OTHER = "node-1", "node-2"
OWN = "10.210.255.254"
PROGRAM = Path(__file__).with_name("emulated_bird.py")
PLACE = "/opt/bench"
CONFIGURATION = "/opt/calico-node/etc/calico/confd/config/bird.cfg"
RUN = "/etc/service/enabled/bird/run"
READY = "/run/calico/bird.ready"
SESSION = re.compile(r"^protocol bgp Mesh_\S+ from bgp_template \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
PATIENCE = 60


@contextmanager
def running(state: str, peers: int, rules: int, say: Say, most_peers: int = 0) -> Iterator[LargeNode]:
    """The lab with its large node, which may get up to `most_peers` later."""
    with Lab.up(2, state=state, say=say) as lab:
        say(f"making {NODE} a node with {peers} peers and {rules} rules")
        node = LargeNode(lab, max(peers, most_peers))
        node.rules(rules)
        node.peers(peers)
        yield node


class LargeNode:
    """The large node of a lab; how many rules and peers it has can be changed."""

    def __init__(self, lab: Lab, most_peers: int) -> None:
        self.lab = lab
        self._machine, self._other = lab.machine(NODE), lab.machine(OTHER)
        self._addresses = [f"10.210.{number // 250}.{number % 250 + 1}" for number in range(most_peers)]
        _add_addresses(self._other, self._addresses)
        _add_addresses(self._machine, [OWN])
        # By way of one neighbour: the kernel keeps 1,024 at most, for all namespaces together.
        via = {node.name: node.address for node in lab.nodes}[OTHER]
        self._machine.exec(["ip", "route", "replace", "10.210.0.0/16", "via", via, "src", OWN])
        self._other.exec(["ip", "route", "replace", f"{OWN}/32", "dev", "eth0"])
        _answer_for(self._other)
        _put_program(self._machine)
        self._machine.exec(["sed", "-i", f"s#exec bird #exec {PLACE}/bird {PLACE}/emulated_bird.py #", RUN])
        text = self._machine.file(CONFIGURATION).read_text(encoding="utf-8")
        sample = SESSION.search(text)
        if sample is None:
            raise RuntimeError(f"{CONFIGURATION} has no mesh session to multiply")
        self._sample, self._rest = sample.group(0), SESSION.sub("", text)

    def peers(self, count: int) -> None:
        """Let it have sessions with so many peers, all of them established."""
        sessions = [_session(self._sample, address) for address in self._addresses[:count]]
        self._machine.file(CONFIGURATION).write_text(self._rest + "\n".join(sessions), encoding="utf-8")
        self._restart()

    def lose_all_peers(self) -> None:
        """Let no packet come back from any peer, and all sessions be down for that."""
        self._machine.exec(["touch", f"{PLACE}/alone"])
        self._other.exec(["iptables", "-I", "INPUT", "-d", "10.210.0.0/16", "-j", "DROP"])
        self._restart()

    def rules(self, count: int) -> None:
        """Load a ruleset of that size: half of it every packet to the node goes through, half of it stands aside."""
        self._machine.exec(["iptables-restore"], text_input=_ruleset(count) if count else "*filter\nCOMMIT\n")

    def _restart(self) -> None:
        """Start the emulator again; wait until it holds all its sessions and answers."""
        self._machine.exec(["rm", "-f", READY])
        self._machine.sv("restart", "bird")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self._machine.exec(["test", "-e", READY], check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise RuntimeError("the emulated BIRD did not come up")


def _add_addresses(machine: Machine, addresses: list[str]) -> None:
    """Give a machine more addresses."""
    lines = "".join(f"address add {address}/16 dev eth0 noprefixroute\n" for address in addresses)
    machine.exec(["ip", "-batch", "-"], text_input=lines)


def _put_program(machine: Machine) -> None:
    """Put the program on a machine, under a Python that is called bird, as the process is to be found by that name."""
    machine.exec(["mkdir", "-p", PLACE])
    machine.exec(["ln", "-sf", "/usr/bin/python3", f"{PLACE}/bird"])
    machine.file(f"{PLACE}/emulated_bird.py").write_bytes(PROGRAM.read_bytes())


def _answer_for(machine: Machine) -> None:
    """Let the other node accept BGP connections for all those peers."""
    _put_program(machine)
    machine.exec(["sed", "-i", f"s#exec bird .*#exec python3 {PLACE}/emulated_bird.py --accept'#", RUN])
    machine.sv("restart", "bird")


def _session(sample: str, address: str) -> str:
    """A mesh session of bird.cfg for another peer."""
    named = re.sub(r"Mesh_\S+", f"Mesh_{address.replace('.', '_')}", sample)
    named = re.sub(r"neighbor \S+ as", f"neighbor {address} as", named)
    return re.sub(r"source address [0-9.]+", f"source address {OWN}", named)


def _ruleset(count: int) -> str:
    """What iptables-restore wants for so many rules."""
    through = [f"-A denied -s 198.18.{number // 250}.{number % 250}/32 -j DROP" for number in range(count // 2 - 1)]
    aside = [
        f"-A services -d 10.96.{number // 250}.{number % 250}/32 -p tcp -m tcp --dport {1024 + number} -j ACCEPT"
        for number in range(count - count // 2 - 1)
    ]
    head = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ":denied - [0:0]"]
    lines = [*head, ":services - [0:0]", "-A INPUT -j denied", "-A FORWARD -j services", *through, *aside, "COMMIT", ""]
    return "\n".join(lines)
