# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles and reports on the controller, as they may be shared: read, redacted, looked through, written."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from .._analysis.report import SCHEMA
from .._bundle import files, offline, write
from .._bundle.spool import Spool
from . import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping, Sequence

    from .redactor import Redactor

_PRIVATE = 0o600
_PIECE = 1024 * 1024


class NotRedactedError(Exception):
    """Nothing was written, and why, in one sentence for a person."""


class Source(NamedTuple):
    """What is to be shared: a report, or else a bundle's texts. `archive`: it came as one, and goes as one. `left_out`:
    files of it that are not shared, or only in part, and why."""

    name: str
    report: dict[str, Any] | None
    texts: MutableMapping[str, str]
    archive: bool
    left_out: list[tuple[str, str]]


class Shared(NamedTuple):
    """What was written, where, and how many names, addresses and secrets it does not hold any more. `left_out`: files
    of the original that are not in it, or only in part, and why."""

    path: str
    replaced: dict[str, int]
    changed: bool
    left_out: list[tuple[str, str]]


def sources(paths: Sequence[str]) -> list[Source]:
    """Read what is to be shared. Raises NotRedactedError if one of the paths leads to nothing that can be read."""
    found = []
    for path, name in zip(paths, offline.names(paths), strict=True):
        try:
            given = files.read(path, Spool())
        except OSError as error:
            raise NotRedactedError(f"Nothing was written: {path} cannot be read: {error.strerror or error}.") from error
        texts = given.texts
        if not texts:
            raise NotRedactedError(f"Nothing was written: there is no text in {path}.")
        place = Path(path).expanduser()
        report = report_in(next(iter(texts.values()), "")) if len(texts) == 1 and place.is_file() else None
        archive = place.is_file() and place.suffix.lower() not in (".json", ".txt", ".log")
        found.append(Source(name, report, texts, archive, [*given.refused, *given.shortened]))
    return found


def keep_apart(paths: Sequence[str], directory: str) -> None:
    """Raise NotRedactedError if what is written could come to lie upon an original, or in one."""
    folder = Path(directory).expanduser().resolve()
    for path in paths:
        original = Path(path).expanduser().resolve()
        if folder == original.parent or folder == original or original in folder.parents:
            raise NotRedactedError(
                f"Nothing was written: {directory} is where {path} lies, and what is written there could replace the "
                "original. Give redact_dir another directory."
            )


def share(given: Sequence[Source], directory: str, redactor: Redactor, *, check: bool = False) -> list[Shared]:
    """Redact all under one key and write them into a directory: all of them, or, if one would leak, none.

    check: do all but write. Raises NotRedactedError if something leaks, OSError if it cannot be written.
    """
    for source in given:
        if source.report is None:
            redactor.learn(source.texts)
        else:
            redactor.learn_data(source.report)
    ready = [_ready(source, redactor) for source in given]
    folder = Path(directory).expanduser().absolute()
    return [_put(source, texts, counted, folder, redactor, check=check) for source, texts, counted in ready]


def _ready(source: Source, redactor: Redactor) -> tuple[Source, MutableMapping[str, str], dict[str, int]]:
    texts: MutableMapping[str, str] = {}
    if source.report is None:
        made = redactor.texts(source.texts, Spool())
        texts, leaks, counted = made.texts, made.leaks, made.sensitive
    else:
        report, leaks, counted = redactor.data(source.report)
        texts = {"report.json": json.dumps(report, indent=2, ensure_ascii=False) + "\n"}
    refuse(leaks)
    return source, texts, counted


def refuse(leaks: Iterable[scan.Leak]) -> None:
    """Raise NotRedactedError if there is a leak."""
    for leak in leaks:
        raise NotRedactedError(scan.sentence(leak))


def _put(
    source: Source,
    texts: MutableMapping[str, str],
    counted: dict[str, int],
    folder: Path,
    redactor: Redactor,
    *,
    check: bool,
) -> Shared:
    name = redactor.path(source.name)
    if source.report is None and not source.archive:
        path = folder / name
        write.replaceable(path)
        changed = not path.is_dir() or not _holds(path, texts)
        if changed and not check:
            write.put(str(path), ((one, texts[one]) for one in sorted(texts)))
        return Shared(str(path), counted, changed, source.left_out)
    path = folder / (f"{name.removesuffix('.json')}.json" if source.report is not None else f"{name}.tar.gz")
    with tempfile.TemporaryFile() as made:
        if source.report is not None:
            made.write(texts["report.json"].encode())
        else:
            _archive(texts, made)
        changed = not path.is_file() or not _same(path, made)
        if changed and not check:
            _replace(path, made)
    return Shared(str(path), counted, changed, source.left_out)


def _holds(path: Path, texts: MutableMapping[str, str]) -> bool:
    """Say whether a directory holds these texts and nothing else."""
    held = {one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_symlink() or not one.is_dir()}
    return held == set(texts) and all(
        (path / one).is_file() and (path / one).read_bytes() == texts[one].encode("utf-8", "replace") for one in texts
    )


def _archive(texts: MutableMapping[str, str], into: IO[bytes]) -> None:
    """Write a compressed archive that tells nothing of who made it, nor when, and is the same each time."""
    with (
        gzip.GzipFile(filename="", fileobj=into, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(texts):
            content = texts[path].encode("utf-8", "replace")
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), _PRIVATE
            archive.addfile(entry, io.BytesIO(content))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while piece := stream.read(_PIECE):
        yield piece


def _same(path: Path, made: IO[bytes]) -> bool:
    with path.open("rb") as held:
        return all(one == other for one, other in itertools.zip_longest(_pieces(held), _pieces(made)))


def _replace(path: Path, made: IO[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(_pieces(made))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def report_in(text: str) -> dict[str, Any] | None:
    """Return the report that a text holds, None if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and found.get("schema") == SCHEMA else None
