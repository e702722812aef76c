# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When an object that shall be deleted is really gone. Pure but for the clock.

Source: k8s.io/apiserver, pkg/registry/rest/delete.go and pkg/registry/generic/registry/store.go; for pods kubernetes,
pkg/registry/core/pod/strategy.go (CheckGracefulDelete); for namespaces pkg/registry/core/namespace/storage.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from . import errors
from .entry import copied
from .metadata import stamp

if TYPE_CHECKING:
    from .entry import Object
    from .kinds import Kind

GRACE_SECONDS = 30
FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Wish(NamedTuple):
    """How a client wants something deleted: DeleteOptions. "" and None mean that it does not say."""

    grace_seconds: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""


def begun(kind: Kind, before: Object, wish: Wish) -> Object:
    """The object once its deletion has begun; Conflict if the preconditions do not hold.

    If `is_over` of it, it goes at once.
    """
    _check(kind, before, wish)
    after: Object = copied(before)
    metadata = after["metadata"]
    grace = _grace(kind, before, wish)
    if "deletionTimestamp" in metadata:
        if grace < metadata.get("deletionGracePeriodSeconds", 0):
            _mark(metadata, grace)
        return after
    finalizers = [each for each in metadata.get("finalizers") or () if each not in (FOREGROUND, ORPHAN)]
    finalizers += {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(wish.propagation, [])
    metadata["finalizers"] = finalizers
    if not finalizers:
        del metadata["finalizers"]
    _mark(metadata, grace)
    if "generation" in metadata:
        metadata["generation"] += 1
    if kind.resource == "namespaces" and (after.get("spec") or {}).get("finalizers"):
        after["status"] = {**(after.get("status") or {}), "phase": "Terminating"}
    return after


def is_over(obj: Object) -> bool:
    """Whether nothing keeps an object whose deletion has begun."""
    metadata = obj["metadata"]
    if "deletionTimestamp" not in metadata or metadata.get("finalizers"):
        return False
    if obj["kind"] == "Namespace" and (obj.get("spec") or {}).get("finalizers"):
        return False
    return not metadata.get("deletionGracePeriodSeconds")


def _check(kind: Kind, before: Object, wish: Wish) -> None:
    metadata = before["metadata"]
    for title, wanted, found in (
        ("UID", wish.uid, metadata["uid"]),
        ("ResourceVersion", wish.version, metadata["resourceVersion"]),
    ):
        if wanted and wanted != found:
            why = f"Precondition failed: {title} in precondition: {wanted}, {title} in object meta: {found}"
            raise errors.conflict(kind, metadata["name"], why)


def _grace(kind: Kind, obj: Object, wish: Wish) -> int:
    """Seconds that the object is given; only a pod that a node runs has any."""
    spec = obj.get("spec") or {}
    if kind.resource != "pods" or not spec.get("nodeName"):
        return 0
    if (obj.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
        return 0
    seconds = wish.grace_seconds
    if seconds is None:
        seconds = spec.get("terminationGracePeriodSeconds", GRACE_SECONDS)
    return int(seconds) if seconds >= 0 else 1


def _mark(metadata: Object, grace: int) -> None:
    metadata["deletionTimestamp"] = stamp(time.time() + grace)
    metadata["deletionGracePeriodSeconds"] = grace
