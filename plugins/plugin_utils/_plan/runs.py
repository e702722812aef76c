# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run that repairs keeps on the controller, a folder for each, for nobody but its user.

    <id>/bundle/            the evidence that the plan was made from
    <id>/plan.json          what was begun; without it nothing was changed
    <id>/objects.jsonl      each object before it was changed (the journal of object_change)
    <id>/ledger.json        before and after
    <id>/rolled-back.json   the same of the rollback, once there was one

What was changed on a host is on record there, under the run's id.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

PLAN, LEDGER, ROLLED_BACK, OBJECTS, BUNDLE = "plan", "ledger", "rolled-back", "objects.jsonl", "bundle"
DOCUMENTS = (PLAN, LEDGER, ROLLED_BACK)
_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)
_ROLE = re.compile(r"[\w.]{1,100}", re.ASCII)
_LOCK = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?")
_FOLDER, _FILE = 0o700, 0o600
_TOLD = 10


class Run(NamedTuple):
    """One run. plan: {} if it changed nothing; ended: it has a ledger; undone: it was rolled back; taken: how many
    turns of its plan were taken to their end, 0 where nobody has told."""

    id: str
    path: Path
    plan: Mapping[str, Any]
    ended: bool = False
    undone: bool = False
    taken: int = 0


def new_id(now: datetime) -> str:
    """A run's name: its time, for people, and what makes it another one than any other."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def check(directory: str) -> None:
    """Raise OSError if no folder can be made in the directory, as far as that is told without making one."""
    path = Path(directory).expanduser().absolute()
    while not path.exists() and path != path.parent:
        path = path.parent
    if not path.is_dir():
        raise NotADirectoryError(20, "Not a directory", str(path))
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise OSError(30, "Read-only file system", str(path))
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied", str(path))


def opened(directory: str, name: str) -> Path:
    """Make the folder of a run and see that something can be written there. Raises OSError."""
    check(directory)
    folder = Path(directory).expanduser().absolute()
    folder.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    path = folder / name
    path.mkdir(mode=_FOLDER)
    # A full disk makes directories, and nothing in them.
    keep(path, "room", {"room": " " * 65536})
    (path / "room.json").unlink()
    return path


def keep(path: Path, name: str, content: Mapping[str, Any]) -> Path:
    """Write a document of a run, whole and onto the disk. Raises OSError."""
    target = path / f"{name}.json"
    handle, made = tempfile.mkstemp(dir=path, prefix=f".{name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
            json.dump(content, stream, indent=1, ensure_ascii=False)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        Path(made).chmod(_FILE)
        Path(made).replace(target)
    except BaseException:
        Path(made).unlink(missing_ok=True)
        raise
    return target


def read(path: Path) -> Run:
    """A run from its folder. ValueError with a sentence if it is none, or not readable."""
    plan = path / f"{PLAN}.json"
    if not os.path.lexists(plan):
        # Of another folder nobody may read that there is nothing to be undone: it may be the one that holds all runs.
        if not _ID.fullmatch(path.name) and not (path / BUNDLE).is_dir():
            raise ValueError(f"{path} is no folder of a run: neither {plan.name} nor {BUNDLE} is in it.")
        return Run(path.name, path, {})
    try:
        if not plan.is_file():
            raise OSError(errno.EINVAL, "it is no regular file")
        found = json.loads(plan.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or error
        raise ValueError(f"{plan} cannot be read: {why}. Nothing was undone.") from None
    if not isinstance(found, dict) or not _is_named_well(found) or not _steps_are_whole(found):
        raise ValueError(f"{plan} is not the plan of a run of this collection. Nothing was undone.")
    ended, undone = ((path / f"{name}.json").is_file() for name in (LEDGER, ROLLED_BACK))
    return Run(found["run"], path, found, ended, undone, _taken(path / f"{LEDGER}.json"))


def _taken(ledger: Path) -> int:
    """How many turns a ledger tells of; 0 where there is none, or none that can be read."""
    try:
        found = json.loads(ledger.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return 0
    taken = found.get("turns_taken") if isinstance(found, dict) else None
    return taken if isinstance(taken, int) else 0


def _is_named_well(plan: Mapping[str, Any]) -> bool:
    """Whether the run's id and the lock's namespace are such as we write: they become parts of paths."""
    run, lock = plan.get("run"), plan.get("lock", "")
    return isinstance(run, str) and bool(_ID.fullmatch(run)) and isinstance(lock, str) and bool(_LOCK.fullmatch(lock))


def _steps_are_whole(plan: Mapping[str, Any]) -> bool:
    steps = plan.get("steps")
    return isinstance(steps, list) and all(
        isinstance(step, dict)
        and isinstance(step.get("role"), str)
        and bool(_ROLE.fullmatch(step["role"]))
        and isinstance(step.get("hosts"), list)
        and all(isinstance(host, str) for host in step["hosts"])
        for step in steps
    )


def listed(directory: str) -> list[Run]:
    """The runs in a directory that have begun to change something, the newest first."""
    folder = Path(directory).expanduser()
    names = sorted((entry for entry in folder.glob("*Z-*") if _ID.fullmatch(entry.name)), reverse=True)
    found = []
    for path in names:
        try:
            run = read(path)
        except ValueError:
            continue
        if run.plan:
            found.append(run)
    return found


def told(run: Run) -> str:
    """A run in a line."""
    steps = run.plan["steps"]
    words = [
        f"{step['role'].rpartition('.')[2]} on {', '.join(step['hosts'][:3]) or 'the API'}"
        + (f" and {len(step['hosts']) - 3} more" if len(step["hosts"]) > 3 else "")
        for step in steps
    ]
    state = "rolled back" if run.undone else "" if run.ended else "did not come to its end"
    return f"{run.id}: {'; '.join(words)}" + (f" ({state})" if state else "")


def found(name: str, directory: str) -> Run:
    """The run that a caller names by its id or its folder. ValueError with a sentence that lists those there are."""
    if not name:
        raise ValueError(f"rollback_run does not say which run is to be undone. {_there(directory)}")
    given = Path(name).expanduser()
    path = given if given.is_dir() else Path(directory).expanduser() / name
    if not _is_name(name) and not given.is_dir():
        raise ValueError(f"There is no folder {name}. {_there(directory)}")
    if not path.is_dir():
        raise ValueError(f"There is no run {name} in {directory}. {_there(directory)}")
    return read(path.absolute())


def _is_name(name: str) -> bool:
    return "/" not in name and name not in ("", ".", "..")


def _there(directory: str) -> str:
    runs = listed(directory)
    if not runs:
        return f"{directory} holds no run that has changed anything."
    more = f"\nand {len(runs) - _TOLD} earlier ones" if len(runs) > _TOLD else ""
    return f"{directory} holds, the newest first:\n" + "\n".join(told(run) for run in runs[:_TOLD]) + more
