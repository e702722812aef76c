# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of JSON and YAML data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .judge import REFERENCES, harmless, holds_secrets, is_key

if TYPE_CHECKING:
    from .kept import Kept


def learn(value: Any, secrets: Kept, *, under: bool = False, depth: int = 0) -> None:
    """Take in the secrets of JSON or YAML data."""
    if isinstance(value, str):
        if under and not harmless(value):
            secrets.take(value)
    elif isinstance(value, list) and depth < 60:
        for item in value:
            learn(item, secrets, under=under, depth=depth + 1)
    elif isinstance(value, dict) and depth < 60:
        of_kind = value.get("kind") == "Secret"
        variable = isinstance(value.get("name"), str) and "value" in value and holds_secrets(value["name"])
        for key, item in value.items():
            if under and is_key(key):
                secrets.take(str(key))
            inside = (
                (of_kind and key in ("data", "stringData"))
                or (variable and key == "value")
                or (holds_secrets(str(key)))
                or (under and key not in REFERENCES)
            )
            learn(item, secrets, under=inside, depth=depth + 1)
