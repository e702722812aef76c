# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubelet and container runtime of this node, as far as processes, sockets and distributions' own files tell."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .processes import Process, ProcessTable

# Kubelet is a program of its own, or a part of a distribution's one; RKE2 and k0s start it as their child.
KUBELETS = ("kubelet", "k3s-server", "k3s-agent", "k3s", "rke2", "kubelite", "k0s", "hyperkube")
RUNTIMES = ("containerd", "crio", "dockerd", "cri-dockerd")
FLAGS = {"node_ip": "node-ip", "hostname_override": "hostname-override", "runtime": "container-runtime-endpoint"}
SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/k0s/containerd.sock",
)
_SCHEME = "unix://"
_SUPERVISORS = ("rke2", "k0s")
# The program k3s is many things; as these it holds a kubelet.
_MANY_THINGS = ("k3s", "hyperkube")
_HOLDING = ("server", "agent", "kubelet")
_IN_FILES = ("k3s", "k3s-server", "k3s-agent", "kubelite")


def kubelet(processes: ProcessTable, here: str = "", root: str | None = None) -> dict[str, Any]:
    """Return calico_node.host.kubelet: its process, age, state if it is not at work, --node-ip, --hostname-override,
    and the supervisor that a distribution starts it by; {"running": False} if there is none, with the supervisor if
    that runs. `here` is our network namespace: processes of others are pods'. `root` is where a distribution's files
    are ('' for this very host), None if they are not at hand."""
    process, supervisor = keeper(processes, here)
    facts: dict[str, Any] = {"running": False} if process is None else _of(process)
    if process is not None:
        facts.update({key: value for key, value in _told(process, root).items() if key != "runtime"})
    if supervisor is not None:
        facts["supervisor"] = " ".join((supervisor.comm, *supervisor.argv[1:2]))
    return facts


def keeper(processes: ProcessTable, here: str = "") -> tuple[Process | None, Process | None]:
    """Return the process that is or holds kubelet, and the one of a distribution that starts and watches it."""
    found = processes.named(*KUBELETS)
    holders = [process for process in found if process.comm not in _SUPERVISORS and _holds(process)]
    # A kubelet of its own is one beyond doubt, whoever was there before it.
    holders.sort(key=lambda process: (process.comm != "kubelet", process.pid))
    watching = [process for process in found if process.comm in _SUPERVISORS and len(process.argv) > 1]
    return _first(holders, here), _first(watching, here)


def told_addresses(processes: ProcessTable, here: str = "", root: str | None = None) -> list[str] | None:
    """Return the addresses that kubelet was told to give as the node's; None if it was told none."""
    process = keeper(processes, here)[0]
    given = _told(process, root).get("node_ip") if process is not None else None
    return given.split(",") if given else None


def _told(process: Process, root: str | None) -> dict[str, str]:
    told = _flags(process.argv)
    if root is not None and process.comm in _IN_FILES:
        from . import distributions

        return dict(distributions.told(process, root), **told)
    return told


def _holds(process: Process) -> bool:
    return process.comm not in _MANY_THINGS or any(word in _HOLDING for word in process.argv[1:3])


def runtime(
    processes: ProcessTable, here: str = "", root: str = "", is_there: Callable[[str], bool] | None = None
) -> dict[str, Any]:
    """Return calico_node.host.container_runtime: process, age, and its socket if that is missing. `is_there` says of a
    path whether a socket is there, by default below `root`."""
    holder = keeper(processes, here)[0]
    endpoint = _flags(holder.argv).get("runtime", "") if holder else ""
    process = _first(processes.named(*RUNTIMES), here)
    facts: dict[str, Any] = _of(process) if process else {"running": False}
    wanted = [endpoint[len(_SCHEME) :]] if endpoint.startswith(_SCHEME) else list(SOCKETS)
    if (holder or process) and not any(is_there(path) if is_there else _is_socket(root + path) for path in wanted):
        facts["socket_missing"] = wanted[0]
    return facts


def parse_flags(argv: Iterable[str]) -> dict[str, str]:
    """Return node_ip, hostname_override and runtime as a kubelet's command line gives them ("--node-ip=…", or the value
    in the next word). Others are not looked at."""
    found: dict[str, str] = {}
    key = ""
    for word in argv:
        if key:
            found[key], key = word, ""
            continue
        name, equals, value = word.lstrip("-").partition("=")
        for wanted, flag in FLAGS.items():
            if word.startswith("--") and name == flag:
                if equals:
                    found[wanted] = value
                else:
                    key = wanted
    return found


def _flags(argv: Iterable[str]) -> dict[str, str]:
    # k3s hands on what kubelet is to be told as --kubelet-arg=node-ip=….
    words = [
        "--" + word.split("=", 1)[1].lstrip("-") if word.startswith("--kubelet-arg=") else word for word in list(argv)
    ]
    return parse_flags(words)


def _of(process: Process) -> dict[str, Any]:
    facts: dict[str, Any] = {"process": process.comm}
    age = process.started_seconds_ago
    if age is not None:
        facts["started_seconds_ago"] = int(age)
    if process.state in ("T", "t", "D"):
        facts["state"] = process.state
    return facts


def _first(found: list[Process], here: str) -> Process | None:
    """Return the eldest of our network: a runtime's children bear its name for a moment."""
    for process in found:
        if not here or process.network_namespace in ("", here):
            return process
    return None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
