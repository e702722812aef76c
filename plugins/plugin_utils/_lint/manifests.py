# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests as documents: files, folders and globs of YAML or JSON, from Git or as tools render them."""

from __future__ import annotations

import glob
import os
import re
import stat
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from .._evidence import plain
from .._patch.objects import is_too_deep
from . import positions
from .model import Document, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .model import Path

LARGEST = 16 * 1024 * 1024
UNREADABLE = "document_unreadable"
ENDINGS = (".yaml", ".yml", ".json")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PART = re.compile(r"^---(?=[ \t\r\n]|$)", re.MULTILINE)
_TEMPLATE = re.compile(r"\{\{-?\s*(?:\.|if |range |include |with |define |end\b|template |\$)|\{%")
_DEPTH_OF_LISTS = 3
FIX = "Correct the text. Render templates first (helm template, kustomize build), and check the result."
TITLE = "The text cannot be read as a manifest"
WHY = "What cannot be read is not checked, and kubectl refuses it."


class Loaded(NamedTuple):
    """What was read: the objects, what could not be read, and the files that were looked at."""

    documents: tuple[Document, ...] = ()
    findings: tuple[Finding, ...] = ()
    files: tuple[str, ...] = ()


def read(text: str, file: str) -> Loaded:
    """The objects in the text of one file. A part (between lines ---) that cannot be read does not cost the others."""
    documents: list[Document] = []
    findings: list[Finding] = []
    if len(text) > LARGEST:
        return Loaded((), (_unreadable(file, 0, f"it has more than {LARGEST >> 20} MiB"),), (file,))
    for part, offset in _parts(text.removeprefix("\ufeff")):
        found, problem = _tried(part, offset, file)
        documents += found
        findings += [problem] if problem else []
    return Loaded(tuple(documents), tuple(findings), (file,))


def _parts(text: str) -> Iterator[tuple[str, int]]:
    """The parts of a text between the marks of documents, each with the number of lines before it."""
    starts = [0, *(found.start() for found in _PART.finditer(text))]
    lines, before = 0, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        lines += text.count("\n", before, start)
        before = start
        if text[start:end].strip(" \t\r\n-"):
            yield text[start:end], lines


def _tried(part: str, offset: int, file: str) -> tuple[list[Document], Finding | None]:
    try:
        return list(_of_part(part, offset, file)), None
    except (yaml.YAMLError, positions.RefusedError, ValueError, RecursionError) as error:
        return [], _of_error(error, part, offset, file)


def _of_part(part: str, offset: int, file: str) -> Iterator[Document]:
    if is_too_deep(part):
        raise positions.RefusedError("it is nested deeper than any object")
    for node in yaml.compose_all(part, Loader=_LOADER):
        if node is not None:
            value, lines = positions.Reader(offset).read(node)
            yield from _opened(value, lines, file)


def _opened(value: Any, lines: Mapping[Path, int], file: str, depth: int = 0) -> Iterator[Document]:
    """The objects in a value: itself, or the items of a list or List. What has no kind is no object."""
    items = value if isinstance(value, list) else value.get("items") if isinstance(value, dict) else None
    if isinstance(items, list) and (
        isinstance(value, list) or plain.text(value.get("kind") or "List").endswith("List")
    ):
        before: Path = () if isinstance(value, list) else ("items",)
        for index, item in enumerate(items if depth < _DEPTH_OF_LISTS else ()):
            yield from _opened(item, positions.under(lines, (*before, index)), file, depth + 1)
    elif isinstance(value, dict) and isinstance(value.get("kind"), str) and value.get("apiVersion"):
        yield _document(value, lines, file)


def _document(raw: Mapping[str, Any], lines: Mapping[Path, int], file: str) -> Document:
    metadata = plain.mapping(raw.get("metadata"))
    return Document(
        kind=plain.text(raw.get("kind")),
        api_version=plain.text(raw.get("apiVersion")),
        name=plain.text(metadata.get("name") or ""),
        namespace=plain.text(metadata.get("namespace") or ""),
        raw=raw,
        file=file,
        line=lines.get((), 0),
        lines=lines,
    )


def planned(raw: Mapping[str, Any], about: str) -> Document:
    """An object that stands in no file; `about` takes the file's place in findings."""
    return _document(raw, {}, about)


def _of_error(error: Exception, part: str, offset: int, file: str) -> Finding:
    mark = getattr(error, "problem_mark", None)
    line = offset + (mark.line if mark is not None else 0) + 1
    what = " ".join(str(getattr(error, "problem", None) or error).split())[:160]
    if isinstance(error, RecursionError):
        what = "it is nested deeper than any object"
    if _TEMPLATE.search(part):
        what = f"it looks like a template that is not rendered yet ({what})"
    return _unreadable(file, line, what)


def _unreadable(file: str, line: int, what: str) -> Finding:
    summary = f"This cannot be read as a manifest: {what}."
    return Finding(UNREADABLE, "", "major", TITLE, summary, WHY, FIX, plain.text(file), line, "", "")


def read_paths(paths: Iterable[str]) -> Loaded:
    """The objects in files, folders (those below them that are called .yaml, .yml, .json) and globs; each file once."""
    found: list[Loaded] = []
    seen: set[str] = set()
    for path in paths:
        files = list(_files(path))
        if not files:
            found.append(Loaded((), (_unreadable(path, 0, _why_none(path)),), ()))
        for file in files:
            key = os.path.realpath(file)
            if key not in seen:
                seen.add(key)
                found.append(_of_file(file))
    return Loaded(
        tuple(one for each in found for one in each.documents),
        tuple(one for each in found for one in each.findings),
        tuple(one for each in found for one in each.files),
    )


def _files(path: str) -> Iterator[FilePath]:
    """Yield those of a path that are named for manifests, also what turns out not to be a file that can be read."""
    start = FilePath(path).expanduser()
    if start.is_dir():
        named = (part for part in sorted(start.rglob("*")) if part.suffix.lower() in ENDINGS and not part.is_dir())
        yield from (one for one in named if not any(step.startswith(".") for step in one.relative_to(start).parts))
    elif os.path.lexists(start):
        yield start
    else:
        yield from (one for one in map(FilePath, sorted(glob.glob(str(start), recursive=True))) if not one.is_dir())


def _why_none(path: str) -> str:
    if FilePath(path).expanduser().is_dir():
        return f"no file below the folder ends in {', '.join(ENDINGS)}"
    return "no file matches" if glob.has_magic(path) else "there is no such file"


def _of_file(file: FilePath) -> Loaded:
    try:
        about = file.stat()
        if not stat.S_ISREG(about.st_mode):  # reading a pipe would wait for ever for somebody to write
            why = "it is no regular file but a pipe, a socket or a device; give the lines in a file"
            return Loaded((), (_unreadable(str(file), 0, why),), (str(file),))
        if about.st_size > LARGEST:
            return Loaded((), (_unreadable(str(file), 0, f"it has more than {LARGEST >> 20} MiB"),), (str(file),))
        return read(file.read_bytes().decode("utf-8", "replace"), str(file))
    except OSError as error:
        lost = file.is_symlink() and not file.exists()
        why = "it is a link to a file that is not there" if lost else error.strerror or str(error)
        return Loaded((), (_unreadable(str(file), 0, why),), ())
