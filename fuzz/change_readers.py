# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How what reads records of changes and objects to be changed is called: an API answers everything with one object."""

from __future__ import annotations

import importlib
import json
import time
from typing import Any

from fuzz.api_readers import Answers

_PACKAGE = "ansible_collections.netmedic.calico.plugins.module_utils"
_ALL_SECONDS = 60.0


def _module(name: str) -> Any:
    return importlib.import_module(f"{_PACKAGE}.{name}")


def object_record(data: bytes) -> Any:
    """Undo what the input tells under "record", make what it asks for under "changes"; every object is the input."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    asker = _module("_cluster.asking").Asker(
        Answers(data), 1.0, time.monotonic() + _ALL_SECONDS, sleep=lambda _seconds: None, patient=True
    )
    told = told if isinstance(told, dict) else {"record": told}
    undoing, planning = (_module(f"_object_change.{name}") for name in ("undoing", "planning"))
    return [
        _rehearsed(asker, lambda resources: undoing.transitions(resources, _list(told, "record"))),
        _rehearsed(asker, lambda resources: planning.transitions(asker, resources, _changes(told, planning))),
    ]


def _list(told: dict[str, Any], name: str) -> list[Any]:
    found = told.get(name)
    return found[:20] if isinstance(found, list) else []


def _changes(told: dict[str, Any], planning: Any) -> list[Any]:
    """Those of a form that the module's own description of its options lets pass."""
    forms: dict[str, type] = {
        "patch": dict,
        "expect": dict,
        "object": dict,
        "from": dict,
        "to": dict,
        "set": list,
        "keys": list,
    }
    names = ("api_version", "kind", "name", "namespace", "uid", "service_account", "owner_reverts")
    forms.update(dict.fromkeys(names, str))
    found = []
    for one in _list(told, "changes"):
        if isinstance(one, dict) and isinstance(one.get("action"), str) and one["action"] in planning.NEEDS:
            kept: dict[str, Any] = {
                name: value for name, value in one.items() if isinstance(value, forms.get(name, bool))
            }
            listed = [each for each in kept.get("set", ()) if isinstance(each, dict)]
            kept["set"] = [each for each in listed if isinstance(each.get("path"), list)]
            for each in kept["set"]:
                each["was"] = each.get("was") if isinstance(each.get("was"), list) else None
            found.append({**kept, "action": one["action"]})
    return found


def _rehearsed(asker: Any, plan: Any) -> Any:
    settling, views, records = (_module(f"_object_change.{name}") for name in ("settling", "views", "records"))
    resources = _module("_object_change.resources").Resources(asker)
    try:
        found = [settling.settle(asker, views.Rehearsal(asker), one) for one in plan(resources)]
    except _module("_cluster.problems").ApiError as problem:
        return problem.sentence
    return [[records.result(one), records.difference(one), records.entry(one)] for one in found]


def lease(data: bytes) -> Any:
    """Take, renew and release a lock that is as the input says."""
    lock, problems = _module("_object_change.lock"), _module("_cluster.problems")
    asker = _module("_cluster.asking").Asker(
        Answers(data), 1.0, time.monotonic() + _ALL_SECONDS, sleep=lambda _seconds: None, patient=True
    )
    settling, views = _module("_object_change.settling"), _module("_object_change.views")
    ref = _module("_object_change.resources").Ref("coordination.k8s.io/v1", "Lease", "n", lock.NAME, lock.LEASES)
    told = []
    for state, decide in sorted(lock._DECIDE.items()):
        one = settling.Transition(ref, state, decide(ref, lock.Claim("me"), lambda: lock._now(asker, ref)), own=True)
        try:
            settled = settling.settle(asker, views.Rehearsal(asker), one)
        except problems.ApiError as problem:
            told.append(problem.sentence)
        else:
            told.append(str(settled.after)[:1000])
    return told


def journal(data: bytes) -> Any:
    """Read a journal of changes."""
    try:
        return _module("_object_change.journal").record("journal", data.decode("utf-8", "replace"))
    except _module("_cluster.problems").ApiError as problem:
        return str(problem)
