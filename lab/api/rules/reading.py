# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading fields of objects that may be absent, null or of any type: what is of the wrong type is as good as absent."""

from __future__ import annotations

from typing import Any


def mapping(obj: object, name: str) -> dict[str, Any]:
    """The object under a name, {} if there is none."""
    found = obj.get(name) if isinstance(obj, dict) else None
    return found if isinstance(found, dict) else {}


def mappings(obj: object, name: str) -> list[dict[str, Any]]:
    """The objects in the list under a name."""
    found = obj.get(name) if isinstance(obj, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(obj: object, name: str) -> str:
    """The text under a name, "" if there is none."""
    found = obj.get(name) if isinstance(obj, dict) else None
    return found if isinstance(found, str) else ""


def texts(obj: object, name: str) -> list[str]:
    """The texts in the list under a name."""
    found = obj.get(name) if isinstance(obj, dict) else None
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
