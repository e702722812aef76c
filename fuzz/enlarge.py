# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Enormous inputs: one thing over and over, where a cost that grows faster than the input shows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILLERS = (
    *(
        b" ",
        b"\n",
        b"\t",
        b" \n",
        b"\r",
        b"\0",
        b"0",
        b"9",
        b"a",
        b"A",
        b"a ",
        b"1 ",
        b"- ",
        b"-",
        b".",
        b",",
        b":",
        b"=",
        b"/",
    ),
    *(
        b"|",
        b"+",
        b"*",
        b'"',
        b"'",
        b'" ',
        b"\\",
        b"#",
        b"<",
        b"<a ",
        b"{",
        b"[",
        b"(",
        b"{\n",
        b"[1,",
        b'{"a":',
        b"}",
        b"a=",
    ),
    *(
        b"\xff",
        "²".encode(),
        b"10.0.0.1 ",
        b"::",
        b"\x1b[",
        b"-A ",
        b"*a\n",
        b"/*",
        b"$a",
        b"@",
        b"add rule a b ",
        b"{ ",
    ),
    b"a: ",
)
_MOST_LINES = 60


def fillers(size: int) -> Iterator[bytes]:
    """Each filler, repeated up to a size."""
    for filler in FILLERS:
        yield _repeated(filler, size)


def grown(seeds: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Each line of the seeds over and over after what stands before it, and with a part of itself repeated."""
    seen = set()
    for seed in seeds:
        lines = seed.split(b"\n")
        for number, line in enumerate(lines[:_MOST_LINES]):
            if line in seen or not line.strip():
                continue
            seen.add(line)
            before = b"\n".join([*lines[:number], b""])
            yield before + _repeated(line + b"\n", size)
            first, space, rest = line.strip().partition(b" ")
            yield before + first + space + _repeated(rest.partition(b" ")[0] + b" ", size)
            yield before + line + _repeated(line[-1:], size)


def _repeated(part: bytes, size: int) -> bytes:
    return (part * (size // len(part) + 1))[:size]
