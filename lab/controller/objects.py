# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small things that every object of Kubernetes is made of. Pure."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

Object = dict[str, Any]
# The letters of which Kubernetes makes random names.
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def make(api_version: str, kind: str, name: str, namespace: str = "", **fields: Any) -> Object:
    """An object; `labels` and `annotations` among the fields go into its metadata."""
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    for key in ("labels", "annotations"):
        if fields.get(key):
            metadata[key] = dict(fields[key])
        fields.pop(key, None)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def now(at: float | None = None) -> str:
    """A time as metadata and conditions have it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def now_micro(at: float | None = None) -> str:
    """A time as leases have it."""
    moment = time.time() if at is None else at
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1e6):06d}Z"


def suffix(*parts: object, length: int = 5) -> str:
    """The random end of a name, always the same for the same parts."""
    number = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16], "big")
    letters = []
    for _place in range(length):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)


def fingerprint(value: Any) -> str:
    """What tells one pod template from another: ten letters as in the label pod-template-hash."""
    return suffix(json.dumps(value, sort_keys=True), length=10)


def owner(obj: Object) -> Object:
    """The reference of a controlled object to its controller."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"].get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def controller_of(obj: Object) -> Object | None:
    """The reference to the controlling owner, None if there is none."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            found: Object = reference
            return found
    return None


def is_owned_by(obj: Object, uid: str) -> bool:
    """Whether this owner controls the object."""
    reference = controller_of(obj)
    return reference is not None and reference.get("uid") == uid


def condition(obj: Object, kind: str) -> Object | None:
    """The condition of a type in an object's status, None if there is none."""
    for each in (obj.get("status") or {}).get("conditions") or []:
        if each.get("type") == kind:
            found: Object = each
            return found
    return None


def is_true(obj: Object, kind: str) -> bool:
    """Whether a condition is there and True."""
    found = condition(obj, kind)
    return found is not None and found.get("status") == "True"


def set_condition(obj: Object, kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> bool:
    """Set a condition in an object's status; the time of transition changes with its status only. True if it did."""
    conditions = obj.setdefault("status", {}).setdefault("conditions", [])
    found = next((each for each in conditions if each.get("type") == kind), None)
    changed = found is None or found.get("status") != status
    if found is None:
        found = {"type": kind}
        conditions.append(found)
    found["status"] = status
    if changed or not found.get("lastTransitionTime"):
        found["lastTransitionTime"] = now()
    for key, value in (("reason", reason), ("message", message)):
        if value:
            found[key] = value
        else:
            found.pop(key, None)
    found.update(more)
    return changed


def same_labels(selector: Object, labels: Object) -> bool:
    """Whether a label selector of Kubernetes (matchLabels, matchExpressions) selects these labels."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(expression(each, labels) for each in selector.get("matchExpressions") or [])


def expression(wanted: Object, labels: Object) -> bool:
    """Whether one requirement {key, operator, values} of a selector holds."""
    key, operator, values = wanted["key"], wanted["operator"], wanted.get("values") or []
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    if operator == "In":
        return labels.get(key) in values
    if operator == "NotIn":
        return labels.get(key) not in values
    number, limit = str(labels.get(key, "")), str(values[0] if values else "")
    if not number.lstrip("-").isdecimal() or not limit.lstrip("-").isdecimal():
        return False
    return int(number) > int(limit) if operator == "Gt" else int(number) < int(limit)
