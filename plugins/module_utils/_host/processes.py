# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One walk over /proc.

The walk reads one small file per process, its name. All else is read from the few processes that somebody asks about,
and once: a host may have thousands.
"""

from __future__ import annotations

import os
import re
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_READ_LIMIT = 1 << 20
_COMM_LENGTH = 15
_MOST_LINKS = 40
_SOCKET = "socket:["
# docker-<id>.scope, cri-containerd-<id>.scope, crio-<id>.scope, /docker/<id>, /kubepods/.../<id>: they share the id.
_CONTAINER_ID = r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"
_CONTAINER_ID_LENGTH = 64


class Process:
    """One process. What cannot be read (gone meanwhile, not permitted) is empty or None; nothing here raises."""

    __slots__ = ("_argv", "_stat", "comm", "directory", "pid")

    def __init__(self, pid: int, comm: str, directory: str) -> None:
        self.pid = pid
        self.comm = comm
        self.directory = directory
        self._argv: tuple[str, ...] | None = None
        self._stat: list[str] | None = None

    def __repr__(self) -> str:
        return f"Process({self.pid}, {self.comm!r})"

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line, from /proc/<pid>/cmdline; empty for kernel threads and zombies."""
        if self._argv is None:
            raw = read_bytes(os.path.join(self.directory, "cmdline"))
            self._argv = tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0")[:-1])
        return self._argv

    @property
    def state(self) -> str:
        """One letter from /proc/<pid>/stat: R, S, D, T (stopped), t (traced), Z …; '' if unreadable."""
        return self._field(0)

    @property
    def ppid(self) -> int:
        """The parent's process id; 0 if unreadable."""
        text = self._field(1)
        return int(text) if text.isdigit() else 0

    @property
    def start_ticks(self) -> int | None:
        """When it started, in clock ticks since the boot, which with its id is its alone; None if unreadable."""
        ticks = self._field(19)
        return int(ticks) if ticks.isdigit() else None

    @property
    def started_seconds_ago(self) -> float | None:
        """Seconds since the process started, by the kernel's clock; None if unreadable."""
        ticks = self._field(19)
        uptime = read_text(os.path.join(os.path.dirname(self.directory), "uptime")).split()
        if not ticks.isdigit() or not uptime:
            return None
        try:
            return max(float(uptime[0]) - int(ticks) / os.sysconf("SC_CLK_TCK"), 0.0)
        except ValueError:
            return None

    @property
    def root(self) -> str:
        """The path under which this process' own file system is seen."""
        return os.path.join(self.directory, "root")

    @property
    def container(self) -> str:
        """The id of the container it runs in (64 hexadecimal digits), from /proc/<pid>/cgroup; '' if in none."""
        text = read_text(os.path.join(self.directory, "cgroup"))
        found = re.findall(_CONTAINER_ID, text) if len(text) > _CONTAINER_ID_LENGTH else []
        return found[-1] if found else ""

    @property
    def network_namespace(self) -> str:
        """The name of its network namespace, 'net:[4026531840]'; '' if unreadable."""
        try:
            return os.readlink(os.path.join(self.directory, "ns", "net"))
        except OSError:
            return ""

    def inside(self, path: str) -> str:
        """Return where `path`, as this process sees it, is found from here (see resolve_inside)."""
        return resolve_inside(self.root, path)

    def environ(self, wanted: Iterable[str]) -> dict[str, str]:
        """Return those variables of its environment that are wanted and set. No others leave this function."""
        names = {name.encode(): name for name in wanted}
        found = {}
        for entry in read_bytes(os.path.join(self.directory, "environ")).split(b"\0"):
            name, equals, value = entry.partition(b"=")
            if equals and name in names:
                found[names[name]] = value.decode("utf-8", "replace")
        return found

    def sockets(self) -> set[int]:
        """Return the inodes of the sockets among its open files."""
        folder = os.path.join(self.directory, "fd")
        held: set[int] = set()
        for name in names_in(folder):
            try:
                target = os.readlink(folder + "/" + name)
            except OSError:
                continue
            if target.startswith(_SOCKET) and target[len(_SOCKET) : -1].isdigit():
                held.add(int(target[len(_SOCKET) : -1]))
        return held

    def option(self, letter: str) -> str:
        """Return the value of the command line option `-s PATH` or `-sPATH` for the letter 's'; '' if not given."""
        flag = "-" + letter
        for index, word in enumerate(self.argv[1:], 1):
            if word == flag:
                return self.argv[index + 1] if index + 1 < len(self.argv) else ""
            if word.startswith(flag):
                return word[2:]
        return ""

    def _field(self, index: int) -> str:
        """Return a field of /proc/<pid>/stat, counted from the state, which follows the name in parentheses."""
        if self._stat is None:
            # The name may itself hold spaces and parentheses; the last ')' ends it.
            _head, end, rest = read_text(os.path.join(self.directory, "stat")).rpartition(")")
            self._stat = rest.split() if end else []
        return self._stat[index] if index < len(self._stat) else ""


