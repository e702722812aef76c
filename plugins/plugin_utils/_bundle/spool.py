# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that are many: kept in one nameless file, compressed, so that memory holds one of them at a time."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Less than this stays in memory: no file is made for a small bundle.
_IN_MEMORY = 4 * 1024 * 1024


class _Place(NamedTuple):
    start: int
    size: int


class Spool(MutableMapping[str, str]):
    """A mapping of texts by their paths. The file has no name, so that nobody else can open it, and nothing is left of
    it, whatever becomes of the process. What is replaced or deleted keeps its room in it."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - it lasts as long as this does
        self._places: dict[str, _Place] = {}
        self._end = 0

    def __setitem__(self, path: str, text: str) -> None:
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
        self._file.seek(self._end)
        self._file.write(packed)
        self._places[path] = _Place(self._end, len(packed))
        self._end += len(packed)

    def __getitem__(self, path: str) -> str:
        place = self._places[path]
        self._file.seek(place.start)
        return zlib.decompress(self._file.read(place.size)).decode("utf-8", "surrogatepass")

    def __delitem__(self, path: str) -> None:
        del self._places[path]

    def __contains__(self, path: object) -> bool:
        return path in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def rename(self, names: Mapping[str, str]) -> None:
        """Give all texts new paths, no two the same one; their order stays."""
        self._places = {names[path]: place for path, place in self._places.items()}

    def close(self) -> None:
        """Give the room back."""
        self._places = {}
        self._file.close()
