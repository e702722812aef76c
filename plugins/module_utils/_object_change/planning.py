# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the changes that a task asks for to transitions of single objects."""

from __future__ import annotations

from .._cluster.shapes import mapping, sequence, word
from . import fields, secrets
from .deciding import changed_since, check_expected, check_uid, creation
from .fields import ABSENT
from .resources import refused
from .settling import Transition
from .views import meta

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Union

    from .._cluster.asking import Asker
    from .resources import Ref, Resources

    Change = dict[str, Any]
    Found = Union[dict[str, Any], None]
    Build = Callable[[Asker, Resources, Change], list[Transition]]

PATCH, CREATE, DELETE, RESTART, CORDON, UNCORDON = "patch", "create", "delete", "restart_pod", "cordon", "uncordon"
# What each kind of change cannot do without.
NEEDS = {
    PATCH: ("kind", "name"),
    CREATE: ("object",),
    DELETE: ("kind", "name"),
    secrets.COPY: ("from", "to", "keys"),
    secrets.ALLOW: ("namespace", "name", "service_account"),
    RESTART: ("namespace", "name", "uid"),
    CORDON: ("name",),
    UNCORDON: ("name",),
}
_COPIED = ("namespace", "name")


def transitions(asker: Asker, resources: Resources, changes: Sequence[Change]) -> list[Transition]:
    """Return what is to be done, in order. Raises ApiError for what makes no sense, before anything is asked of it."""
    for change in changes:
        wrong = trouble(change)
        if wrong:
            raise refused(wrong)
    return [one for change in changes for one in _BUILD[change["action"]](asker, resources, change)]


def trouble(change: Change) -> str:
    """Return what is wrong with how a change is asked for, '' if nothing is."""
    action = change["action"]
    if fields.is_too_deep(change):
        return f"What a change with the action {action} asks for is too deep for any object."
    lacking = [name for name in NEEDS[action] if not change.get(name)]
    if lacking:
        return f"A change with the action {action} needs {', '.join(lacking)}."
    if action == PATCH and not change.get("patch") and not change.get("set"):
        return "A change with the action patch needs patch or set."
    for name in ("from", "to") if action == secrets.COPY else ():
        if sorted(change[name]) != sorted(_COPIED) or not all(isinstance(one, str) for one in change[name].values()):
            return f"{name} of copy_secret has a namespace and a name, and nothing else."
    for one in change.get("set") or ():
        if not one.get("path") or not all(isinstance(step, str) or _chooses(step) for step in one["path"]):
            return "The path of a field to set is a list of names, and of objects that choose an item of a list."
    kind = word(mapping(change.get("object")).get("kind")) or word(change.get("kind"))
    if kind == "Secret" and action in (PATCH, CREATE):
        return f"Secrets are only copied (copy_secret) or deleted; {action} would bring their values into a task."
    return ""


def _chooses(step: Any) -> bool:
    return isinstance(step, dict) and bool(step) and all(isinstance(one, (str, int)) for one in step.values())


def _common(change: Change) -> dict[str, Any]:
    return {
        "owner_reverts": change.get("owner_reverts") or "",
        "despite_owner": bool(change.get("despite_owner")),
        "irreversible": bool(change.get("irreversible")),
    }


def _ref(resources: Resources, change: Change) -> Ref:
    version, namespace = change.get("api_version") or "", change.get("namespace") or ""
    return resources.ref(version, change["kind"], namespace, change["name"])


def _patch(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    ref = _ref(resources, change)

    def decide(found: Found) -> Found:
        if found is None:
            raise refused(f"{ref.label} is gone.")
        check_uid(ref, found, change.get("uid"))
        wanted: dict[str, Any] = fields.merged(found, change.get("patch") or {})
        for one in change.get("set") or ():
            _set(ref, wanted, one)
        if not fields.same(wanted, found):
            check_expected(ref, found, change.get("expect"))
            for one in change.get("set") or ():
                _check_was(ref, found, one)
        return wanted

    return [Transition(ref, PATCH, decide, **_common(change))]


def _set(ref: Ref, wanted: dict[str, Any], one: dict[str, Any]) -> None:
    if one.get("value") is None:
        fields.remove(wanted, one["path"])
        return
    try:
        fields.put(wanted, one["path"], fields.copied(one["value"]))
    except ValueError as error:
        raise refused(f"In {ref.label} {error}.") from None


def _check_was(ref: Ref, found: dict[str, Any], one: dict[str, Any]) -> None:
    allowed = one.get("was")
    if allowed is None:
        return
    there = fields.at(found, one["path"])
    there = None if there is ABSENT else there
    value = one.get("value")
    if not fields.same(there, value) and not any(fields.same(there, each) for each in allowed):
        raise changed_since(ref, one["path"])


def _create(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    made = fields.without_servers(change["object"])
    about = mapping(made.get("metadata"))
    kind, name = word(made.get("kind")), word(about.get("name"))
    if not kind or not name:
        raise refused("The object of a change with the action create needs a kind and metadata.name.")
    ref = resources.ref(word(made.get("apiVersion")), kind, word(about.get("namespace")), name)
    return [Transition(ref, CREATE, creation(ref, {**made, "apiVersion": ref.api_version}), **_common(change))]


def _delete(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    ref = _ref(resources, change)

    def decide(found: Found) -> Found:
        if found is None or meta(found, "deletionTimestamp"):
            return found
        check_uid(ref, found, change.get("uid"))
        check_expected(ref, found, change.get("expect"))
        return None

    return [Transition(ref, DELETE, decide, **_common(change))]


def _restart(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    ref = resources.ref("v1", "Pod", change["namespace"], change["name"])

    def decide(found: Found) -> Found:
        if meta(found, "uid") != change["uid"] or meta(found, "deletionTimestamp"):
            return found  # it was restarted already
        owners = sequence(mapping(mapping(found).get("metadata")).get("ownerReferences"))
        if not any(mapping(one).get("controller") is True for one in owners):
            raise refused(f"{ref.label} belongs to no controller, so nothing would make it anew.")
        return None

    return [Transition(ref, RESTART, decide, own=True)]


def _cordon(_asker: Asker, resources: Resources, change: Change) -> list[Transition]:
    ref = resources.ref("v1", "Node", "", change["name"])
    wanted = True if change["action"] == CORDON else None

    def decide(found: Found) -> Found:
        if found is None:
            raise refused(f"{ref.label} is gone.")
        check_uid(ref, found, change.get("uid"))
        return fields.merged(found, {"spec": {"unschedulable": wanted}})  # type: ignore[no-any-return]

    return [Transition(ref, change["action"], decide, **_common(change))]


_BUILD: dict[str, Build] = {
    PATCH: _patch,
    CREATE: _create,
    DELETE: _delete,
    secrets.COPY: secrets.copy,
    secrets.ALLOW: secrets.allow,
    RESTART: _restart,
    CORDON: _cordon,
    UNCORDON: _cordon,
}
