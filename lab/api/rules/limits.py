# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounds that keep the rules from running away on hostile input."""

from __future__ import annotations

from ..errors import bad_request

DEEPEST = 100  # real objects nest about 15 deep; the rules call themselves once or twice for each level


def check_depth(value: object, most: int = DEEPEST) -> None:
    """ApiError 400 if a value nests deeper than any real object does."""
    level: list[object] = [value]
    for _depth in range(most):
        level = [
            item
            for container in level
            if isinstance(container, (dict, list))
            for item in (container.values() if isinstance(container, dict) else container)
        ]
        if not level:
            return
    raise bad_request("exceeded max depth")
