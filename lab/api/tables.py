# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table and PartialObjectMetadata: the forms in which `kubectl get` and metadata clients want objects. Pure.

Source: k8s.io/apiserver, pkg/endpoints/handlers/response.go, and apiextensions-apiserver, tableconvertor.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import cells, jsonpath
from .cell_parts import since
from .entry import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .entry import Object
    from .kinds import Column, Kind
    from .negotiation import Form


def definitions(kind: Kind) -> list[Object]:
    """The columns of a kind."""
    return [_definition(column) for column in kind.columns]


def _definition(column: Column) -> Object:
    descriptions = {"Name": "Name must be unique within a namespace.", "Age": "CreationTimestamp is a timestamp."}
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description or descriptions.get(column.name, column.name),
        "priority": column.priority,
    }


def row(kind: Kind, obj: Object, included: str, version: str, now: float) -> Object:
    """One object's row. `included`: "Metadata" (also ""), "Object" or "None", as the client asks by includeObject."""
    found: Object = {"cells": _cells(kind, obj, now)}
    if included == "Object":
        found["object"] = obj
    elif included != "None":
        found["object"] = partial(obj, version)
    return found


def partial(obj: Object, version: str) -> Object:
    """Only the metadata of an object."""
    return {
        "kind": "PartialObjectMetadata",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": obj["metadata"],
    }


def _cells(kind: Kind, obj: Object, now: float) -> list[Any]:
    whole = cells.WHOLE_ROWS.get(kind.resource)
    if whole is not None:
        return whole(obj, now)
    name = obj["metadata"]["name"]
    known = cells.CELLS.get(kind.resource)
    if known is not None:
        return [name, *known(obj, now)]
    return [name, *(_by_path(obj, column, now) for column in kind.columns[1:])]


def _by_path(obj: Object, column: Column, now: float) -> Any:
    """A cell of a custom kind."""
    value = jsonpath.first(obj, column.path)
    if value is None:
        return None
    if column.type == "date":
        return since(value, now)
    if column.type in ("integer", "number", "boolean"):
        return value if isinstance(value, (int, float)) else None
    return value if isinstance(value, str) else encoded(value).decode()


def table(kind: Kind, rows: Iterable[Object], form: Form, metadata: Object, headed: bool = True) -> Object:
    """Rows as a Table; without its head in the later events of a watch."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{form.version}",
        "metadata": metadata,
        "columnDefinitions": definitions(kind) if headed else [],
        "rows": list(rows),
    }
