# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply: a manager says what it wants, the server merges it with what the others own.

The rules are those of sigs.k8s.io/structured-merge-diff (package merge): what the manager applied before and no longer
names is removed unless somebody else owns it too; a value that another manager owns and that would change is a
conflict, unless the manager forces it, and then owns it alone.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from ..errors import ApiError, bad_request
from . import field_sets, managed, shapes
from .field_sets import ABSENT, BadElementError, Fields, Path
from .fitting import typing_errors
from .json_patches import same
from .managed import Manager, Owned
from .shapes import ANY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..kinds import Kind
    from .managed import Managed
    from .shapes import Shape

Object = dict[str, Any]
KUBECTL = "kubectl"


def apply(
    current: Object,
    wanted: object,
    kind: Kind,
    *,
    manager: str,
    force: bool = False,
    subresource: str = "",
    schema: Mapping[str, Any] | None = None,
    time: str = "",
) -> Object:
    """The object after server-side apply, its managedFields included; `current` is {} where there was none.

    ApiError: 400 for a configuration of another version or with managedFields, 409 with one cause per path for
    conflicts, 500 for one that does not fit the kind (as a real server answers).
    """
    configuration = _checked(wanted, kind)
    shape = shapes.of_kind(kind, schema)
    problems = typing_errors(configuration, shape)
    if problems:
        told = problems[0] if len(problems) == 1 else "errors:\n" + "\n".join(f"  {text}" for text in problems)
        raise ApiError(500, "", f"failed to create typed patch object ({_named(configuration, kind)}): {told}")
    time = time or managed.now()
    live = copy.deepcopy(current) or {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {}}
    owners = managed.managed_of(live) or {}
    managed.with_managed(live, {})
    if not owners and current:
        owners = _before_first(live, kind, shape, time)
    me = Manager(manager, "Apply", "", subresource)
    made, after = _applied(live, configuration, shape, owners, me, kind, time)
    conflicts = _conflicts(live, made, shape, owners, me, kind)
    if not force:
        _refuse(_undisputed(conflicts, manager, live, shape, kind))
    lost = conflicts | _all_removed(live, made, shape)
    for other, owned in list(after.items()):
        if other != me:
            left = owned.fields - frozenset(path for owner, path in lost if owner in (other, None))
            after[other] = owned._replace(fields=left)
    after = {owner: owned for owner, owned in after.items() if owned.fields}
    if current and me in owners and me in after and after[me].fields == owners[me].fields and same(live, made):
        after[me] = owners[me]  # nothing changed: nor does the time
    _keep_last_applied(made, configuration, manager)
    return managed.with_managed(made, after)


def _checked(wanted: object, kind: Kind) -> Object:
    if not isinstance(wanted, dict):
        raise bad_request("error decoding patch: error unmarshaling JSON: json: cannot unmarshal into Go value")
    version = wanted.get("apiVersion")
    if version != kind.api_version:
        raise bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version or ''}, expected: {kind.api_version}"
        )
    if wanted.get("kind") != kind.kind:
        raise bad_request(f"invalid object type: {kind.api_version}, Kind={wanted.get('kind') or ''}")
    metadata = wanted.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return copy.deepcopy(wanted)


def _named(obj: Object, kind: Kind) -> str:
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    version = kind.api_version if kind.group else f"/{kind.version}"
    return f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}; {version}, Kind={kind.kind}"


def _before_first(live: Object, kind: Kind, shape: Shape, time: str) -> Managed:
    """An object nobody owns anything of belongs to "before-first-apply" as it is."""
    writer = Manager(managed.BEFORE_APPLY, "Update", kind.api_version)
    empty = {"apiVersion": kind.api_version, "kind": kind.kind}
    return managed.updated(empty, live, {}, writer, shape, time=time)


def _applied(
    live: Object, wanted: Object, shape: Shape, owners: Managed, me: Manager, kind: Kind, time: str
) -> tuple[Object, Managed]:
    """The merged object, without what the manager gave up, and who owns what if nobody disputes it."""
    merged = merge(live, wanted, shape)
    mine = managed.ownable(field_sets.fields_of(wanted, shape), me.subresource, kind.subresources)
    after = {**owners, me: Owned(mine, kind.api_version, time)}
    before = owners.get(me)
    if before is None or not before.fields:
        return merged, after
    return _pruned(merged, shape, before.fields, after), after


def _pruned(merged: Object, shape: Shape, last: Fields, owners: Managed) -> Object:
    last_named = field_sets.with_named(last, shape)
    pruned = _without(merged, last_named, shape)
    everybody = frozenset(path for owned in owners.values() for path in owned.fields)
    merged_set = field_sets.with_named(field_sets.fields_of(merged, shape), shape)
    pruned_set = field_sets.with_named(field_sets.fields_of(pruned, shape), shape)
    # What others own, and what the manager still wants, comes back …
    pruned = _without(merged, merged_set - (pruned_set | field_sets.with_named(everybody, shape)), shape)
    pruned_set = field_sets.with_named(field_sets.fields_of(pruned, shape), shape)
    # … and so does what nobody owns but the manager did not apply either.
    return _without(merged, (merged_set - pruned_set) & last_named, shape)


