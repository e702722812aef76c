# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where changes go: into the cluster (Live), or as far as a dry run tells what would become of them (Rehearsal)."""

from __future__ import annotations

from .._cluster import problems
from .._cluster.problems import ApiError
from .._cluster.shapes import mapping, word
from . import fields
from .owners import MANAGER
from .resources import refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from .._cluster.asking import Asker
    from .resources import Ref

    Object = dict[str, Any]
    Found = Union[Object, None]

_BY = ("fieldManager", MANAGER)
_DRY = ("dryRun", "All")
# A pod's status changes all the time; that it is this very pod is all that matters.
_BY_UID_ONLY = ("Pod",)


def meta(found: Found, name: str) -> str:
    """Return a text of an object's metadata, '' if it has none."""
    return word(mapping(mapping(found).get("metadata")).get(name))


class Live:
    """The cluster itself."""

    dry = False

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def read(self, ref: Ref) -> Found:
        """Return the object as it is now, None if there is none. Raises ApiError."""
        return _read(self._asker, ref)

    def write(self, ref: Ref, before: Found, after: Found, attempt: int) -> Found:
        """Make `before`, which was just read, into `after`; None is no object. Returns what is there then.

        Raises ApiError: of the kind 'conflict' if the object is not `before` any more, UnclearError if it is not known
        whether it was done.
        """
        return _write(self._asker, ref, before, after, attempt, dry=False)

    def renew(self, ref: Ref) -> None:
        """Read anew what read() returns: it always does."""


class Rehearsal:
    """The cluster as it would be: every write is a dry run, and later changes see what earlier ones would have made."""

    dry = True

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._real: dict[str, Found] = {}
        self._would_be: dict[str, Found] = {}

    def read(self, ref: Ref) -> Found:
        """Return the object as it would be by now, None if there would be none. Raises ApiError."""
        if ref.path not in self._would_be:
            self._real[ref.path] = self._would_be[ref.path] = _read(self._asker, ref)
        found: Found = fields.copied(self._would_be[ref.path])
        return found

    def write(self, ref: Ref, before: Found, after: Found, attempt: int) -> Found:
        """Return what the server says that there would be. Raises ApiError."""
        del before
        real = self._real[ref.path]
        if real is not None and after is not None and self._would_be[ref.path] is None:
            raise refused(f"{ref.label} cannot be deleted and made anew in one task; make it two.")
        if (real is None and after is None) or (real is not None and after is not None and fields.same(real, after)):
            found = after
        else:
            found = _write(self._asker, ref, real, after, attempt, dry=True)
        if found is not None and real is not None and after is not None:
            _check_kept(ref, fields.patch_between(real, after), found)
        self._would_be[ref.path] = fields.copied(found)
        return found

    def renew(self, ref: Ref) -> None:
        """Forget an object that has changed meanwhile. Raises ApiError if earlier changes would have to be redone."""
        if self._real.pop(ref.path, None) is not self._would_be.pop(ref.path, None):
            raise ApiError(problems.CONFLICT, f"{ref.label} was changed by somebody just now; run again.")


def _read(asker: Asker, ref: Ref) -> Found:
    try:
        found = asker.get(ref.path)
    except ApiError as problem:
        if problem.kind == problems.ABSENT:
            return None
        raise
    if fields.is_too_deep(found) or not isinstance(found.get("metadata"), dict):
        raise ApiError(
            problems.ANSWER, f"What {asker.transport.server} answers to {ref.path} is no object of Kubernetes."
        )
    return found


def _write(asker: Asker, ref: Ref, before: Found, after: Found, attempt: int, dry: bool) -> Found:
    try:
        return _sent(asker, ref, before, after, attempt, dry)
    except ApiError as problem:
        if ref.kind == "Secret" and problem.kind == problems.REFUSED:
            # Webhooks like to quote what they deny.
            raise refused(
                f"{asker.transport.server} refuses {ref.label}. What it says is not shown, as it may hold a value."
            ) from None
        raise


def _sent(asker: Asker, ref: Ref, before: Found, after: Found, attempt: int, dry: bool) -> Found:
    query = [_BY, _DRY] if dry else [_BY]
    if after is None:
        _delete(asker, ref, before or {}, [_DRY] if dry else [], attempt)
        return None
    if before is None:
        body = fields.as_made(after)
        return asker.change("POST", ref.collection, query, body, attempt)
    if not asker.transport.patches:
        return asker.change("PUT", ref.path, query, after, attempt)
    patch = fields.patch_between(before, after)
    patch["metadata"] = {**(patch.get("metadata") or {}), "resourceVersion": meta(before, "resourceVersion")}
    return asker.change("PATCH", ref.path, query, patch, attempt)


def _delete(asker: Asker, ref: Ref, before: Object, query: list[tuple[str, str]], attempt: int) -> None:
    conditions = {"uid": meta(before, "uid")}
    if ref.kind not in _BY_UID_ONLY:
        conditions["resourceVersion"] = meta(before, "resourceVersion")
    body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": conditions}
    asker.change("DELETE", ref.path, query, body, attempt)


def _check_kept(ref: Ref, patch: Object, found: Object) -> None:
    """Raise ApiError if the server would drop a field, as it does with fields that its release does not know."""
    dropped = _dropped(patch, found, ())
    if dropped:
        raise refused(f"{ref.label} has no field {fields.shown(dropped)} in this release: the API would drop it.")


def _dropped(patch: Any, found: Any, path: tuple[str, ...]) -> tuple[str, ...]:
    if patch is None or patch == {}:
        return ()
    if isinstance(patch, dict):
        inside = mapping(found)
        return next(
            filter(None, (_dropped(value, inside.get(name), (*path, name)) for name, value in patch.items())), ()
        )
    # What is empty or false may well be left out.
    return path if patch and found is None else ()
