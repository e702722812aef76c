# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual environment: made once, made again when what it is made from changes.

Two levels: `use` holds what running the playbooks needs and is there within seconds; `develop` adds what the
checks need. Versions of both are those of requirements-dev.txt.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import machine
from scripts.console import UserError, alone_with, headline, run, say, show_tail
from scripts.paths import BUILD, LOGS, NAME, NAMESPACE, ROOT, VENV, venv_program

if TYPE_CHECKING:
    from collections.abc import Sequence

USE, DEVELOP = "use", "develop"
RUNTIME = ROOT / "requirements.txt"
PINNED = ROOT / "requirements-dev.txt"
STAMP = VENV / ".made-from"

NO_PYTHON = (
    "No Python 3.11, 3.12 or 3.13 was found; the controller needs one. "
    "On Debian 12: apt-get install python3 python3-venv. Elsewhere: make setup PYTHON=/path/to/python3.11"
)
NO_VENV = (
    "{python} cannot make virtual environments because its ensurepip module is missing. "
    "On Debian and Ubuntu, as root: apt-get install python3-venv"
)


def prepare(level: str) -> None:
    """Make the virtual environment ready for `level`; at once when nothing has changed."""
    if _is_current(level) and _is_linked():
        return
    with alone_with(BUILD / "setup.lock", "setting up"):
        if not _is_current(level):
            _make(level)
        _link_collection()


def _make(level: str) -> None:
    """Make or complete the virtual environment."""
    python = machine.controller_python()
    if python is None:
        raise UserError(NO_PYTHON)
    if not _works():
        _create(python)
    if level == USE:
        headline("Installing ansible-core and what the playbooks need into .venv (about 20 seconds the first time)")
        packages = ["-r", str(RUNTIME), "-c", str(PINNED)]
    else:
        headline("Installing the development tools into .venv (about a minute the first time)")
        packages = ["-r", str(PINNED)]
    log = LOGS / "pip.log"
    done = run(
        [venv_program("python"), "-m", "pip", "install", "--disable-pip-version-check", *packages], log=log, cwd=ROOT
    )
    if done.status:
        show_tail(done, log)
        raise UserError("pip could not install the packages (see above). Is a package index within reach?")
    STAMP.write_text(f"{_fingerprint(level)}\n", encoding="utf-8")
    say(f"    done in {done.seconds:.0f} s")


def _create(python: machine.Interpreter) -> None:
    """Make an empty virtual environment in the place of whatever is there."""
    if not _can_make_venv(python):
        raise UserError(NO_VENV.format(python=python.path))
    version = ".".join(map(str, python.version))
    headline(f"Making the virtual environment .venv with Python {version} ({python.path})")
    if VENV.exists():
        shutil.rmtree(VENV)
    log = LOGS / "venv.log"
    done = run([python.path, "-m", "venv", str(VENV)], log=log, cwd=ROOT)
    if done.status:
        show_tail(done, log)
        raise UserError(f"{python.path} -m venv .venv failed (see above).")


def _can_make_venv(python: machine.Interpreter) -> bool:
    """Whether this Python has venv and ensurepip, which Debian keeps in a package of their own."""
    return _succeeds([python.path, "-c", "import venv, ensurepip"])


def can_make_venv() -> bool:
    """Whether a virtual environment can be made on this machine, or exists."""
    python = machine.controller_python()
    return _works() or (python is not None and _can_make_venv(python))


def _works() -> bool:
    """Whether .venv was made in this place and has a Python that runs and is one that the pinned packages are for."""
    if not _was_made_here():
        return False
    supported = " or ".join(f"sys.version_info[:2] == {version}" for version in machine.CONTROLLER_PYTHONS)
    return _succeeds([venv_program("python"), "-c", f"import sys, pip; sys.exit(not ({supported}))"])


def _was_made_here() -> bool:
    """Whether the programs in .venv name this place; those of a moved or copied checkout name the old one."""
    try:
        first_line, _rest = Path(venv_program("pip")).read_bytes().split(b"\n", 1)
    except (OSError, ValueError):
        return False
    return first_line.startswith(b"#!" + os.fsencode(VENV) + b"/") or b"/bin/sh" in first_line


def _is_current(level: str) -> bool:
    """Whether the virtual environment was made from the present requirements, for this level or a greater one."""
    try:
        made_from = STAMP.read_text(encoding="utf-8").strip()
    except OSError:
        return False
    return made_from in {_fingerprint(level), _fingerprint(DEVELOP)} and os.access(venv_program("python"), os.X_OK)


def _fingerprint(level: str) -> str:
    """What a virtual environment of this level is made from."""
    content = hashlib.sha256()
    for path in (RUNTIME, PINNED):
        content.update(path.read_bytes())
    content.update(str(VENV).encode())  # its programs name it by its whole path: a moved one is of no use
    return f"{level} {content.hexdigest()}"


def _link_collection() -> None:
    """Let Ansible and Python find the collection netmedic.calico at the repository root, wherever that is.

    Ansible looks for collections in every folder of sys.path.
    """
    link = _collection_link()
    if link is None:
        raise UserError(".venv is damaged: it has no site-packages folder. Then: make clean setup")
    _link(link)


def _collection_link() -> Path | None:
    """Where the link to the repository root belongs."""
    folders = sorted((VENV / "lib").glob("python3.*/site-packages"))
    return folders[0] / "ansible_collections" / NAMESPACE / NAME if folders else None


def _is_linked() -> bool:
    """Whether Ansible finds the collection already."""
    link = _collection_link()
    return link is not None and link.is_symlink() and link.resolve() == ROOT


def _link(link: Path) -> None:
    """Make a symbolic link to the repository root."""
    if link.is_symlink() and link.resolve() == ROOT:
        return
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT, target_is_directory=True)


def collection_tree() -> Path:
    """A folder to put on a search path: it holds ansible_collections/netmedic/calico, the repository root."""
    tree = BUILD / "tree"
    _link(tree / "ansible_collections" / NAMESPACE / NAME)
    return tree


def _succeeds(argv: Sequence[str]) -> bool:
    """Whether a program runs and ends well."""
    try:
        return subprocess.run(argv, check=False, capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
