# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubelet and container runtime of this node, as far as processes and sockets tell."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .processes import Process, ProcessTable

# Kubelet is a program of its own, or a part of a distribution's one.
_KUBELETS = ("kubelet", "k3s-server", "k3s-agent", "k3s", "rke2", "kubelite", "k0s", "hyperkube")
_RUNTIMES = ("containerd", "crio", "dockerd", "cri-dockerd")
_FLAGS = {"node_ip": "node-ip", "hostname_override": "hostname-override", "runtime": "container-runtime-endpoint"}
_SOCKETS = (
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/cri-dockerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/k0s/containerd.sock",
)
_SCHEME = "unix://"


def kubelet(processes: ProcessTable, here: str = "") -> dict[str, Any]:
    """Return calico_node.host.kubelet: its process, age, state if it is not at work, --node-ip, --hostname-override;
    {"running": False} if there is none. `here` is our network namespace: processes of others are pods'."""
    process = _first(processes.named(*_KUBELETS), here)
    if process is None:
        return {"running": False}
    facts = _of(process)
    facts.update({key: value for key, value in _flags(process.argv).items() if key != "runtime"})
    return facts


def runtime(processes: ProcessTable, here: str = "", root: str = "") -> dict[str, Any]:
    """Return calico_node.host.container_runtime: process, age, and its socket if that is missing."""
    keeper = _first(processes.named(*_KUBELETS), here)
    endpoint = _flags(keeper.argv).get("runtime", "") if keeper else ""
    process = _first(processes.named(*_RUNTIMES), here)
    facts: dict[str, Any] = _of(process) if process else {"running": False}
    wanted = [endpoint[len(_SCHEME) :]] if endpoint.startswith(_SCHEME) else list(_SOCKETS)
    if (keeper or process) and not any(_is_socket(root + path) for path in wanted):
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
        for wanted, flag in _FLAGS.items():
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
        there = process.network_namespace
        if not here or not there or there == here:
            return process
    return None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
