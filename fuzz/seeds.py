# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs to begin from: what real programs said, as the unit tests have it recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzz.made import MADE, TESTS
from fuzz.targets import BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fuzz.targets import Target

REGRESSIONS = TESTS / "fuzz" / "regressions"
LARGEST = 64 * 1024
_MOST = 200


def of(target: Target) -> list[bytes]:
    """The seeds of a target: recorded files, and inputs that once broke it."""
    own = MADE.get(target.name, lambda: iter(()))
    found = [*own(), *_recorded(target), *regressions(target)]
    return list(dict.fromkeys(one[:LARGEST] for one in found))[:_MOST]


def regressions(target: Target) -> list[bytes]:
    """Inputs that once broke a target."""
    return [path.read_bytes() for path in regression_files(target)]


def regression_files(target: Target) -> list[Path]:
    """Files with inputs that once broke a target."""
    return sorted(path for path in (REGRESSIONS / target.name).glob("*") if path.is_file())


def _recorded(target: Target) -> Iterator[bytes]:
    for pattern in target.seeds:
        for path in sorted(TESTS.glob(pattern)):
            if not path.is_file() or path.name in {"SOURCE", "__init__.py"} or REGRESSIONS in path.parents:
                continue
            if target.form == BYTES and path.suffix == ".txt":
                yield from _hexadecimal(path)
            else:
                yield path.read_bytes()


def _hexadecimal(path: Path) -> Iterator[bytes]:
    """Binary messages are recorded as hexadecimal digits, one a line, after a word that names them."""
    for line in path.read_text(encoding="utf-8").splitlines():
        digits = line.rpartition(" ")[2]
        try:
            yield bytes.fromhex(digits)
        except ValueError:
            continue
