# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret in an object: neither records nor differences may hold it. Pure."""

from __future__ import annotations

import json

from .._cluster import redact
from .fields import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .fields import Path

HIDDEN = "(hidden)"
_DEEPEST = 60
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_secret(found: Any, path: Path = ()) -> bool:
    """Say whether a value, or anything in it, looks like a secret by its form or by the name that it stands under.

    A variable of a container ({"name": …, "value": …}) stands under its own name.
    """
    last, around = ([*path[-2:][::-1], "", ""])[:2]
    if last == "value" and isinstance(around, dict):
        last = str(around.get("name", ""))
    return found is not ABSENT and _looks_so(found, last if isinstance(last, str) else "", len(path))


def _looks_so(found: Any, name: str, depth: int) -> bool:
    if depth > _DEEPEST:
        return True
    if isinstance(found, dict):
        return _in_object(found, name, depth)
    if isinstance(found, list):
        return any(_looks_so(item, name, depth + 1) for item in found)
    if isinstance(found, bool) or found in (None, ""):
        return False
    if name == _LAST_APPLIED and isinstance(found, str):
        return _in_last_applied(found, depth)
    if redact.is_secret(name):
        return True
    return isinstance(found, str) and redact.text(found, len(found) + 1) != found


def _in_object(found: dict[str, Any], name: str, depth: int) -> bool:
    if redact.is_secret(name):
        return bool(redact.references(found) != found)
    variable = found.get("name")
    for inner, value in found.items():
        stands_under = variable if inner == "value" and isinstance(variable, str) else inner
        if _looks_so(value, stands_under, depth + 1):
            return True
    return False


def _in_last_applied(name: str, depth: int) -> bool:
    try:
        return _looks_so(json.loads(name), "", depth + 1)
    except (ValueError, RecursionError):
        return True


def shown(found: Any, path: Path) -> Any:
    """Return a value as it may be shown, None for an absent one."""
    if found is ABSENT:
        return None
    return HIDDEN if is_secret(found, path) else found
