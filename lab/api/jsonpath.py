# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of JSONPath that printer columns use: fields, ['quoted names'], and items [?(@.field=='value')]. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_STEP = re.compile(r"\.([\w-]+)|\['([^']*)'\]|\[\?\(@\.([\w-]+)\s*==\s*[\"']([^\"']*)[\"']\)\]|\[(\d+|\*)\]")


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[tuple[str, str], ...]:
    steps = []
    for match in _STEP.finditer(path.replace("\\.", "\0")):
        plain, quoted, key, value, index = match.groups()
        if key is not None:
            steps.append((key, value))
        else:
            name = plain if plain is not None else quoted if quoted is not None else f"[{index}]"
            steps.append((name.replace("\0", "."), ""))
    return tuple(steps)


def first(obj: Any, path: str) -> Any:
    """The first value that a path finds, None if it finds nothing."""
    for name, value in _steps(path):
        if isinstance(obj, list):
            if name in ("[*]", "[0]"):
                obj = obj[0] if obj else None
            else:
                obj = next((each for each in obj if isinstance(each, dict) and each.get(name) == value), None)
        else:
            obj = obj.get(name) if isinstance(obj, dict) else None
    return obj