def _without(obj: Object, paths: Fields, shape: Shape) -> Object:
    left: Object = field_sets.without(obj, paths, shape)
    return {} if left is ABSENT else left


def _conflicts(
    live: Object, made: Object, shape: Shape, owners: Managed, me: Manager, kind: Kind
) -> set[tuple[Manager | None, Path]]:
    difference = field_sets.compare(live, made, shape)
    changed = managed.ownable(difference.added | difference.modified, me.subresource, kind.subresources)
    return {(other, path) for other, owned in owners.items() if other != me for path in owned.fields & changed}


def _all_removed(live: Object, made: Object, shape: Shape) -> set[tuple[Manager | None, Path]]:
    """What is gone is nobody's any more."""
    return {(None, path) for path in field_sets.compare(live, made, shape).removed}


def _undisputed(
    conflicts: set[tuple[Manager | None, Path]], manager: str, live: Object, shape: Shape, kind: Kind
) -> list[tuple[Manager, Path]]:
    """The conflicts that count: `kubectl` may take over what it applied before from the client's side."""
    left = sorted((owner, path) for owner, path in conflicts if owner is not None)
    applied = managed.last_applied(live) if manager == KUBECTL else None
    if not isinstance(applied, dict) or applied.get("apiVersion") != kind.api_version:
        return left
    difference = field_sets.compare(applied, live, shape)
    unchanged = field_sets.fields_of(applied, shape) - difference.added - difference.removed - difference.modified
    return [(owner, path) for owner, path in left if path not in unchanged]


def _refuse(conflicts: list[tuple[Manager, Path]]) -> None:
    if not conflicts:
        return
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_told(owner)}", "field": field_sets.text(path)}
        for owner, path in conflicts
    ]
    if len(conflicts) == 1:
        owner, path = conflicts[0]
        message = f"Apply failed with 1 conflict: conflict with {_told(owner)}: {field_sets.text(path)}"
    else:
        lines = []
        for owner in dict.fromkeys(owner for owner, _path in conflicts):
            lines.append(f"conflicts with {_told(owner)}:")
            lines.extend(f"- {field_sets.text(path)}" for other, path in conflicts if other == owner)
        message = f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)
    raise ApiError(409, "Conflict", message, {"causes": causes})


def _told(owner: Manager) -> str:
    name = json.dumps(owner.name, ensure_ascii=False)
    if owner.subresource:
        name += f" with subresource {json.dumps(owner.subresource)}"
    return f"{name} using {owner.api_version}" if owner.operation == "Update" else name


def _keep_last_applied(made: Object, wanted: Object, manager: str) -> None:
    """`kubectl apply --server-side` keeps the annotation of the client's side up to date where there is one."""
    if manager == KUBECTL and managed.last_applied(made) is not None:
        text = json.dumps(wanted, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
        made["metadata"]["annotations"][managed.LAST_APPLIED] = text + "\n"


def merge(live: Any, wanted: Any, shape: Shape) -> Any:
    """The two merged: the configuration wins, lists with keys keep both sides' elements."""
    if live is ABSENT or wanted is ABSENT:
        return copy.deepcopy(wanted if live is ABSENT else live)
    shape = shape.of(wanted)
    leaf = field_sets.is_leaf(live, shape) or field_sets.is_leaf(wanted, shape) or type(live) is not type(wanted)
    if leaf or (not live and not wanted):
        return copy.deepcopy(wanted)
    if isinstance(wanted, dict):
        return {
            name: merge(live.get(name, ABSENT), wanted.get(name, ABSENT), shape.child(name) or ANY)
            for name in {**live, **wanted}
        }
    return _merged_list(live, wanted, shape)


def _merged_list(live: list[Any], wanted: list[Any], shape: Shape) -> list[Any]:
    """Shared elements in the configuration's order; what only one side has stays near its neighbours."""
    left, right = _named_elements(live, shape), _named_elements(wanted, shape)
    theirs, mine = dict(left), dict(right)
    shared = [name for name, _item in right if name in theirs]
    merged: list[Any] = []
    done: set[str] = set()
    i = j = 0
    while i < len(left) or j < len(right):
        if i < len(left) and j < len(right):
            name = left[i][0]
            if name == right[j][0]:
                merged.append(merge(theirs[name], mine[name], shape.element()))
                done.add(name)
                i, j, shared = i + 1, j + 1, shared[1:]
                continue
            if name in mine and shared and name != shared[0]:
                i += 1
                continue
        if i < len(left):
            name, item = left[i]
            if name not in mine:
                merged.append(copy.deepcopy(item))
                i += 1
                continue
            if name in done:
                i += 1
        if j < len(right):
            name = right[j][0]
            merged.append(merge(theirs.get(name, ABSENT), mine[name], shape.element()))
            done.add(name)
            j += 1
            if shared and shared[0] == name:
                shared = shared[1:]
    return merged


def _named_elements(items: list[Any], shape: Shape) -> list[tuple[str, Any]]:
    """Every element with its path element; one without gets a name of its own, so that it stays."""
    found = []
    for place, item in enumerate(items):
        try:
            found.append((field_sets.element_of(item, shape), item))
        except BadElementError:
            found.append((f"i:{place}", item))
    return found
