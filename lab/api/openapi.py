# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenAPI documents: version 2 (JSON, and the protocol buffers that `kubectl` reads), version 3 in JSON.

Fields of built-in kinds come from the models of the `kubernetes` client. Custom kinds are open objects here, whatever
their schemas say; objects are judged when they are written. Of paths only those are named that clients look at: to
find out whether server-side dry run and field validation are there.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from . import protobuf
from .calls import JSON, Response, answer, text
from .discovery import VERSION
from .entry import encoded
from .rules import core_types, merge_keys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .calls import Request
    from .entry import Object
    from .kinds import Kind
    from .registry import Registry
    from .rules.core_types import Type
    from .rules.merge_keys import Merging

# What is returned; clients ask for it with an "@" in it, which Go then would not read in an answer.
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
_SCALARS: dict[str, Object] = {
    "str": {"type": "string"},
    "bytes": {"type": "string", "format": "byte"},
    "datetime": {"type": "string", "format": "date-time"},
    "quantity": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "int_or_str": {"type": "string", "format": "int-or-string"},
}


class Documents:
    """The documents of the kinds that are served; made when they are asked for, anew when the kinds change."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._made: dict[tuple[str, tuple[Kind, ...]], bytes] = {}

    def answer(self, request: Request) -> Response:
        """/openapi/…"""
        kinds = tuple(self._registry.served())
        parts = request.path.strip("/").split("/")[1:]
        if parts == ["v2"]:
            return self._version2(request, kinds)
        if parts == ["v3"]:
            return answer({"paths": {_place(group, version): _link(group, version) for group, version in _all(kinds)}})
        for group, version in _all(kinds):
            if parts == ["v3", *_place(group, version).split("/")]:
                chosen = tuple(each for each in kinds if each.group == group and version in each.served_versions)
                return Response(200, self._kept("v3", chosen))
        return text("404 page not found\n", 404)

    def _version2(self, request: Request, kinds: tuple[Kind, ...]) -> Response:
        if "proto-openapi" in request.headers.get("accept", ""):
            return Response(200, self._kept("protobuf", kinds), PROTOBUF)
        return Response(200, self._kept("v2", kinds), JSON)

    def _kept(self, form: str, kinds: tuple[Kind, ...]) -> bytes:
        found = self._made.get((form, kinds))
        if found is None:
            if len(self._made) > 100:
                self._made.clear()
            content = version3(kinds) if form == "v3" else version2(kinds)
            found = protobuf.document(content) if form == "protobuf" else encoded(content)
            self._made[form, kinds] = found
        return found


def version2(kinds: Iterable[Kind]) -> Object:
    """The OpenAPI v2 document."""
    listed = list(kinds)
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes, emulated", "version": VERSION},
        "paths": _paths(listed),
        "definitions": _definitions(listed, "#/definitions/"),
    }


def version3(kinds: Iterable[Kind]) -> Object:
    """The OpenAPI v3 document of one group and version."""
    listed = list(kinds)
    paths = _paths(listed)
    for item in paths.values():
        for operation in item.values():
            types = operation.pop("consumes", ())
            if types:
                operation["requestBody"] = {"content": {each: {"schema": {"type": "object"}} for each in types}}
            for each in operation["parameters"]:
                each["schema"] = {"type": each.pop("type")}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes, emulated", "version": VERSION},
        "paths": paths,
        "components": {"schemas": _definitions(listed, "#/components/schemas/")},
    }


def _all(kinds: Iterable[Kind]) -> dict[tuple[str, str], None]:
    return {(kind.group, version): None for kind in kinds for version in kind.served_versions}


def _place(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _link(group: str, version: str) -> Object:
    digest = hashlib.sha256(f"{group}/{version}".encode()).hexdigest()
    return {"serverRelativeURL": f"/openapi/v3/{_place(group, version)}?hash={digest}"}


def _paths(kinds: list[Kind]) -> Object:
    found: Object = {}
    for kind in kinds:
        if "patch" not in kind.verbs:
            continue
        for version in kind.served_versions:
            scope = "/namespaces/{namespace}" if kind.namespaced else ""
            collection = f"/{_place(kind.group, version)}{scope}/{kind.plural}"
            types = ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
            if not kind.custom:
                types.append("application/strategic-merge-patch+json")
            found[collection] = {"post": _operation(kind, version, "create", ["*/*"])}
            found[f"{collection}/{{name}}"] = {
                "put": _operation(kind, version, "replace", ["*/*"]),
                "patch": _operation(kind, version, "patch", types),
                "delete": _operation(kind, version, "delete", ["*/*"]),
            }
    return found


def _operation(kind: Kind, version: str, verb: str, types: list[str]) -> Object:
    group = kind.group.partition(".")[0].capitalize() or "Core"
    parameters = [{"name": name, "in": "query", "type": "string", "description": name} for name in _PARAMETERS]
    return {
        "operationId": f"{verb}{group}{version.capitalize()}{kind.kind}",
        "consumes": types,
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": {"group": kind.group, "kind": kind.kind, "version": version},
    }


def _definitions(kinds: list[Kind], prefix: str) -> Object:
    found: Object = {}
    waiting = {"V1ObjectMeta"}
    for kind in kinds:
        model = core_types.model_of(kind)
        for version in kind.served_versions:
            name = _name(kind, version)
            made = _model(model, prefix, waiting) if model else _open(prefix)
            made["description"] = f"{kind.kind}, as far as this emulator of Kubernetes knows it."
            made["x-kubernetes-group-version-kind"] = [{"group": kind.group, "kind": kind.kind, "version": version}]
            found[name] = made
    done: set[str] = set()
    while waiting - done:
        for model in waiting - done:
            done.add(model)
            found[_of_model(model)] = _model(model, prefix, waiting)
    return found


def _name(kind: Kind, version: str) -> str:
    group = ".".join(reversed(kind.group.split("."))) if "." in kind.group else f"io.k8s.api.{kind.group or 'core'}"
    return f"{group}.{version}.{kind.kind}"


def _of_model(model: str) -> str:
    return _META if model == "V1ObjectMeta" else f"io.k8s.api.models.{model}"


def _open(prefix: str) -> Object:
    """A custom kind: everything beside the metadata is open."""
    return {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"$ref": f"{prefix}{_META}"},
            "spec": {"x-kubernetes-preserve-unknown-fields": True},
            "status": {"x-kubernetes-preserve-unknown-fields": True},
        },
    }


def _model(model: str, prefix: str, waiting: set[str]) -> Object:
    fields = core_types.fields(model)
    found: Object = {"type": "object", "description": core_types.struct_name(model)}
    merging = merge_keys.FIELDS.get(model, {})
    properties = {
        name: {**_type(field.type, prefix, waiting), **(_merged(merging[name]) if name in merging else {})}
        for name, field in fields.items()
    }
    if properties:
        found["properties"] = properties
    required = [name for name, field in fields.items() if field.required]
    if required:
        found["required"] = required
    return found


def _merged(merging: Merging) -> Object:
    """How a field is merged: `kubectl apply` makes its patches by this."""
    found: Object = {}
    if merging.strategies:
        found["x-kubernetes-patch-strategy"] = ",".join(merging.strategies)
    if merging.merge_key:
        found["x-kubernetes-patch-merge-key"] = merging.merge_key
    if merging.list_type != "atomic":
        found["x-kubernetes-list-type"] = merging.list_type
    if merging.list_type == "map":
        found["x-kubernetes-list-map-keys"] = list(merging.keys)
    return found


def _type(type_: Type, prefix: str, waiting: set[str]) -> Object:
    if type_.form == "model":
        waiting.add(type_.model)
        return {"$ref": prefix + _of_model(type_.model)}
    item: Any = type_.item
    if type_.form == "list":
        return {"type": "array", "items": _type(item, prefix, waiting)}
    if type_.form == "map":
        return {"type": "object", "additionalProperties": _type(item, prefix, waiting)}
    return dict(_SCALARS.get(type_.form, {"type": "object"}))
