# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""node_facts against the obvious alternative: the programs an operator would call, one shell task each.

Both are small playbooks on the same large node in the same run; they take turns.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import large_node
from bench.figure import Figure
from bench.wall_time import SETTINGS, STATE, ansible_program, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.large_node import LargeNode
    from lab.progress import Say

PEERS, RULES = 1000, 10_000
ROUNDS = 3
COMMANDS = (
    "iptables -L -n",
    "birdc -s /run/calico/bird.ctl show protocols all",
    "ss -tanp",
    "ip addr; ip route",
    "chronyc tracking",
)
HOW = (
    f"a lab node with {PEERS} peers and {RULES} rules; one play of {len(COMMANDS)} shell tasks "
    f"({', '.join(COMMANDS)}) and one of node_facts, without fact gathering, in turns, medians of {ROUNDS}, SSH "
    "connections warm; processor time of everything on the node; bytes: standard output of the programs, facts as "
    "compact JSON"
)
# The processor time that all processes of the node have used so far, with that of children which have ended.
_USED = """
import os
ticks = 0
for name in os.listdir("/proc"):
    if name.isdigit():
        try:
            with open("/proc/" + name + "/stat") as stream:
                ticks += sum(map(int, stream.read().rpartition(")")[2].split()[11:15]))
        except OSError:
            pass
print(ticks / os.sysconf("SC_CLK_TCK"))
"""
_BYTES = re.compile(r"RETURNED (\d+) BYTES")


class Cost(NamedTuple):
    """What one run cost."""

    wall: float
    cpu: float
    size: int


def figures(say: Say) -> Iterator[Figure]:
    """Wall time, processor time on the node and bytes of both, and how many times more the alternative takes."""
    with large_node.running(STATE, PEERS, RULES, say) as node, tempfile.TemporaryDirectory(prefix="nm-") as place:
        plays = {name: _play(Path(place), name, tasks) for name, tasks in _tasks().items()}
        costs: dict[str, list[Cost]] = {name: [] for name in plays}
        _run(node, plays["shell"])  # opens the connections
        for turn in range(1, ROUNDS + 1):
            say(f"round {turn} of {ROUNDS}")
            for name, play in plays.items():
                costs[name].append(_run(node, play))
    medians = {name: [statistics.median(values) for values in zip(*runs, strict=True)] for name, runs in costs.items()}
    for number, (what, unit) in enumerate((("wall_seconds", "s"), ("node_cpu_seconds", "s"), ("bytes", "bytes"))):
        shell, facts = medians["shell"][number], medians["node_facts"][number]
        yield Figure(f"alternative_{what}", round(shell, 3), unit, how=HOW)
        yield Figure(f"node_facts_{what}", round(facts, 3), unit, how=HOW)
        yield Figure(f"alternative_to_node_facts_{what}", round(shell / max(facts, 0.001), 2), "ratio", how=HOW)


def _tasks() -> dict[str, list[dict[str, Any]]]:
    """The tasks of both plays. The last one tells how much came back."""
    shell: list[dict[str, Any]] = [
        {"name": command, "ansible.builtin.shell": command, "register": f"told_{number}", "changed_when": False}
        for number, command in enumerate(COMMANDS)
    ]
    texts = ", ".join(f"told_{number}.stdout" for number in range(len(COMMANDS)))
    facts = [{"name": "node_facts", "netmedic.calico.node_facts": {}, "register": "told"}]
    compact = "told.ansible_facts | to_json(separators=(',', ':'))"
    return {
        "shell": [*shell, _say_size(f"[{texts}] | join('') | length")],
        "node_facts": [*facts, _say_size(f"{compact} | length")],
    }


def _say_size(expression: str) -> dict[str, Any]:
    return {"name": "Size", "ansible.builtin.debug": {"msg": f"RETURNED {{{{ {expression} }}}} BYTES"}}


def _play(place: Path, name: str, tasks: list[dict[str, Any]]) -> Path:
    """Write a playbook; JSON is YAML."""
    path = place / f"{name}.yml"
    play = {"name": name, "hosts": large_node.NODE, "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]), encoding="utf-8")
    return path


def _run(node: LargeNode, play: Path) -> Cost:
    """Run a playbook once."""
    argv = [ansible_program("ansible-playbook"), str(play), "-i", node.lab.inventory]
    before, started = _used(node), time.monotonic()
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment(SETTINGS))
    wall = time.monotonic() - started
    size = _BYTES.search(done.stdout)
    if done.returncode or size is None:
        raise RuntimeError(f"{play.name} ended with status {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return Cost(wall, _used(node) - before, int(size.group(1)))


def _used(node: LargeNode) -> float:
    """Processor seconds of the whole node so far."""
    return float(node.lab.exec(large_node.NODE, ["python3", "-c", _USED], check=True).stdout)
