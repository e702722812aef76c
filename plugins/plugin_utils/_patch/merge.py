# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of an object as a merge patch for kubectl, where the text that somebody saved cannot be changed itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from .objects import LONG_NAMES

if TYPE_CHECKING:
    from .model import ObjectChange

# Stands for the file's own name, which is given later.
FILE = "@FILE@"
# Kinds of Kubernetes' own, whose lists kubectl merges by the names of their items; others it replaces as a whole.
_BUILT_IN = ("daemonset", "deployment", "node", "configmap")


def written(change: ObjectChange, path: str) -> str:
    """The patch as YAML, with the line that applies it. path: where the bundle has the object."""
    kind = LONG_NAMES.get(change.kind, change.kind)
    built_in = kind.removesuffix("s") in _BUILT_IN
    space = f" -n {change.namespace}" if change.namespace else ""
    how = "strategic" if built_in else "merge"
    body = _strategic(change.patch) if built_in else change.patch
    head = (
        f"# {path} has this object in a form that cannot be changed in place. To change it in the cluster:\n"
        f"# kubectl patch {kind} {change.name}{space} --type {how} --patch-file {FILE}\n"
    )
    return head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)


def _strategic(value: Any) -> Any:
    """A change in the form of a strategic merge: an item of a list whose value goes is deleted by its name."""
    if isinstance(value, list):
        return [_strategic(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"name", "value"} and value["value"] is None:
        return {"name": value["name"], "$patch": "delete"}
    return {key: _strategic(one) for key, one in value.items()}
