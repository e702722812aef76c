# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state directory: everything a lab has on the host. One directory is one lab.

lab.json         what the lab is: topology, number of nodes, image, and whether `up` came to its end
datastore.json   what is registered about the cluster (`datastore`)
faults.json      the active faults
kubelets.json    the kubelets that are stopped: a list of nodes
no-registry.json the kubelets that can pull no image: a list of nodes
api.json, api.log, api/, kubeconfig, kubeconfig-netmedic, kubeconfig-netmedic-remediate: the API, and how to reach it
nodes/<name>/    `pid`: the node's first process ("<pid> <start time>")
addresses/       <address> -> ../nodes/<name>
inventory.yml, ssh_config, connect, known_hosts, keys: how the nodes are reached
cp/              Ansible's SSH control sockets (its own place per lab: two labs have equal addresses)
mnt/             where nodes mount, each in its own mount namespace; always empty seen from the host
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LabError, UsageError
from .processes import Process, members

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_DIRECTORY = "/run/netmedic-lab"
VARIABLE = "NETMEDIC_LAB"
# A UNIX socket's path is limited to 107 bytes; ssh adds "/cp/<10 digits>.<16 random>" to ours.
LONGEST_PATH = 72
_ENTRIES = (
    "lab.json",
    "datastore.json",
    "faults.json",
    "kubelets.json",
    "no-registry.json",
    "render.lock",
    "api",
    "api.json",
    "api.log",
    "kubeconfig",
    "kubeconfig-netmedic",
    "kubeconfig-netmedic-remediate",
    "nodes",
    "addresses",
    "inventory.yml",
    "ssh_config",
    "connect",
    "known_hosts",
    "id_ed25519",
    "id_ed25519.pub",
    "ssh_host_ed25519_key",
    "ssh_host_ed25519_key.pub",
    "cp",
    "mnt",
)


class State:
    """Reads and writes one state directory."""

    def __init__(self, directory: str | os.PathLike[str] | None = None) -> None:
        """`directory`: default is the variable NETMEDIC_LAB, else /run/netmedic-lab."""
        chosen = directory or os.environ.get(VARIABLE) or DEFAULT_DIRECTORY
        self.directory = Path(os.path.realpath(chosen))
        if len(os.fsencode(self.directory)) > LONGEST_PATH or any(char.isspace() for char in str(self.directory)):
            raise UsageError(
                f"the state directory {str(self.directory)!r} must be at most {LONGEST_PATH} bytes long and "
                "without white space, because SSH keeps its control sockets in it"
            )

    def path(self, *parts: str) -> Path:
        """An entry of the directory."""
        return self.directory.joinpath(*parts)

    def create(self) -> None:
        """Make the directory; refuse one that holds anything but a lab's own entries."""
        if self.directory.is_dir():
            foreign = sorted(name for name in os.listdir(self.directory) if not _is_own(name))
            if foreign:
                raise UsageError(
                    f"{self.directory} holds what is not a lab's ({foreign[0]}); give an empty or new directory"
                )
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("nodes", "addresses", "cp", "mnt"):
                self.path(name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the state directory {self.directory} cannot be made: {error.strerror}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lab for a change. LabError at once if another command holds it; the kernel frees it on any exit."""
        try:
            descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise LabError(f"there is no lab in {self.directory}; start one with: python -m lab up") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise LabError(f"another lab command is at work on {self.directory}; wait for it or end it") from None
            if os.fstat(descriptor).st_nlink == 0:
                raise LabError(f"the lab in {self.directory} was taken down this moment; try again")
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold a lock file of the directory, waiting for whoever has it."""
        descriptor = os.open(self.path(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self, name: str, default: Any = None) -> Any:
        """The JSON in a file of the directory; `default` if it is absent or broken."""
        try:
            return json.loads(self.path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return default

    def write(self, name: str, value: Any) -> None:
        """Replace a JSON file in one step."""
        self.write_text(name, json.dumps(value, indent=1) + "\n")

    def write_text(self, name: str, text: str, mode: int = 0o600) -> None:
        """Replace a text file in one step."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)

    def process(self, node: str) -> Process | None:
        """The recorded first process of a node if it still lives."""
        try:
            process = Process.parse(self.path("nodes", node, "pid").read_text(encoding="ascii"))
        except OSError:
            return None
        return process if process is not None and process.alive else None

    def processes(self) -> set[Process]:
        """Every living process of this lab, recorded or found by the marker."""
        found = set(members(self.directory))
        with suppress(OSError):
            for node in os.listdir(self.path("nodes")):
                process = self.process(node)
                if process is not None:
                    found.add(process)
        return found

    def clear(self) -> None:
        """Delete the lab's own entries; the directory stays, and with it the lock on it."""
        with suppress(FileNotFoundError):
            for name in filter(_is_own, os.listdir(self.directory)):
                path = self.path(name)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def remove(self) -> list[str]:
        """Delete the lab's own entries and the directory; return the names that were left because they are not ours."""
        self.clear()
        try:
            self.directory.rmdir()
        except FileNotFoundError:
            return []
        except OSError:
            return sorted(os.listdir(self.directory))
        return []


def _is_own(name: str) -> bool:
    """A lab's own entry, or what an aborted `write_text` has left of one (".<entry>.<pid>")."""
    entry, _dot, number = name[1:].rpartition(".")
    return name in _ENTRIES or (name.startswith(".") and number.isdecimal() and entry in _ENTRIES)