class ProcessTable:
    """The processes of one walk; `network_namespace` is our own one ('' if unreadable)."""

    def __init__(self, processes: Iterable[Process], network_namespace: str = "") -> None:
        self.network_namespace = network_namespace
        self._by_pid = {process.pid: process for process in processes}

    def __iter__(self) -> Iterator[Process]:
        return iter(self._by_pid.values())

    def __len__(self) -> int:
        return len(self._by_pid)

    def get(self, pid: int) -> Process | None:
        """Return the process with this id, if the walk saw it."""
        return self._by_pid.get(pid)

    def named(self, *names: str) -> list[Process]:
        """Return the live processes whose name (the kernel keeps 15 characters) is one of `names`, lowest id first."""
        wanted = {name[:_COMM_LENGTH] for name in names}
        found = [process for process in self if process.comm in wanted and process.state not in ("Z", "X")]
        return sorted(found, key=lambda process: process.pid)


def walk(proc_root: str = "/proc") -> ProcessTable:
    """Read the name of every process under `proc_root`. Those that end meanwhile are left out."""
    processes = []
    for entry in names_in(proc_root):
        if entry.isdigit():
            directory = os.path.join(proc_root, entry)
            comm = read_bytes(directory + "/comm", 64)
            if comm:
                processes.append(Process(int(entry), comm.decode("utf-8", "replace").rstrip("\n"), directory))
    return ProcessTable(processes, Process(0, "", os.path.join(proc_root, "self")).network_namespace)


def resolve_inside(root: str, path: str) -> str:
    """Return the path under `root` that `path` names for a process whose root directory that is.

    The kernel follows an absolute symbolic link from *our* root, also below /proc/<pid>/root: /var/run -> /run of a
    container would lead to the host's /run. Hence links are followed here, one by one.
    """
    done: list[str] = []
    todo = path.split("/")[::-1]
    links = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            del done[-1:]
            continue
        try:
            target = os.readlink("/".join([root, *done, part])) if links < _MOST_LINKS else ""
        except OSError:
            target = ""
        if target:
            links += 1
            if target.startswith("/"):
                del done[:]
            todo.extend(target.split("/")[::-1])
        else:
            done.append(part)
    return "/".join([root, *done])


def names_in(folder: str) -> list[str]:
    """Return the names in a folder; none if it cannot be read."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def read_bytes(path: str, limit: int = _READ_LIMIT) -> bytes:
    """Return at most `limit` bytes of a file; b'' if it cannot be read. What is no regular file is not even opened:
    to open a watchdog's device, say, starts it."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return b""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except (OSError, ValueError):
        return b""
    chunks = []
    try:
        while limit > 0 and stat.S_ISREG(os.fstat(descriptor).st_mode):
            chunk = os.read(descriptor, min(limit, 65536))
            if not chunk:
                break
            chunks.append(chunk)
            limit -= len(chunk)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return b"".join(chunks)


def read_text(path: str, limit: int = _READ_LIMIT) -> str:
    """Return at most `limit` bytes of a file as text; '' if it cannot be read."""
    return read_bytes(path, limit).decode("utf-8", "replace")
