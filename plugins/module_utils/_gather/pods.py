# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs of Calico's pods as kubelet keeps them on the node: they are there also while the API is not.

/var/log/pods/<namespace>_<pod>_<uid>/<container>/<number>.log: the newest one is the running container's, the one
before it the previous one's (kubelet, pkg/kubelet/kuberuntime/logs). Older parts of a long log, which kubelet has put
aside and packed, are listed and not read.
"""

from __future__ import annotations

import os
import time

from .._host.processes import names_in
from .._record import NamedTuple
from .model import MORE
from .wanted import KIB, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = "/var/log/pods"
_PODS = (
    "_calico-node-",
    "_canal-",
    "_rke2-canal-",
    "_calico-typha-",
    "_calico-kube-controllers-",
    "_tigera-operator-",
    "_calico-apiserver-",
    "_kube-flannel-",
)
# The newest log of these containers has the name by which the analysis knows it.
_CANONICAL = {
    "calico-node": "calico-node.log",
    "calico-typha": "typha.log",
    "calico-kube-controllers": "calico-kube-controllers.log",
    "install-cni": "install-cni.log",
    "kube-flannel": "kube-flannel.log",
}
_CURRENT, _PREVIOUS = 1024 * KIB, 512 * KIB
# Of a pod that starts anew all the time, and of one that was replaced again and again.
_MOST_PODS = 24
_LISTED = 2000


class _Log(NamedTuple):
    """A log file: container, path of its folder below FOLDER, file, and when it was last written to."""

    container: str
    folder: str
    name: str
    modified: float


def logs(root: str = "") -> list[File]:
    """Return the current and the previous log of each container of Calico's pods, the newest pods first."""
    found: list[File] = []
    named: set[str] = set()
    for kept in _by_container(root)[: _MOST_PODS * 4]:
        for number, log in enumerate(kept[:2]):
            name = "" if number else _CANONICAL.get(log.container, "")
            if not name or name in named:
                name = f"{MORE}/pods/{log.folder}/{log.name}"
            named.add(name)
            found.append(File(name, f"{root}{FOLDER}/{log.folder}/{log.name}", True, _PREVIOUS if number else _CURRENT))
    # What is current comes before all that is previous: the room may not be enough for both.
    return sorted(found, key=lambda one: one.most != _CURRENT)


def listing(root: str = "") -> str:
    """Return a line for each file below the folders of Calico's pods: size in bytes, time (UTC) and path."""
    lines = [
        _line(f"{root}{FOLDER}/{pod}/{container}/{name}", f"{pod}/{container}/{name}")
        for pod in sorted(_pods(root))
        for container in sorted(names_in(f"{root}{FOLDER}/{pod}"))
        for name in sorted(names_in(f"{root}{FOLDER}/{pod}/{container}"))
    ]
    more = len(lines) - _LISTED
    return "".join(lines[:_LISTED]) + (f"({more} more)\n" if more > 0 else "")


def _line(path: str, shown: str) -> str:
    try:
        found = os.stat(path)
    except OSError as error:
        return f"{'-':>12} {'-':20} {shown} ({error.strerror})\n"
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.st_mtime))
    return f"{found.st_size:>12} {stamp} {shown}\n"


def _pods(root: str) -> list[str]:
    return [name for name in names_in(root + FOLDER) if any(words in name for words in _PODS)]


def _by_container(root: str) -> list[list[_Log]]:
    """Return the logs of each container, newest first; containers with the newest logs first."""
    found: dict[str, list[_Log]] = {}
    pods = sorted(_pods(root), key=lambda pod: _modified(f"{root}{FOLDER}/{pod}"), reverse=True)
    for pod in pods[:_MOST_PODS]:
        for container in names_in(f"{root}{FOLDER}/{pod}"):
            folder = f"{pod}/{container}"
            kept = [
                _Log(container, folder, name, _modified(f"{root}{FOLDER}/{folder}/{name}"))
                for name in _whole(names_in(f"{root}{FOLDER}/{folder}"))
            ]
            if kept:
                found[folder] = sorted(kept, key=lambda log: (log.modified, _number(log.name)), reverse=True)
    return sorted(found.values(), key=lambda kept: kept[0].modified, reverse=True)


def _whole(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if name.endswith(".log"))


def _number(name: str) -> int:
    head = name.partition(".")[0]
    return int(head) if head.isdigit() and len(head) < 10 else 0


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
