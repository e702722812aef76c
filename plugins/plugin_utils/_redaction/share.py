# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles and reports on the controller, as they may be shared: read, redacted, looked through, written."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._analysis.report import SCHEMA
from .._bundle import files, offline, write
from . import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .redactor import Redactor

_PRIVATE = 0o600


class NotRedactedError(Exception):
    """Nothing was written, and why, in one sentence for a person."""


class Source(NamedTuple):
    """What is to be shared: a report, or else a bundle's texts. `archive`: it came as one, and goes as one."""

    name: str
    report: dict[str, Any] | None
    texts: dict[str, str]
    archive: bool


class Shared(NamedTuple):
    """What was written, where, and how many names, addresses and secrets it does not hold any more."""

    path: str
    replaced: dict[str, int]
    changed: bool


def sources(paths: Sequence[str]) -> list[Source]:
    """Read what is to be shared. Raises NotRedactedError if one of the paths leads to nothing that can be read."""
    found = []
    for path, name in zip(paths, offline.names(paths), strict=True):
        try:
            texts = files.read(path).texts
        except OSError as error:
            raise NotRedactedError(f"Nothing was written: {path} cannot be read: {error.strerror or error}.") from error
        if not texts:
            raise NotRedactedError(f"Nothing was written: there is no text in {path}.")
        place = Path(path).expanduser()
        report = report_in(next(iter(texts.values()), "")) if len(texts) == 1 and place.is_file() else None
        found.append(
            Source(name, report, texts, place.is_file() and place.suffix.lower() not in (".json", ".txt", ".log"))
        )
    return found


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


def _ready(source: Source, redactor: Redactor) -> tuple[Source, dict[str, str], dict[str, int]]:
    if source.report is None:
        made = redactor.texts(source.texts)
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
    source: Source, texts: dict[str, str], counted: dict[str, int], folder: Path, redactor: Redactor, *, check: bool
) -> Shared:
    name = redactor.path(source.name)
    if source.report is not None:
        content = texts["report.json"].encode()
        path = folder / f"{name.removesuffix('.json')}.json"
    elif source.archive:
        content, path = _archive(texts), folder / f"{name}.tar.gz"
    else:
        path = folder / name
        write.replaceable(path)
        changed = not path.is_dir() or _held(path) != texts
        if changed and not check:
            write.put(str(path), sorted(texts.items()))
        return Shared(str(path), counted, changed)
    changed = not path.is_file() or path.read_bytes() != content
    if changed and not check:
        _replace(path, content)
    return Shared(str(path), counted, changed)


def _held(path: Path) -> dict[str, str]:
    found = files.read(str(path))
    return {} if found.refused or found.shortened else found.texts


def _archive(texts: dict[str, str]) -> bytes:
    """Return a compressed archive that tells nothing of who made it, nor when, and is the same each time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(texts):
            content = texts[path].encode("utf-8", "replace")
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), _PRIVATE
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
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
