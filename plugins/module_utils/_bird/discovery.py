# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where Calico's BIRD is on this node: its process, its control socket, its configuration, its log.

calico-node is a container on the host's network: its processes are seen from the host, its files below
/proc/<pid>/root. Processes of other network namespaces are left out: they belong to pods, or to nodes that run as
containers here.
"""

from __future__ import annotations

import os

from .._host.processes import Process, names_in, resolve_inside
from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._host.processes import ProcessTable

IPV4 = "ipv4"
IPV6 = "ipv6"
_PROGRAMS = {IPV4: "bird", IPV6: "bird6"}
_SOCKET_FOLDERS = ("/var/run/calico", "/var/snap/microk8s/current/var/run/calico")
# Where a distribution's BIRD has it, and one of Calico's that runs outside of a container.
_PLAIN_SOCKET_FOLDER = "/var/run/bird"
_CONFIG_FOLDER = "/etc/calico/confd/config"
_POD_LOGS = "/var/log/pods/"
_PODS, _CONTAINER = "_calico-node-", "calico-node"
_CALICO_NAMES = ("calico-node", "calico-felix", "calico")
# Names that others use, too.
_HELPER_NAMES = ("confd", "runsvdir", "runsv", "svlogd", "bird", "bird6")
_BACKEND = "CALICO_NETWORKING_BACKEND"
# Set in the environment of every process that has one: tells "not set" from "may not be read".
_ALWAYS_SET = "PATH"
_RUN_NO_BIRD = ("none", "vxlan")


class Place(NamedTuple):
    """A path as the process concerned knows it, and the root below which that is seen from here ('' for the host's)."""

    path: str
    root: str

    @property
    def is_copy(self) -> bool:
        """Whether this is the container runtime's copy of a pod's output."""
        return self.path.startswith(_POD_LOGS)

    @property
    def actual(self) -> str:
        """The path to open."""
        return resolve_inside(self.root, self.path)

    @property
    def identity(self) -> tuple[int, int] | None:
        """Device and number of the file, the same under whatever path; None if it is not there or may not be seen."""
        try:
            status = os.stat(self.actual)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    @property
    def modified(self) -> float:
        """When the file was last written to, in seconds since the epoch; 0 if it is not there or may not be seen."""
        return _modified(self.actual)


class Installation(NamedTuple):
    """What runs of Calico on this node.

    `backend` is bird, vxlan or none, as calico-node was told, or 'unknown'; `backend_source` says who told.
    """

    processes: list[Process]
    backend: str
    backend_source: str

    def component(self, name: str) -> Process | None:
        """Return the process that is 'felix' or 'confd', whichever way this release of Calico starts it."""
        for process in self.processes:
            words = process.argv[1:3]
            if process.comm in (name, "calico-" + name) or (
                process.comm in ("calico-node", "calico") and words and (words[0] == "-" + name or words[-1] == name)
            ):
                return process
        return None


class Daemon(NamedTuple):
    """One family's BIRD: where to look for each of its parts, likeliest first. `process` is None if it does not run."""

    family: str
    process: Process | None
    sockets: list[Place]
    configs: list[Place]
    logs: list[Place]


def find_installation(processes: ProcessTable) -> Installation:
    """Find Calico's processes and the networking backend that they were started with."""
    here = processes.network_namespace
    found = [process for process in processes.named(*_CALICO_NAMES) if _shares_network(process, here)]
    found += [
        process
        for process in processes.named(*_HELPER_NAMES)
        if _shares_network(process, here) and _is_calicos(process)
    ]
    backend, source = "unknown", ""
    for process in found:
        environment = process.environ((_BACKEND, _ALWAYS_SET))
        if environment.get(_BACKEND):
            return Installation(found, environment[_BACKEND], f"{_BACKEND} of process {process.pid} ({process.comm})")
        if environment and not source and process.comm in _CALICO_NAMES:
            backend, source = "bird", f"{_BACKEND} is not set in process {process.pid} ({process.comm})"
    return Installation(found, backend, source)


def find_daemon(
    family: str, processes: ProcessTable, installation: Installation, socket: str = "", host_root: str = ""
) -> Daemon:
    """Find one family's BIRD. `socket`, if given, is the only place looked at for its control socket."""
    program = _PROGRAMS[family]
    process = _find_process(program, processes, installation, host_root)
    roots = ([process.root] if process else []) + [other.root for other in installation.processes] + [host_root]
    roots = list(dict.fromkeys(roots))
    if socket:
        sockets = [Place(socket, "")]
    else:
        plain = not (process.option("s") if process else _has_traces(installation, host_root))
        sockets = _sockets(program, process, roots[0], host_root, plain)
    config = process.option("c") if process else ""
    configs = [Place(config, process.root)] if process and config else []
    configs += [Place(f"{_CONFIG_FOLDER}/{program}.cfg", root) for root in roots]
    return Daemon(
        family,
        process,
        sockets,
        list(dict.fromkeys(configs)),
        list(_logs(program, roots, host_root)),
    )


def expected(installation: Installation, daemons: list[Daemon]) -> tuple[bool | None, str]:
    """Say whether a BIRD belongs on this node, and why; None if nothing here tells of Calico."""
    if installation.backend in _RUN_NO_BIRD:
        return False, f"{installation.backend_source} is {installation.backend}: Calico runs no BIRD with it"
    if installation.backend != "unknown":
        return True, f"{installation.backend_source}, networking backend {installation.backend}"
    trace = next(_traces(installation, daemons), "")
    if trace:
        return True, trace
    if installation.processes:
        process = installation.processes[0]
        return None, f"Calico runs here (process {process.pid}), but its networking backend could not be read"
    return None, "nothing on this node tells of Calico"


def _traces(installation: Installation, daemons: list[Daemon]) -> Iterator[str]:
    """Yield what tells of a BIRD where calico-node itself cannot be asked."""
    for place in (place for daemon in daemons for place in daemon.configs):
        if os.path.exists(place.actual):
            yield f"there is a configuration for it at {place.path}"
    for process in installation.processes:
        if _is_supervisor(process):
            yield f"process {process.pid} supervises the service {process.argv[1]}"
    for place in (place for daemon in daemons for place in daemon.sockets):
        if "calico" in place.path and os.path.lexists(place.actual):
            yield f"there is a control socket at {place.path}"


def _find_process(program: str, processes: ProcessTable, installation: Installation, host_root: str) -> Process | None:
    """Return Calico's own daemon of this name, the youngest if there are several; not a distribution's BIRD."""
    here = processes.network_namespace
    candidates = [process for process in processes.named(program) if _shares_network(process, here)]
    containers = {process.container for process in installation.processes} - {""}
    own = [process for process in candidates if process in installation.processes or process.container in containers]
    if not own and not _has_traces(installation, host_root):
        own = candidates
    ages = [(process.started_seconds_ago or 0.0, process) for process in own]
    return min(ages, key=lambda pair: pair[0])[1] if ages else None


def _is_calicos(process: Process) -> bool:
    """Whether a process sees Calico's configuration folder, or was told of a path or a service of Calico's."""
    return (
        "calico" in " ".join(process.argv) or _is_supervisor(process) or os.path.isdir(process.inside(_CONFIG_FOLDER))
    )


def _is_supervisor(process: Process) -> bool:
    """Whether a process is runit's for the service bird, as in calico-node: it is there whether BIRD runs or not."""
    return process.comm == "runsv" and process.argv[1:2] in [("bird",), ("bird6",)]


def _has_traces(installation: Installation, host_root: str) -> bool:
    """Whether Calico is or was here, so that a BIRD that is not Calico's is not to be taken for it."""
    return bool(installation.processes) or any(
        os.path.lexists(resolve_inside(host_root, folder)) for folder in _SOCKET_FOLDERS
    )


def _sockets(program: str, process: Process | None, root: str, host_root: str, plain: bool) -> list[Place]:
    """Return where the control socket may be; `plain` allows a place that a distribution's BIRD uses, too."""
    given = process.option("s") if process else ""
    places = [Place(given, root), Place(given, host_root)] if given else []
    # What may not be seen through another process says nothing of a daemon that does not run.
    seen = [host_root, root] if process or os.access(root, os.X_OK) else [host_root]
    folders = (*_SOCKET_FOLDERS, _PLAIN_SOCKET_FOLDER) if plain else _SOCKET_FOLDERS
    places += [Place(f"{folder}/{program}.ctl", base) for base in seen for folder in folders]
    return list(dict.fromkeys(places))


def _logs(program: str, roots: list[str], host_root: str) -> Iterator[Place]:
    """Yield the log file as the host sees it, then as the container does, then the runtime's copy of its output."""
    for service in (program, "confd"):
        for root in [host_root, *roots[:1]]:
            yield Place(f"/var/log/calico/{service}/current", root)
    folders = [f"{_POD_LOGS}{pod}/{_CONTAINER}/" for pod in names_in(host_root + _POD_LOGS) if _PODS in pod]
    copies = [folder + name for folder in folders for name in names_in(host_root + folder) if name.endswith(".log")]
    for path in sorted(copies, key=lambda path: _modified(host_root + path), reverse=True)[:1]:
        yield Place(path, host_root)


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _shares_network(process: Process, here: str) -> bool:
    """Whether a process is on our network; yes if that may not be read."""
    there = process.network_namespace
    return not here or not there or there == here
