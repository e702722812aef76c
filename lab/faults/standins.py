# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins for programs of Calico that the lab does not have: Python and nc under their names.

They connect and listen as Felix and Typha do and speak not a word of their protocol. The lines that a fault puts into
calico-node's log are Felix' own words for what the stand-in meets.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..controller import hosts
from . import cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..machine import Machine
    from .model import Case

FELIX, TYPHA, KUBE_PROXY = "calico-felix", "calico-typha", "kube-proxy"
_DIRECTORY = "/run/stand-ins"
_IDLE = "import signal; signal.pause()"
_DIAL = """\
import socket, sys, time
while True:
    try:
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection:
            while connection.recv(1):
                pass
    except OSError:
        pass
    time.sleep(1)
"""


def felix(case: Case, machine: Machine, environment: Mapping[str, str], address: str = "", port: int = 0) -> None:
    """Start Felix' stand-in, which dials an address for as long as it lives; with none it does nothing."""
    dial = ["-c", _DIAL, address, str(port)] if address else ["-c", _IDLE]
    start(case, machine, FELIX, dial, environment)


def typha(case: Case, machine: Machine, port: int) -> None:
    """Start Typha's stand-in, which listens."""
    start(case, machine, TYPHA, ["-lk", str(port)], {}, "/usr/bin/nc")


def start(
    case: Case,
    machine: Machine,
    name: str,
    arguments: list[str],
    environment: Mapping[str, str],
    program: str = "/usr/bin/python3",
) -> None:
    """Start a program under another name; it lives on until `stop`."""
    variables = [f"{key}={value}" for key, value in environment.items()]
    # A process has the name by which its program was called.
    words = shlex.join(["env", "-i", *variables, f"{_DIRECTORY}/{name}", *arguments])
    prepare = f"mkdir -p {_DIRECTORY} && ln -sf {program} {_DIRECTORY}/{name}"
    case.run(["sh", "-c", f"{prepare} && setsid {words} >/dev/null 2>&1 </dev/null &"], machine)


def stop(case: Case, machine: Machine, name: str) -> None:
    """End a stand-in."""
    case.try_run(["sh", "-c", f"kill $(pgrep -x {name}); rm -f {_DIRECTORY}/{name}"], machine)


def running(machine: Machine, name: str) -> bool:
    """Whether a stand-in runs."""
    return bool(machine.exec(["pgrep", "-x", name], check=False).stdout.strip())


def felix_says(case: Case, node: str, *lines: str) -> None:
    """Put lines into the log of a node's calico-node container; "%t" stands for the time."""
    machine = case.lab.machine(node)
    stamp = machine.exec(["date", "-u", "+%Y-%m-%d %H:%M:%S.000"]).stdout.strip()
    written = [line.replace("%t", stamp) for line in lines]
    hosts.write_log(machine, *log_of(case, node, "calico-node"), written)


def log_of(case: Case, node: str, container: str) -> tuple[str, int]:
    """Where the log of a container of a node's calico-node pod is, and of which start; `forget_log` removes it."""
    from ..controller.kubelet import log_directory  # which needs `lab`, which needs the faults

    pod = cluster.calico_pods(case.lab)[node]
    directory = log_directory(pod, container)
    states = (pod.get("status") or {}).get("containerStatuses") or [{}]
    case.undo.setdefault("logs", {})[node] = directory
    return directory, states[0].get("restartCount", 0)


def forget_log(case: Case) -> None:
    """Remove the logs that were written to."""
    for node, directory in case.undo.get("logs", {}).items():
        forget(case.lab.machine(node), directory)


def forget(machine: Machine, directory: str) -> None:
    """Remove the logs of a pod, by the directory of one of its containers; "": of none."""
    if machine.running and directory:
        hosts.remove_log(machine, directory)
