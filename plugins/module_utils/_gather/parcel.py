# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outputs of a node as one compressed text that fits into Ansible's result: a line of JSON for each output.

It is compressed as it grows, so that its size is known while there is still a choice of what goes into it.
"""

from __future__ import annotations

import base64
import contextlib
import json
import zlib

from .cutting import head_and_tail
from .model import CUT, LEFT_OUT, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Room for what is told of outputs that are left out.
_RESERVE = 16 * 1024
_SMALLEST = 8 * 1024
_LEVEL = 6
_MARK = "netmedic.calico.outputs/1"
NO_ROOM = "no room was left in this node's share of the archive"


class Parcel:
    """Takes outputs as long as they fit into `most` bytes, compressed."""

    def __init__(self, most: int) -> None:
        self._most = max(most - _RESERVE, _SMALLEST)
        self._compressor = zlib.compressobj(_LEVEL)
        self._data = self._compressor.compress((_MARK + "\n").encode())

    @property
    def size(self) -> int:
        """Bytes so far."""
        return len(self._data)

    def add(self, output: Output) -> None:
        """Take an output; less of it if there is not enough room, only its name if there is next to none."""
        text, detail = output.text, output.detail
        while True:
            if self._fits(output):
                return
            room = len(output.text.encode("utf-8", "replace")) // 3
            if room < _SMALLEST:
                break
            shorter, _cut = head_and_tail(text, room, output.name.endswith(".log"))
            output = output._replace(text=shorter, status=CUT, detail=detail or NO_ROOM)
        self._put(output._replace(text="", status=LEFT_OUT, detail=NO_ROOM))

    def end(self) -> str:
        """Return the parcel as base64."""
        return base64.b64encode(self._data + self._compressor.flush()).decode("ascii")

    def _fits(self, output: Output) -> bool:
        trial = self._compressor.copy()
        line = _line(output)
        more = trial.compress(line) + trial.flush(zlib.Z_SYNC_FLUSH)
        if len(self._data) + len(more) > self._most and output.text:
            return False
        self._compressor, self._data = trial, self._data + more
        return True

    def _put(self, output: Output) -> None:
        self._data += self._compressor.compress(_line(output))


def unpacked(parcel: str, most: int) -> list[Output]:
    """Return the outputs of a parcel of at most `most` bytes, unpacked. Raises ValueError if it is none, or is damaged.

    What came by then is lost with a damaged parcel: whoever can damage one can write what he likes into it.
    """
    try:
        raw = base64.b64decode(parcel, validate=True)
        opened = zlib.decompressobj()
        data = opened.decompress(raw, most)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"it is damaged: {error}") from None
    if opened.unconsumed_tail:
        raise ValueError(f"it holds more than {most} bytes")
    if not opened.eof:
        raise ValueError("its end is missing")
    lines = data.decode("utf-8", "replace").split("\n")
    if lines[0] != _MARK:
        raise ValueError("it is none of this collection's making")
    return [_output(line) for line in lines[1:] if line]


def _line(output: Output) -> bytes:
    return (json.dumps(list(output), ensure_ascii=True) + "\n").encode("ascii")


def _output(line: str) -> Output:
    told: Any = None
    with contextlib.suppress(RecursionError):
        told = json.loads(line)
    if not isinstance(told, list) or len(told) != len(Output._fields) or not all(map(_is_right, told, _KINDS)):
        raise ValueError("one of its lines is no output")
    return Output(*told)


def _is_right(value: Any, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


_KINDS = ((str,), (str,), (str,), (str,), (str,), (int,), (int, float))
