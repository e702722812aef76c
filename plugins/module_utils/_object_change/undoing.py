# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the record of changes to the transitions that put everything back, in reverse order.

A field is put back only where it still has the value that was given to it. Whatever else has changed in the object
since stays as it is.
"""

from __future__ import annotations

from .._cluster.shapes import mapping, sequence, word
from . import fields, owners, records
from .deciding import creation, own
from .fields import ABSENT
from .planning import RESTART
from .resources import refused
from .settling import Transition
from .views import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Union

    from .fields import Field
    from .resources import Ref, Resources

    Entry = dict[str, Any]
    Found = Union[dict[str, Any], None]
    Decide = Callable[[Found], Found]

UNDO = "undo"
_SINCE = "somebody has changed it since"


def transitions(resources: Resources, record: Sequence[Any]) -> list[Transition]:
    """Return what is to be done to undo the changes of a record. Raises ApiError for an entry that makes no sense."""
    for number, entry in enumerate(record, 1):
        wrong = records.lacking(entry)
        if wrong:
            raise refused(f"Entry {number} of the record {wrong}; it must be given as it was returned.")
    made = []
    later: dict[str, Any] = {}
    for entry in reversed(record):
        if entry["action"] == RESTART:
            continue  # a pod that was restarted is as good as before
        ref = resources.ref(entry["api_version"], entry["kind"], word(entry.get("namespace")), entry["name"])
        if entry.get("restorable") is False:
            raise refused(
                f"{ref.label} cannot be put back, for the record does not hold the secret that was in it. Leave this "
                "entry out to undo the others."
            )
        # Of a secret only its version tells whether somebody has changed it; our own later change counts for nobody's.
        followed = later.get(ref.path, "") == entry.get("resource_version")
        later[ref.path] = entry.get("version_before")
        secret = entry["kind"] == records.SECRET
        made.append(Transition(ref, UNDO, _decision(ref, {**entry, "followed": followed}), own=True, secret=secret))
    return made


def _decision(ref: Ref, entry: Entry) -> Decide:
    if entry["was"] == "absent":
        return _unmade(ref, entry)
    if entry["is"] == "absent":
        return _made_again(ref, entry)
    return _without_keys(ref, entry) if entry["kind"] == records.SECRET else _fields_put_back(ref, entry)


def _check_same(ref: Ref, entry: Entry, found: dict[str, Any]) -> None:
    if word(entry.get("uid")) not in ("", meta(found, "uid")):
        raise refused(f"{ref.label} is another object of that name than the one that was changed.")


def _is_untouched(entry: Entry, found: dict[str, Any]) -> bool:
    if entry.get("unsure"):
        return owners.wrote_last(found)
    version = entry.get("resource_version")
    return bool(version) and (meta(found, "resourceVersion") == version or (entry["followed"] and "keys" in entry))


def _unmade(ref: Ref, entry: Entry) -> Decide:
    """What was made is deleted."""

    def decide(found: Found) -> Found:
        if found is None or meta(found, "deletionTimestamp"):
            return found
        _check_same(ref, entry, found)
        if entry.get("unsure") and not owners.wrote(found):
            return found  # ours was never made; somebody else has made one of that name
        if not _is_untouched(entry, found):
            made = mapping(entry.get("object"))
            missed = fields.unmet(found, own(made))
            if missed is not None or not made:
                what = f"{fields.shown(missed)} of {ref.label}" if missed else ref.label
                raise refused(f"{what} is not as it was made: {_SINCE}, so it is not deleted.")
        return None

    return decide


def _made_again(ref: Ref, entry: Entry) -> Decide:
    """What was deleted is made anew, unless it is still there because its deletion never took place."""
    made = {**mapping(entry.get("object")), "apiVersion": ref.api_version}
    create = creation(ref, made)

    def decide(found: Found) -> Found:
        if found is not None and entry.get("unsure") and meta(found, "uid") == entry.get("uid"):
            return found
        if found is not None and meta(found, "deletionTimestamp"):
            raise refused(f"{ref.label} is still being deleted; undo it once it is gone.")
        return create(found)

    return decide


def _fields_put_back(ref: Ref, entry: Entry) -> Decide:
    changed = [one for one in map(records.read_field, sequence(entry.get("fields"))) if one is not None]

    def decide(found: Found) -> Found:
        if found is None:
            raise refused(f"{ref.label} is gone, so its fields cannot be put back.")
        _check_same(ref, entry, found)
        for one in reversed(changed):
            _put_back(ref, found, one)
        return found

    return decide


def _put_back(ref: Ref, found: dict[str, Any], one: Field) -> None:
    there = fields.at(found, one.path)
    if _is(there, one.before):
        return
    if not _is(there, one.after):
        raise refused(f"{fields.shown(one.path)} of {ref.label} is not put back: {_SINCE}.")
    if one.before is ABSENT:
        fields.remove(found, one.path, one.created)
        return
    try:
        fields.put(found, one.path, fields.copied(one.before), one.place)
    except ValueError as error:
        raise refused(f"In {ref.label} {error}: {_SINCE}.") from None


def _is(there: Any, value: Any) -> bool:
    return there is value if ABSENT in (there, value) else fields.same(there, value)


def _without_keys(ref: Ref, entry: Entry) -> Decide:
    """The keys that were added to a secret are taken out; that nobody has changed it is told by its version alone."""
    keys = [key for key in sequence(entry.get("keys")) if isinstance(key, str)]

    def decide(found: Found) -> Found:
        if found is None:
            return None
        _check_same(ref, entry, found)
        data = mapping(found.get("data"))
        left = {key: value for key, value in data.items() if key not in keys}
        if len(left) == len(data):
            return found
        if not _is_untouched(entry, found):
            raise refused(f"{ref.label} is not put back: {_SINCE}.")
        return {**found, "data": left}

    return decide
