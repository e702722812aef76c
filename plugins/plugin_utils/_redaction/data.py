# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON data, redacted: of the same shape, with the same keys but for those that are names or addresses."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ...module_utils._facts import packing
from . import learn
from .secrets import judge
from .vocabulary import CUT

if TYPE_CHECKING:
    from .texts import Texts

_DEEPEST = 100
_LEAST_NO_ADDRESS = 1 << 32
_GROUP = re.compile(r"(?:\d{1,3}\.\d{1,3}\.\d{1,3}|[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){6}|)$")
_RANGES = re.compile(r"[0-9a-f]+(?:-[0-9a-f]+)?(?:,[0-9a-f]+(?:-[0-9a-f]+)?)*$")
_LENGTH = re.compile(r"\d{0,3}$")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Data:
    """Redacts data with the same words as texts."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def value(self, found: Any, depth: int = 0) -> Any:
        """Return the value redacted."""
        if isinstance(found, str):
            return self._string(found, depth)
        if depth > _DEEPEST:
            return None
        if isinstance(found, list):
            return [self.value(item, depth + 1) for item in found]
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found < _LEAST_NO_ADDRESS:
            return int(self._texts.speller.rare.number(str(found)) or found)
        return self._mapping(found, depth) if isinstance(found, dict) else found

    def _string(self, found: str, depth: int) -> str:
        if found[:1] in "{[" and len(found) > 2 and depth < _DEEPEST:
            try:
                inner = json.loads(found)
            except (ValueError, RecursionError):
                inner = None
            if isinstance(inner, (dict, list)):
                return json.dumps(self.value(inner, depth + 10), ensure_ascii=False, separators=(",", ":"))
        if self._texts.is_common(found):
            return self._texts.words.named(found)
        return self._texts.text(found)

    def _mapping(self, found: dict[Any, Any], depth: int) -> dict[Any, Any]:
        if _is_packed(found):
            return self._packed(found)
        if found and all(
            _LENGTH.match(str(key)) and isinstance(item, dict) and _is_packed(item) for key, item in found.items()
        ):
            return {key: self._packed(item, key) for key, item in found.items()}
        of_kind = found.get("kind") == "Secret"
        name = found.get("name")
        variable = isinstance(name, str) and "value" in found and judge.holds_secrets(name)
        made: dict[Any, Any] = {}
        for key, item in found.items():
            spelled = self._key(key)
            if of_kind and key in ("data", "stringData"):
                made[spelled] = _cut(item)
            elif (variable and key == "value") or (isinstance(key, str) and judge.holds_secrets(key)):
                made[spelled] = self.value(item, depth + 1) if isinstance(item, bool) else self._under(item, depth + 1)
            elif of_kind and key == "annotations":
                made[spelled] = _cut(item)
            else:
                made[spelled] = self._of_nodes(item, depth) if key == "nodes" else self.value(item, depth + 1)
        if of_kind:
            _without_applied(made)
        return made

    def _of_nodes(self, item: Any, depth: int) -> Any:
        """What stands under "nodes": in indexes of bundles a mapping by nodes' names."""
        if not isinstance(item, dict):
            return self.value(item, depth + 1)
        named = self._texts.words.named
        return {
            named(key) if self._texts.is_common(key) and learn.is_indexed(one) else self._key(key): self.value(
                one, depth + 2
            )
            for key, one in item.items()
        }

    def _key(self, key: Any) -> Any:
        if not isinstance(key, str):
            return key
        return self._texts.words_of(key)

    def _under(self, item: Any, depth: int) -> Any:
        """What stands under a secret's name: references stay, what is harmless stays, the rest is cut."""
        if isinstance(item, str):
            return self.value(item, depth) if judge.harmless(item) else CUT
        if isinstance(item, list):
            return [self._under(one, depth + 1) for one in item] if depth < _DEEPEST else None
        if isinstance(item, dict):
            if depth > _DEEPEST:
                return None
            if _is_packed(item):
                return self._packed(item)
            return {
                CUT if judge.is_key(key) else self._key(key): self.value(one, depth + 1)
                if key in judge.REFERENCES
                else self._under(one, depth + 1)
                for key, one in item.items()
            }
        return item

    def _packed(self, found: dict[str, str], length: str = "") -> dict[str, str]:
        made = []
        for address in packing.unpack(found):
            spelled = self._texts.speller.address(address, int(length) if length else None)
            made.append(self._texts.text(address) if spelled is None else spelled)
        return packing.pack(made)


def _is_packed(found: dict[Any, Any]) -> bool:
    """Say whether a mapping is addresses as the facts pack them."""
    return bool(found) and all(
        isinstance(key, str) and isinstance(item, str) and _GROUP.match(key) and (not key or _RANGES.match(item))
        for key, item in found.items()
    )


def _without_applied(made: dict[Any, Any]) -> None:
    annotations = made.get("metadata", {}).get("annotations") if isinstance(made.get("metadata"), dict) else None
    if isinstance(annotations, dict) and _APPLIED in annotations:
        annotations[_APPLIED] = CUT


def _cut(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _cut(one) for key, one in item.items()}
    if isinstance(item, list):
        return [_cut(one) for one in item]
    return CUT if isinstance(item, str) else item
