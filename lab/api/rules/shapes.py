# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of an object: which value is a scalar, a map or a list, and how two of them are merged.

One notion for built-in kinds (from the models and `merge_keys`) and custom ones (from their openAPIV3Schema), used by
the strategic merge patch, by server-side apply and by the record of who owns which field.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from . import core_types, merge_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..kinds import Kind
    from .core_types import Type

NO_MERGING = merge_keys.Merging()


class Shape(NamedTuple):
    """`form`: "scalar", "map", "list" or "any" (told from the value; its lists are replaced as a whole).

    `fields`: declared names of a map, looked at when needed. `item`: shape of a list's elements and of a map's other
    values, None if there can be none. `atomic`: one value for server-side apply. `merging`: how the field is merged.
    `name`: of the Go struct, or "", for messages. `scalar`: which scalar, "" if any will do.
    """

    form: str
    fields: Callable[[], Mapping[str, Shape]] = dict
    item: Callable[[], Shape] | None = None
    atomic: bool = False
    merging: merge_keys.Merging = NO_MERGING
    name: str = ""
    scalar: str = ""
    always_there: bool = False

    def child(self, name: str) -> Shape | None:
        """The shape of a map's value, None if there is no such field."""
        if self.form == "any":
            return ANY
        found = self.fields().get(name)
        if found is None and self.item is not None:
            return self.item()
        return found

    def element(self) -> Shape:
        """The shape of a list's elements."""
        return self.item() if self.item is not None else ANY

    def declares(self, name: str) -> bool:
        """Whether a field of this name is declared, rather than one key of many."""
        return self.form == "map" and name in self.fields()

    def of(self, value: object) -> Shape:
        """This shape, or for "any" the one that the value has."""
        if self.form != "any":
            return self
        if isinstance(value, dict):
            return ANY_MAP._replace(atomic=self.atomic)
        return ANY_LIST if isinstance(value, list) else SCALAR


SCALAR = Shape("scalar")
ANY = Shape("any")
ANY_MAP = Shape("map", item=lambda: ANY)
ANY_LIST = Shape("list", item=lambda: ANY, atomic=True)


def of_kind(kind: Kind, schema: Mapping[str, Any] | None = None) -> Shape:
    """The shape of a kind. `schema`: the openAPIV3Schema of a custom one; without it lists are replaced as a whole."""
    model = core_types.model_of(kind)
    if model:
        return of_model(model)
    if schema is not None:
        return _custom(schema)
    return Shape("map", fields=lambda: {"metadata": _metadata()}, item=lambda: ANY)


@functools.cache
def of_model(model: str) -> Shape:
    """The shape of a built-in model, for instance "V1PodSpec"."""
    return Shape(
        "map",
        fields=functools.cache(lambda: _fields(model)),
        atomic=model in merge_keys.ATOMIC_MODELS,
        name=core_types.struct_name(model),
    )


def _metadata() -> Shape:
    return of_model("V1ObjectMeta")._replace(always_there=True)


def _fields(model: str) -> dict[str, Shape]:
    merging = merge_keys.FIELDS.get(model, {})
    return {
        name: _of_type(field.type)._replace(
            merging=merging.get(name, NO_MERGING),
            always_there=name in merge_keys.ALWAYS_THERE and field.type.form in ("model", "list"),
            atomic=_atomic(model, name, field.type, merging.get(name, NO_MERGING)),
        )
        for name, field in core_types.fields(model).items()
    }


def _atomic(model: str, name: str, type_: Type, merging: merge_keys.Merging) -> bool:
    if type_.form == "list":
        return merging.list_type == "atomic"
    return (model, name) in merge_keys.ATOMIC_MAPS or type_.form == "object" or type_.model in merge_keys.ATOMIC_MODELS


def _of_type(type_: Type) -> Shape:
    if type_.form == "model":
        return of_model(type_.model)
    if type_.item is not None:
        item = type_.item
        return Shape("list" if type_.form == "list" else "map", item=functools.cache(lambda: _of_type(item)))
    return ANY if type_.form == "object" else Shape("scalar", scalar=type_.form)


def _custom(schema: Mapping[str, Any]) -> Shape:
    """The root of a custom resource: its metadata is Kubernetes' own, whatever the schema says."""

    def fields() -> dict[str, Shape]:
        return {"apiVersion": SCALAR, "kind": SCALAR, **shape.fields(), "metadata": _metadata()}

    shape = of_schema(schema)
    return shape._replace(form="map", fields=functools.cache(fields))


def of_schema(schema: Mapping[str, Any]) -> Shape:
    """The shape that a structural schema describes."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        return Shape("scalar", scalar="int_or_str")
    if kind == "array":
        return _list_of(schema)
    if kind == "object" or isinstance(schema.get("properties"), dict):
        return _map_of(schema)
    if schema.get("x-kubernetes-preserve-unknown-fields") or kind is None:
        return ANY
    scalar = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}.get(str(kind), "")
    return Shape("scalar", scalar=scalar)


def _list_of(schema: Mapping[str, Any]) -> Shape:
    items = schema.get("items")
    items = items if isinstance(items, dict) else {}
    list_type = schema.get("x-kubernetes-list-type")
    list_type = list_type if list_type in ("set", "map") else "atomic"
    keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if list_type == "map" else ()
    properties = items.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    defaults = tuple((key, properties[key]["default"]) for key in keys if "default" in properties.get(key, {}))
    return Shape(
        "list",
        item=functools.cache(lambda: of_schema(items)),
        atomic=list_type == "atomic",
        merging=merge_keys.Merging(list_type=list_type, keys=keys, defaults=defaults),
    )


def _map_of(schema: Mapping[str, Any]) -> Shape:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    more = schema.get("additionalProperties")
    item: Callable[[], Shape] | None = None
    if isinstance(more, dict):
        item = functools.cache(lambda: of_schema(more))
    elif more or schema.get("x-kubernetes-preserve-unknown-fields") or not properties:
        item = _any
    return Shape(
        "map",
        fields=functools.cache(lambda: {name: of_schema(value) for name, value in properties.items()}),
        item=item,
        atomic=schema.get("x-kubernetes-map-type") == "atomic",
    )


def _any() -> Shape:
    return ANY
