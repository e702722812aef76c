# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all pruning has in common: safe access to fields, and the metadata of objects.

A field of the wrong type is kept as long as it is small, so that whoever reads the pruned object can still say what was
wrong with it. What is missing or null is left out.
"""

from __future__ import annotations

import json

from . import redact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

LONGEST_NAME = 320
_LONGEST_WORDS = 2048
_MOST_ITEMS = 5000
# The original labels of an object that crd.projectcalico.org carries, as JSON.
ORIGINAL = "projectcalico.org/metadata"


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, {} for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list, [] for anything else."""
    return value if isinstance(value, list) else []


def word(value: Any) -> str:
    """Return a text, '' for anything else."""
    return value if isinstance(value, str) else ""


def scalar(value: Any, most: int = LONGEST_NAME) -> Any:
    """Return a text (cut, without secrets), number or switch as it is; what is neither as an empty one of its type."""
    if isinstance(value, str):
        return redact.text(value, most)
    if isinstance(value, (dict, list)):
        return type(value)()
    return redact.value(value)


def put(kept: dict[str, Any], name: str, value: Any) -> None:
    """Set a field unless there is nothing to say."""
    if value is not None and value != {} and value != []:
        kept[name] = value


def fields(value: Any, names: Iterable[str], most: int = LONGEST_NAME) -> dict[str, Any]:
    """Return these fields of an object, as scalars."""
    return {name: scalar(value[name], most) for name in names if value.get(name) is not None}


def part(kept: dict[str, Any], found: dict[str, Any], name: str, prune: Callable[[dict[str, Any]], Any]) -> None:
    """Prune the object in a field; one of a wrong type stays as far as it tells that it is wrong."""
    inner = found.get(name)
    if isinstance(inner, dict):
        put(kept, name, prune(inner))
    elif inner is not None:
        kept[name] = scalar(inner)


def parts(kept: dict[str, Any], found: dict[str, Any], name: str, prune: Callable[[dict[str, Any]], Any]) -> None:
    """Prune the objects in the list in a field; empty results are left out, wrong types stay as with part()."""
    inner = found.get(name)
    if isinstance(inner, list):
        pruned = [prune(one) if isinstance(one, dict) else scalar(one) for one in inner[:_MOST_ITEMS]]
        put(kept, name, [one for one in pruned if one is not None and one != {}])
    elif inner is not None:
        kept[name] = scalar(inner)


def strings(value: Any, wanted: Callable[[str], bool] | None = None, most: int = LONGEST_NAME) -> Any:
    """Return texts by name (labels, annotations), only the wanted names."""
    if not isinstance(value, dict):
        return None if value is None else scalar(value)
    return {
        redact.text(name): scalar(item, most)
        for name, item in value.items()
        if isinstance(name, str) and item is not None and (wanted is None or wanted(name))
    }


def metadata(found: dict[str, Any], *names: str, annotations: Callable[[str], bool] | None = None) -> dict[str, Any]:
    """Return the metadata that every kind needs: name, namespace, creation and deletion, labels and owners if asked for
    by these names, and those annotations which are wanted."""
    meta = found.get("metadata")
    if not isinstance(meta, dict):
        return {} if meta is None else {"metadata": scalar(meta)}
    kept = fields(meta, ("name", "namespace", "deletionTimestamp"))
    if "creationTimestamp" in names:
        kept.update(fields(meta, ("creationTimestamp",)))
    if "generation" in names:
        kept.update(fields(meta, ("generation",)))
    if "labels" in names:
        put(kept, "labels", strings(meta.get("labels")))
    if annotations is not None:
        put(kept, "annotations", _annotations(meta.get("annotations"), annotations))
    if "ownerReferences" in names:
        parts(kept, meta, "ownerReferences", lambda one: fields(one, ("kind", "name", "controller")))
    if "deletionTimestamp" in kept and isinstance(meta.get("finalizers"), list):
        kept["finalizers"] = [scalar(one) for one in meta["finalizers"][:20]]
    return {"metadata": kept}


def _annotations(value: Any, wanted: Callable[[str], bool]) -> Any:
    kept = strings(value, lambda name: name != ORIGINAL and wanted(name), _LONGEST_WORDS)
    original = _original(word(mapping(value).get(ORIGINAL))) if wanted(ORIGINAL) else ""
    if original:
        kept[ORIGINAL] = original
    return kept


def _original(text: str) -> str:
    """Return labels and wanted annotations of the original metadata, which kubectl's last-applied may be part of."""
    if not text or len(text) > 256 * 1024:
        return ""
    try:
        found = mapping(json.loads(text))
    except (ValueError, RecursionError):
        return ""
    kept: dict[str, Any] = {}
    put(kept, "labels", strings(found.get("labels")))
    put(kept, "annotations", strings(found.get("annotations"), is_of_calico, _LONGEST_WORDS))
    return json.dumps(kept, separators=(",", ":")) if kept else ""


def is_of_calico(name: str) -> bool:
    """Say whether an annotation is one of Calico's or of what installs it."""
    domain = name.partition("/")[0]
    return domain.endswith(("projectcalico.org", "operator.tigera.io", "helm.sh", "cattle.io")) or name == _TEMPLATE


_TEMPLATE = "deprecated.daemonset.template.generation"


def conditions(status: dict[str, Any], usual: Callable[[dict[str, Any]], bool] | None = None) -> list[Any]:
    """Return conditions: in full, but of those which are as usual only type, status and when they became so."""
    kept = []
    for one in sequence(status.get("conditions")):
        if not isinstance(one, dict):
            kept.append(scalar(one))
        elif usual is not None and usual(one):
            kept.append(fields(one, ("type", "status", "lastTransitionTime")))
        else:
            times = ("type", "status", "reason", "lastTransitionTime", "lastHeartbeatTime")
            kept.append({**fields(one, times), **fields(one, ("message",), 500)})
    return kept
