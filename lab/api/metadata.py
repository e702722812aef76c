# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server itself writes into objects: names, uids, times, generations. Pure but for the clock and chance.

Source: k8s.io/apiserver, pkg/registry/rest/create.go and update.go.
"""

from __future__ import annotations

import secrets
import time
import uuid
from typing import TYPE_CHECKING

from . import errors
from .entry import copied

if TYPE_CHECKING:
    from .entry import Object
    from .kinds import Kind

_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_BASE = 58
# Set by the server once; an update cannot change them.
_KEPT = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")


def now() -> str:
    """The time as objects carry it, in seconds."""
    return stamp(time.time())


def stamp(seconds: float) -> str:
    """RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def fresh(kind: Kind, namespace: str, obj: Object, *, shared: bool = False) -> Object:
    """A new object with complete metadata: its name made if it has only `generateName`.

    `shared`: what it consists of stays the caller's and must not be changed.
    """
    made: Object = dict(obj) if shared else copied(obj)
    made["apiVersion"], made["kind"] = kind.api_version, kind.kind
    metadata = made["metadata"] = dict(made.get("metadata") or {})
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = generated(metadata["generateName"])
    if not metadata.get("name"):
        cause = ("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
        raise errors.invalid(kind, "", [cause])
    if metadata.get("resourceVersion"):
        raise errors.ApiError(500, "", "resourceVersion should not be set on objects to be created")
    if kind.namespaced:
        if metadata.get("namespace", namespace) not in ("", namespace):
            message = "the namespace of the provided object does not match the namespace sent on the request"
            raise errors.bad_request(message)
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    metadata.setdefault("uid", str(uuid.uuid4()))
    metadata["creationTimestamp"] = metadata.get("creationTimestamp") or now()
    metadata["resourceVersion"] = "0"
    if kind.counts_generations:
        metadata["generation"] = 1
    return made


def generated(base: str) -> str:
    """`generateName` with five characters that make no words."""
    return base[:_LONGEST_BASE] + "".join(secrets.choice(_SUFFIX) for _index in range(5))


def succeeded(kind: Kind, before: Object, obj: Object, subresource: str) -> Object:
    """The state after `before` that a client asked for with `obj`; Conflict, BadRequest."""
    asked: Object = copied(obj)
    old = before["metadata"]
    metadata = asked["metadata"] = dict(asked.get("metadata") or {})
    _check_identity(kind, old, metadata)
    if subresource == "status":
        asked = _status_of(kind, before, asked)
        metadata = asked["metadata"]
    elif "status" in kind.subresources:
        asked.pop("status", None)
        if "status" in before:
            asked["status"] = before["status"]
    for key in ("name", "namespace", "resourceVersion", *_KEPT):
        metadata.pop(key, None)
        if key in old:
            metadata[key] = old[key]
    if "managedFields" not in metadata and "managedFields" in old:
        metadata["managedFields"] = old["managedFields"]
    asked["apiVersion"], asked["kind"] = kind.api_version, kind.kind
    if kind.counts_generations and _meant(asked) != _meant(before):
        metadata["generation"] = int(old.get("generation", 0)) + 1
    return asked


def _check_identity(kind: Kind, old: Object, new: Object) -> None:
    name = old["name"]
    if new.get("name", name) != name:
        message = f"the name of the object ({new['name']}) does not match the name on the URL ({name})"
        raise errors.bad_request(message)
    if new.get("namespace", "") not in ("", old.get("namespace", "")):
        raise errors.bad_request(
            "the namespace of the object ({}) does not match the namespace on the URL ({})".format(
                new["namespace"], old.get("namespace", "")
            )
        )
    if new.get("uid", old["uid"]) != old["uid"]:
        why = f"Precondition failed: UID in precondition: {new['uid']}, UID in object meta: {old['uid']}"
        raise errors.conflict(kind, name, why)
    if (new.get("resourceVersion") or old["resourceVersion"]) != old["resourceVersion"]:
        raise errors.conflict(kind, name)


def _status_of(kind: Kind, before: Object, asked: Object) -> Object:
    """Of what was asked only the status; a built-in kind's labels and annotations may go with it."""
    found = copied(before)
    found.pop("status", None)
    if "status" in asked:
        found["status"] = asked["status"]
    if not kind.custom:
        for key in ("labels", "annotations", "finalizers"):
            found["metadata"].pop(key, None)
            if key in asked["metadata"]:
                found["metadata"][key] = asked["metadata"][key]
    if "managedFields" in asked["metadata"]:
        found["metadata"]["managedFields"] = asked["metadata"]["managedFields"]
    return found


def _meant(obj: Object) -> Object:
    """The part of an object that counts for its generation."""
    return {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
