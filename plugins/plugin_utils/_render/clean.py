# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of reports as they may be shown anywhere."""

from __future__ import annotations

from typing import Any

from .._evidence import plain

_DEEPEST = 60


def clean(value: Any, depth: int = 0) -> Any:
    """The same data with only such signs in its texts as are shown: see plain.text(). Lines stay lines."""
    if isinstance(value, str):
        if value.isprintable():
            return value
        return "\n".join(plain.text(line) for line in value.split("\n"))
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {plain.text(key): clean(item, depth + 1) for key, item in value.items()}
    return [clean(item, depth + 1) for item in value] if isinstance(value, (list, tuple)) else value
