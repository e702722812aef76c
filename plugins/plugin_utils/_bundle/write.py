# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing what a run saw as an evidence bundle, whole or not at all.

    bundle.json                     who was asked, under which address, and why somebody did not answer
    environment.yml                 what the operator knows, if that was given
    nodes/<name>/facts.json         the node's facts as they came
    nodes/<name>/probes.json        what the collection's own probes measured from there
    nodes/<name>/<canonical name>   raw texts, what programs print on the node
    cluster/<kind>.json             the objects that the API told, as lists
    cluster/cluster-info.json       what else it told, and how asking for each kind went

Nobody but the user may read it: it describes a network.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._cluster import packing
from .._peering.real_addresses import FILE as REDACTION
from .._raw.redact import redacted, without_secrets
from .._texts import probes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

INDEX = "bundle.json"
FACTS = "facts.json"
PROBES = "probes.json"
ENVIRONMENT = "environment.yml"
NODES = "nodes"
CLUSTER = "cluster"
CLUSTER_INFO = "cluster-info.json"
SCHEMA = "netmedic.calico.bundle/v1"
_FOLDER, _FILE = 0o700, 0o600
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$")


class NodeSaw(NamedTuple):
    """What came from one node: its facts ({} if none came), its raw texts, the address under which
    the inventory knows it, and the task's own result where no facts came (unreachable, msg, rc)."""

    facts: Mapping[str, Any]
    texts: Mapping[str, str]
    address: str
    result: Mapping[str, Any]


class Written(NamedTuple):
    """What is written besides what the nodes told. `at` is RFC 3339 UTC, by the controller's clock, `environment` the
    operator's own file, `cluster` the fact calico_cluster ({}: the API was not asked)."""

    at: str
    environment: str = ""
    cluster: Mapping[str, Any] = {}


def files(nodes: Mapping[str, NodeSaw], besides: Written) -> Iterator[tuple[str, str]]:
    """Yield the path and content of every file of a bundle."""
    folders = folder_names(nodes)
    index = {
        name: {
            key: value
            for key, value in (("folder", folders[name]), ("address", saw.address), ("result", dict(saw.result)))
            if value and not (key == "folder" and value == name)
        }
        for name, saw in nodes.items()
    }
    yield INDEX, _json({"schema": SCHEMA, "written_at": besides.at, "nodes": index}, 1)
    if besides.environment:
        yield ENVIRONMENT, without_secrets(besides.environment)
    yield from _cluster(besides.cluster)
    for name, saw in nodes.items():
        folder = f"{NODES}/{folders[name]}"
        if saw.facts:
            yield f"{folder}/{FACTS}", _json(saw.facts)
            measured = probes.write(
                str(_part(saw.facts, "calico_node").get("taken_at", "")),
                _part(saw.facts, "calico_bgp"),
                _part(saw.facts, "calico_mtu"),
            )
            yield f"{folder}/{PROBES}", _json(measured)
        for text_name, text in saw.texts.items():
            if _SAFE.match(text_name) and text_name not in (FACTS, PROBES):
                yield f"{folder}/{text_name}", redacted(text_name, text)


def _cluster(fact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if not fact:
        return
    yield f"{CLUSTER}/{CLUSTER_INFO}", _json({key: value for key, value in fact.items() if key != "objects"}, 1)
    for plural, items in packing.unpacked(fact.get("objects")).items():
        if items and _SAFE.match(plural):
            yield f"{CLUSTER}/{plural}.json", _json({"apiVersion": "v1", "kind": "List", "items": items}, 1)


def write(directory: str, nodes: Mapping[str, NodeSaw], besides: Written) -> Path:
    """Write a bundle as `directory`, in the place of an earlier bundle or of an empty directory, and return its path.

    Raises OSError if that cannot be done; FileExistsError if something else stands there, which is left alone. Until
    all is written, what stood there stays.
    """
    return put(directory, files(nodes, besides))


def put(directory: str, contents: Iterable[tuple[str, str]]) -> Path:
    """Write files, by their paths in the bundle, as write() does."""
    path = Path(directory).expanduser().absolute()
    replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        for name, content in contents:
            _write(made / name, content)
        _swap(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return path


def replaceable(path: Path) -> None:
    """Raise FileExistsError unless a bundle may be written at `path`."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise FileExistsError(f"{path} is there and is no directory")
    if path.is_dir() and any(path.iterdir()) and not any((path / name).is_file() for name in (INDEX, REDACTION)):
        raise FileExistsError(f"{path} is not empty and holds no bundle")


def folder_names(names: Mapping[str, Any]) -> dict[str, str]:
    """Return a name for each node that is safe as a folder's, and no other node's."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        folder = name if _SAFE.match(name) else re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100].lstrip("._-") or "node"
        number = 1
        unique = folder
        while unique.lower() in taken:
            number += 1
            unique = f"{folder}-{number}"
        taken.add(unique.lower())
        found[name] = unique
    return found


def _part(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    part = facts.get(name)
    return part if isinstance(part, dict) else {}


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False) + "\n"


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(mode=_FOLDER, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as stream:
        stream.write(content)


def _swap(made: Path, path: Path) -> None:
    """Put the new bundle in its place. Between two renames there is none for a moment, but never half of one."""
    for folder in (made, *(entry for entry in made.rglob("*") if entry.is_dir())):
        folder.chmod(_FOLDER)
    old = Path(f"{made}.old")
    if path.exists():
        path.rename(old)
    try:
        made.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)
