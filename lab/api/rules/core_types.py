# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of Kubernetes' own kinds, read from the models of the `kubernetes` Python client.

The models are generated from Kubernetes' OpenAPI document, so field names, types and which fields are required are
Kubernetes' own. What the document does not say (merge keys, list types) is in `merge_keys`.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind

_LIST = re.compile(r"[Ll]ist\[(.*)\]\Z")
_MAP = re.compile(r"[Dd]ict[\[(]str, (.*)[\])]\Z")
# Fields which the models call strings but which are resource.Quantity: a bare number is good too.
QUANTITIES = frozenset(
    (
        "limits",
        "requests",
        "capacity",
        "allocatable",
        "overhead",
        "hard",
        "used",
        "allocatedResources",
        "sizeLimit",
        "divisor",
        "max",
        "min",
        "default",
        "defaultRequest",
        "maxLimitRequestRatio",
    )
)


class Type(NamedTuple):
    """What a value may be. `form`: "model" (name in `model`), "list", "map" (of `item`) or a scalar's name:

    "str", "int", "float", "bool", "datetime", "bytes", "int_or_str", "quantity", "object" (anything).
    """

    form: str
    model: str = ""
    item: Type | None = None


class Field(NamedTuple):
    """A field of a model: its JSON name, its type, whether the OpenAPI document requires it."""

    name: str
    type: Type
    required: bool


def model_of(kind: Kind) -> str:
    """The model of a built-in kind, "" if it is a custom one or the client does not know it."""
    if kind.custom:
        return ""
    stem = f"{kind.version.capitalize()}{kind.kind}"
    for name in (stem, f"{'Core' if not kind.group else kind.group.partition('.')[0].capitalize()}{stem}"):
        if _model(name) is not None:
            return name
    return ""


@functools.cache
def fields(model: str) -> Mapping[str, Field]:
    """JSON name -> field; empty if there is no such model."""
    found = _model(model)
    if found is None:
        return {}
    names: Mapping[str, str] = found.attribute_map
    by_name = {info.serialization_alias or attribute: info for attribute, info in found.model_fields.items()}
    made = {}
    for attribute, text in found.openapi_types.items():
        name = names[attribute]
        declared = by_name[name]
        type_ = parsed(text, quantity=name in QUANTITIES)
        if text == "object" and {"int", "str"} <= set(re.findall(r"\b(?:int|str)\b", str(declared.annotation))):
            type_ = Type("int_or_str")
        made[name] = Field(name, type_, bool(declared.is_required()))
    return made


def parsed(text: str, *, quantity: bool = False) -> Type:
    """A type from the models' notation, for instance "List[V1Container]"."""
    for pattern, form in ((_LIST, "list"), (_MAP, "map")):
        match = pattern.match(text)
        if match:
            return Type(form, item=parsed(match[1], quantity=quantity))
    if text == "str" and quantity:
        return Type("quantity")
    return Type(text) if text.islower() else Type("model", model=text)


def go_name(type_: Type, field: str = "") -> str:
    """The type as Go's decoder names it in its messages."""
    if type_.form == "model":
        return f"v1.{struct_name(type_.model)}"
    if type_.item is not None:
        return f"{'[]' if type_.form == 'list' else 'map[string]'}{go_name(type_.item)}"
    if type_.form == "int":
        return "int64" if field in _INT64 or (field.endswith("Seconds") and field not in _INT32) else "int32"
    return _GO_NAMES.get(type_.form, type_.form)


def struct_name(model: str) -> str:
    """The Go struct behind a model: "DaemonSetSpec" for "V1DaemonSetSpec"."""
    return re.sub(r"\A[A-Za-z]*?V\d+((alpha|beta)\d+)?(?=[A-Z])", "", model)


_INT64 = frozenset(("generation", "observedGeneration", "runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"))
_INT32 = frozenset(
    (
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "minReadySeconds",
        "progressDeadlineSeconds",
        "leaseDurationSeconds",
    )
)
_GO_NAMES = {
    "str": "string",
    "float": "float64",
    "datetime": "v1.Time",
    "bytes": "[]uint8",
    "quantity": "resource.Quantity",
    "int_or_str": "intstr.IntOrString",
}


def _model(name: str) -> Any:
    from kubernetes.client import models

    found = getattr(models, name, None)
    return found if hasattr(found, "openapi_types") else None
