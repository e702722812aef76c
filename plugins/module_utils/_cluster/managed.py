# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wrote which setting: managedFields, reduced to writers, times and the first names of what they own."""

from __future__ import annotations

from .shapes import fields, mapping, put, scalar, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST = 40
_WRITER = ("manager", "operation", "time", "subresource")
# Below f:template f:spec f:containers k:{"name":"calico-node"}. The variables below f:env are settings of Calico.
_CONTAINER_FIELDS = ("f:env", "f:image", "f:args", "f:command", "f:resources", "f:readinessProbe", "f:livenessProbe")


def reduced(found: dict[str, Any]) -> list[Any]:
    """Return an object's managedFields: of each entry the writer and, under fieldsV1, the fields of spec and data that
    it owns, one level deep, of a pod template the variables of each container too."""
    kept = []
    for entry in sequence(mapping(found.get("metadata")).get("managedFields"))[:_MOST]:
        if not isinstance(entry, dict):
            continue
        writer: dict[str, Any] = fields(entry, _WRITER)
        owned: dict[str, Any] = {}
        written = mapping(entry.get("fieldsV1"))
        for place in ("f:spec", "f:data"):
            put(owned, place, _names(mapping(written.get(place))))
        spec = mapping(written.get("f:spec"))
        if isinstance(spec.get("f:template"), dict):
            put(owned["f:spec"], "f:template", _template(spec["f:template"]))
        put(writer, "fieldsV1", owned)
        kept.append(writer)
    return kept


def _names(found: dict[str, Any]) -> dict[str, Any]:
    return {scalar(name): {} for name in map(word, found) if name not in ("", ".")}


def _template(found: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(found.get("f:spec"))
    kept = _names(spec)
    for place in ("f:containers", "f:initContainers"):
        containers = {
            scalar(name): _container(one)
            for name, one in mapping(spec.get(place)).items()
            if isinstance(one, dict) and word(name).startswith("k:")
        }
        if containers:
            kept[place] = containers
    return {"f:spec": kept} if kept else {}


def _container(found: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: {} for name in _CONTAINER_FIELDS if name in found}
    if "f:env" in found:
        kept["f:env"] = _names(mapping(found["f:env"]))
    return kept
