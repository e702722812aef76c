# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine has: privileges, programs, interpreters, kernel features."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

# Where an ordinary user's PATH on Debian does not look.
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin"
CONTROLLER_PYTHONS = ((3, 11), (3, 12), (3, 13))
NODE_PYTHONS = tuple((3, minor) for minor in range(7, 15))


class Interpreter(NamedTuple):
    """A Python found on this machine."""

    version: tuple[int, int]
    path: str


class Tool(NamedTuple):
    """A program that something needs, the Debian package which brings it, and what does not work without."""

    program: str
    package: str
    needed_for: str


def is_root() -> bool:
    """Whether we may do everything."""
    return os.geteuid() == 0


def processors() -> int:
    """How many of them we may use."""
    return len(os.sched_getaffinity(0))


def find_program(name: str) -> str | None:
    """Path of a program, also where only root's PATH looks."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_PATH}")


def has_apt() -> bool:
    """Whether packages can be installed the Debian way."""
    return find_program("apt-get") is not None


@lru_cache(maxsize=1)
def interpreters() -> tuple[Interpreter, ...]:
    """Every Python 3.7 or later, one per minor version, from PATH and pyenv, oldest first."""
    found: dict[tuple[int, int], Interpreter] = {}
    for version in NODE_PYTHONS:
        for candidate in _candidates(version):
            if version in found:
                break
            python = _interpreter(candidate)
            if python is not None and python.version == version:
                found[version] = python
    return tuple(found[version] for version in sorted(found))


def controller_python() -> Interpreter | None:
    """The Python that the virtual environment is made with: 3.11 if there is one, else the next newer."""
    chosen = os.environ.get("PYTHON")
    if chosen and (path := shutil.which(chosen)):
        python = _interpreter(path)
        if python is not None and python.version in CONTROLLER_PYTHONS:
            return python
    by_version = {each.version: each for each in interpreters()}
    return next((by_version[version] for version in CONTROLLER_PYTHONS if version in by_version), None)


def has_namespaces() -> str:
    """Why network, mount and pid namespaces cannot be made here, or '' if they can."""
    if find_program("unshare") is None:
        return "the program unshare (package util-linux) is missing"
    if not is_root():
        return "only root can make the namespaces"
    probe = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "true"],
        check=False,
        capture_output=True,
        text=True,
    )
    if probe.returncode == 0:
        return ""
    return f"the kernel or the container we are in refuses namespaces ({probe.stderr.strip()})"


def _candidates(version: tuple[int, int]) -> list[str]:
    """Paths at which this version of Python may be."""
    name = f"python{version[0]}.{version[1]}"
    paths = [sys.executable] if sys.version_info[:2] == version and sys.prefix == sys.base_prefix else []
    if on_path := shutil.which(name):
        paths.append(on_path)
    paths.append(f"/usr/bin/{name}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths.extend(str(each) for each in sorted(pyenv.glob(f"{version[0]}.{version[1]}.*/bin/{name}"), reverse=True))
    return paths


def _interpreter(path: str) -> Interpreter | None:
    """The Python at a path; None if it does not run (a pyenv shim of a version not in use, say)."""
    if not os.access(path, os.X_OK):
        return None
    question = "import sys; print(*sys.version_info[:2], getattr(sys, '_base_executable', '') or sys.executable)"
    try:
        answer = subprocess.run([path, "-c", question], check=False, capture_output=True, text=True, timeout=20)
        major, minor, executable = answer.stdout.strip().split(" ", 2)
        return Interpreter((int(major), int(minor)), executable)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
