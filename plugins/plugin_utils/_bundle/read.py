# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an evidence bundle: which text is about which node, or about the cluster, and what nobody recognised.

A text is recognised by its content; its name is a hint. Texts about a node lie in nodes/<name>/, or name their node
themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import files, kinds
from .write import CLUSTER, ENVIRONMENT, FACTS, INDEX, NODES, SCHEMA


class NodeTexts(NamedTuple):
    """What a bundle holds of one node: facts ({}: none), texts by their canonical names; address and result as the
    index tells them, '' and {} without one."""

    facts: dict[str, Any]
    texts: dict[str, str]
    address: str
    result: dict[str, Any]


class Bundle(NamedTuple):
    """A bundle as read.

    `cluster` and `loose` (of no node that could be told) are texts by their paths, `environment` the text of
    environment.yml, `written_at` RFC 3339 or ''. `unrecognised` are paths, `refused` what was not read, and why.
    """

    nodes: dict[str, NodeTexts]
    cluster: dict[str, str]
    loose: dict[str, str]
    environment: str
    written_at: str
    unrecognised: list[str]
    refused: list[tuple[str, str]]


def read(path: str) -> Bundle:
    """Return the bundle at `path`: a directory, .tar, .tar.gz, .tgz, .zip or a single text. Raises OSError if there is
    nothing to read; whatever is wrong inside is listed and never fatal."""
    found = files.read(path)
    return sort(found.texts, found.refused)


def sort(texts: Mapping[str, str], refused: list[tuple[str, str]] | None = None) -> Bundle:
    """Tell the texts of a bundle, given by their paths in it, apart."""
    index = _index(texts.get(INDEX, ""))
    listed = index["nodes"]
    names = {str(entry.get("folder") or name): name for name, entry in listed.items()}
    told: dict[str, dict[str, str]] = {}
    bundle = Bundle({}, {}, {}, texts.get(ENVIRONMENT, ""), index["written_at"], [], list(refused or ()))
    for path in sorted(texts):
        head, _slash, rest = path.partition("/")
        if path in (INDEX, ENVIRONMENT):
            continue
        if head == NODES and "/" in rest:
            folder, _slash, name = rest.partition("/")
            _place(told.setdefault(names.get(folder, folder), {}), name, path, texts[path], bundle)
        elif head == CLUSTER and rest:
            bundle.cluster[path] = texts[path]
        else:
            _loose(told, path, texts[path], bundle)
    for name in dict.fromkeys((*listed, *sorted(told))):
        entry = listed.get(name, {})
        own = told.get(name, {})
        bundle.nodes[name] = NodeTexts(
            json_object(own.pop(FACTS, "")), own, _text(entry.get("address")), _dict(entry.get("result"))
        )
    return bundle


def _place(own: dict[str, str], name: str, path: str, text: str, bundle: Bundle) -> None:
    """Put a text among those of its node, under the canonical name of what it is."""
    canonical = kinds.canonical_name(text, name)
    if not canonical:
        bundle.unrecognised.append(path)
    elif canonical in own:
        # The one whose name is the canonical one is it; a second one of its kind is kept under its own.
        if name == canonical:
            own[path], own[canonical] = own[canonical], text
        else:
            own[name] = text
    else:
        own[canonical] = text


def _loose(told: dict[str, dict[str, str]], path: str, text: str, bundle: Bundle) -> None:
    name = path.rpartition("/")[2]
    canonical = kinds.canonical_name(text, name)
    node = kinds.node_named(text, canonical)
    if node:
        _place(told.setdefault(node, {}), name, path, text, bundle)
        return
    bundle.loose[path] = text
    if not canonical:
        bundle.unrecognised.append(path)


def _index(text: str) -> dict[str, Any]:
    found = json_object(text)
    if found.get("schema") != SCHEMA:
        return {"nodes": {}, "written_at": ""}
    nodes = {str(name): _dict(entry) for name, entry in _dict(found.get("nodes")).items()}
    return {"nodes": nodes, "written_at": _text(found.get("written_at"))}


def json_object(text: str) -> dict[str, Any]:
    """Return the object in a text of JSON, {} if it holds none."""
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
