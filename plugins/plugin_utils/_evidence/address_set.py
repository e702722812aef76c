# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of addresses that stays packed: in a mesh of a thousand nodes a million of them are told.

Addresses that differ in their last part only share one whole number, with a bit for each (see module_utils'
_facts.packing for the form in which nodes tell them).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ...module_utils._facts.packing import MOST, canonical, spans
from ...module_utils._inet import octets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_VERBATIM = ""
_DECIMAL, _HEX = (".", 10, 0xFF), (":", 16, 0xFFFF)
# All nodes of a mesh tell of the same peers.
_REMEMBERED = 4096


class AddressSet(AbstractSet[str]):
    """An immutable set of addresses. groups: what comes before the last separator, with a bit for each last part."""

    __slots__ = ("_groups", "_verbatim")

    def __init__(self, groups: Mapping[str, int] | None = None, verbatim: Iterable[str] = ()) -> None:
        self._groups = {group: mask for group, mask in (groups or {}).items() if mask}
        self._verbatim = frozenset(verbatim)

    @classmethod
    def of(cls, addresses: Iterable[str]) -> AddressSet:
        """The set of these addresses."""
        groups: dict[str, int] = {}
        verbatim = []
        for address in addresses:
            group, value = _parts(address)
            if value < 0:
                verbatim.append(address)
            else:
                groups[group] = groups.get(group, 0) | 1 << value
        return cls(groups, verbatim)

    @classmethod
    def packed(cls, *told: Any) -> AddressSet:
        """The set that nodes tell in packed form, at most MOST addresses; whatever is none of that form is left out."""
        groups: dict[str, int] = {}
        verbatim: list[str] = []
        left = MOST
        for mapping in told:
            for group, text in mapping.items() if isinstance(mapping, dict) else ():
                if not (isinstance(group, str) and isinstance(text, str)) or left <= 0:
                    continue
                if group == _VERBATIM:
                    verbatim += [part for part in text.split(",") if part][:left]
                    continue
                name, form = _group(group)
                mask = _mask(text, form) if name else 0
                left -= mask.bit_count()
                if mask:
                    groups[name] = groups.get(name, 0) | mask
        return cls(groups, verbatim)

    @classmethod
    def _from_iterable(cls, it: Iterable[Any]) -> AddressSet:  # type: ignore[override]  # only addresses are put in
        return cls.of(it)

    def __contains__(self, address: object) -> bool:
        if not isinstance(address, str):
            return False
        group, value = _parts(address)
        return bool(self._groups.get(group, 0) >> value & 1) if value >= 0 else address in self._verbatim

    def __iter__(self) -> Iterator[str]:
        for group, mask in self._groups.items():
            left = mask
            while left:
                lowest = left & -left
                value = lowest.bit_length() - 1
                yield canonical(f"{group}:{value:x}") if ":" in group else f"{group}.{value}"
                left ^= lowest
        yield from self._verbatim

    def __len__(self) -> int:
        return sum(mask.bit_count() for mask in self._groups.values()) + len(self._verbatim)

    def __hash__(self) -> int:
        return hash((frozenset(self._groups.items()), self._verbatim))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, AddressSet):
            return self._groups == other._groups and self._verbatim == other._verbatim
        return super().__eq__(other)

    def __and__(self, other: AbstractSet[Any]) -> AddressSet:
        if not isinstance(other, AddressSet):
            return AddressSet.of(item for item in other if item in self)
        groups = {name: mask & other._groups[name] for name, mask in self._groups.items() if name in other._groups}
        return AddressSet(groups, self._verbatim & other._verbatim)

    __rand__ = __and__

    def __or__(self, other: AbstractSet[Any]) -> AddressSet:
        more = other if isinstance(other, AddressSet) else AddressSet.of(other)
        groups = dict(self._groups)
        for name, mask in more._groups.items():
            groups[name] = groups.get(name, 0) | mask
        return AddressSet(groups, self._verbatim | more._verbatim)

    __ror__ = __or__

    def __sub__(self, other: AbstractSet[Any]) -> AddressSet:
        less = other if isinstance(other, AddressSet) else AddressSet.of(other)
        groups = {name: mask & ~less._groups.get(name, 0) for name, mask in self._groups.items()}
        return AddressSet(groups, self._verbatim - less._verbatim)

    def __repr__(self) -> str:
        return f"AddressSet({sorted(self)!r})"


@lru_cache(maxsize=_REMEMBERED)
def _parts(address: str) -> tuple[str, int]:
    """What an address shares with its neighbours, and its own last part; -1 for what cannot be put together again."""
    if ":" in address:
        raw = octets(address)
        if len(raw) != 16 or canonical(address) != address:
            return "", -1
        return ":".join(f"{raw[at] << 8 | raw[at + 1]:x}" for at in range(0, 14, 2)), raw[14] << 8 | raw[15]
    group, _dot, last = address.rpartition(".")
    if group.count(".") == 2 and last.isdecimal() and last.isascii() and len(last) <= 3:
        value = int(last)
        return (group, value) if value <= 0xFF and str(value) == last else ("", -1)
    return "", -1


@lru_cache(maxsize=_REMEMBERED)
def _group(group: str) -> tuple[str, tuple[str, int, int]]:
    """A group's name in one spelling, '' for what is none, and how its last parts are written."""
    form = _HEX if ":" in group else _DECIMAL
    name, value = _parts(canonical(f"{group}{form[0]}1"))
    return (name, form) if value == 1 else ("", form)


def _mask(text: str, form: tuple[str, int, int]) -> int:
    """A bit for each number of '9-12,14'."""
    _sign, base, most = form
    mask = 0
    for first, last in spans(text, base, most):
        mask |= ((1 << (last - first + 1)) - 1) << first
    return mask
