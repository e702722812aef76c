# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings that ansible-test wants: a clean copy at the right path, interpreters, a home of its own."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from scripts import machine
from scripts.console import UserError, alone_with
from scripts.paths import BUILD, NAME, NAMESPACE, ROOT, VENV, venv_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COPY = BUILD / "ansible_collections" / NAMESPACE / NAME
HOME = BUILD / "home"
OUTPUT = COPY / "tests" / "output"

# Left out where there is no git to ask.
NOT_SOURCES = {".ansible", ".git", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", "__pycache__"}
NOT_SOURCES_AT_THE_TOP = {"build", "report"}

PIP_VERSION_QUESTION = (
    "import types; from ansible_test._internal.python_requirements import get_venv_packages as packages; "
    "print(packages(types.SimpleNamespace(version=''))['pip'])"
)

# ansible-test makes virtual environments without pip and fills them with a script which it would fetch from a
# server of its own. The same is had from Python's ensurepip and the package index that pip is configured for.
GET_PIP = """\
from __future__ import annotations

import subprocess
from contextlib import contextmanager
import sys

wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=False).returncode)
"""


@contextmanager
def prepared(*, shipped_only: bool = False) -> Iterator[dict[str, str]]:
    """A fresh copy of the sources, or only of what users get of them, and the surroundings, for one user at a time.
    Gives the environment to run in."""
    with alone_with(BUILD / "ansible-test.lock", "running ansible-test"):
        names = _sources()
        _copy(shipped(names) if shipped_only else names)
        yield _surround()


def shipped(names: Iterable[str]) -> list[str]:
    """Those of some files, named from the root, that `ansible-galaxy collection build` packs."""
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["build_ignore"]

    def left_out(name: str) -> bool:
        parts = name.split("/")
        wholes = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        return any(fnmatch.fnmatch(whole, pattern) for whole in wholes for pattern in ignored)

    return [name for name in names if not left_out(name)]


def _surround() -> dict[str, str]:
    """Make the surroundings. The environment to run ansible-test with."""
    _own_home()
    pythons = _interpreters_by_name()
    shims = {str(path) for path in _pyenv_shims()}  # they claim to be every Python and then refuse to run
    rest = [part for part in os.environ.get("PATH", os.defpath).split(":") if part not in shims]
    return {
        "PATH": ":".join([str(VENV / "bin"), str(pythons), *rest]),
        "HOME": str(HOME),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_NOCOLOR": "1",
    }


def _copy(names: Iterable[str]) -> None:
    """Copy files to …/ansible_collections/netmedic/calico, a git repository of its own."""
    if COPY.exists():
        shutil.rmtree(COPY)
    for name in names:
        source, target = ROOT / name, COPY / name
        if not source.is_symlink() and not source.exists():
            continue  # deleted, but still in git's index
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", "."], cwd=COPY, check=True)


def _sources() -> list[str]:
    """Names of the project's files, relative to the root: what git tracks, or would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if machine.find_program("git") is None:
        raise UserError("ansible-test needs git, which is missing. On Debian: apt-get install git")
    listing = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if listing.returncode == 0 and (ROOT / ".git").exists():
        return sorted(set(listing.stdout.split("\0")) - {""})
    return sorted(_walk(ROOT, top=True))


def _walk(folder: Path, *, top: bool = False) -> Iterator[str]:
    """Names of the files under a folder, without what is made by tools."""
    for entry in folder.iterdir():
        if entry.name in NOT_SOURCES or (top and entry.name in NOT_SOURCES_AT_THE_TOP):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        else:
            yield str(entry.relative_to(ROOT))


def _own_home() -> None:
    """A home for ansible-test's caches, which keeps the user's clean; pip's settings are carried over."""
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    version = subprocess.run(
        [venv_program("python"), "-c", PIP_VERSION_QUESTION], check=True, capture_output=True, text=True
    ).stdout.strip()
    (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, encoding="utf-8")
    _carry_over_pip_settings()


def _carry_over_pip_settings() -> None:
    """Give ansible-test's pip the user's settings: it hands on neither PIP_… variables nor the user's home."""
    real = Path.home()
    for folder, name in ((".config", "pip"), (".", ".pip")):
        theirs, ours = real / folder / name, HOME / folder / name
        ours.parent.mkdir(parents=True, exist_ok=True)
        if theirs.is_dir() and not ours.is_symlink():
            ours.symlink_to(theirs, target_is_directory=True)
    variables = {name[4:].lower().replace("_", "-"): os.environ[name] for name in os.environ if name.startswith("PIP_")}
    variables.pop("config-file", None)
    ours = HOME / ".pip"
    if variables and not ours.is_symlink():
        ours.mkdir(exist_ok=True)
        lines = [f"{name} = {value}" for name, value in sorted(variables.items())]
        (ours / "pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
        (ours / "pip.conf").chmod(0o600)


def _interpreters_by_name() -> Path:
    """A folder with every Python of this machine under its plain name."""
    folder = BUILD / "pythons" / "bin"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for python in machine.interpreters():
        (folder / f"python{python.version[0]}.{python.version[1]}").symlink_to(python.path)
    return folder


def _pyenv_shims() -> list[Path]:
    """Folders of pyenv's shims on the PATH."""
    return [Path(part) for part in os.environ.get("PATH", "").split(":") if part.rstrip("/").endswith("/shims")]
