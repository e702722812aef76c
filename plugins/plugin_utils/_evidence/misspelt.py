# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that look like misspelt ones of the roles: Ansible takes them in silence, and nobody reads them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from . import role_options

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Someone's own variable may begin like ours; one that is meant to be ours differs in a letter or two.
_NEAR = 0.84
# Shorter words ("bgp", "time") are a letter away from too many others.
_SHORTEST = 5


def warnings(names: Iterable[str], roles: Path = role_options.ROLES) -> list[str]:
    """A sentence for each variable among `names` that is nearly one of the roles' and is none."""
    known = role_options.names_of_all(roles)
    starts = {name.partition("_")[0] for name in known}
    sentences = []
    for name in sorted({str(name) for name in names} - known):
        start, sign, rest = name.partition("_")
        meant = {one for one in starts if one == start or _is_a_slip(start, one)} if sign else set()
        near = [f"{one}_{rest}" for one in meant if f"{one}_{rest}" in known]
        near = near or _nearest([f"{one}_{rest}" for one in meant], known)
        if near:
            sentences.append(f"Nothing reads the variable {name}. Is {near[0]} meant?")
    return sentences


def _nearest(written: Iterable[str], known: Iterable[str]) -> list[str]:
    """The one of the known names that is most like one of those written, in a list; none if none is near."""
    found = [
        (difflib.SequenceMatcher(None, *_after_same_words(one, other)).ratio(), other)
        for one in written
        for other in known
        if one.partition("_")[0] == other.partition("_")[0]
    ]
    near = [name for ratio, name in sorted(found, reverse=True)[:1] if ratio >= _NEAR]
    # Of a short word one slip is a large part: awx_slcies.
    return (
        near or [other for one in written for other in sorted(known) if _is_a_slip(*_after_same_words(one, other))][:1]
    )


def _after_same_words(one: str, other: str) -> tuple[str, str]:
    """What is left of two names after the words that both begin with: long ones would make any two alike."""
    left, right = one.split("_"), other.split("_")
    while len(left) > 1 and len(right) > 1 and left[0] == right[0]:
        left, right = left[1:], right[1:]
    return "_".join(left), "_".join(right)


def _is_a_slip(written: str, meant: str) -> bool:
    """Whether one word becomes the other by one letter more, less or other, or by two that change places."""
    if len(meant) < _SHORTEST or abs(len(written) - len(meant)) > 1:
        return False
    same = 0
    while same < min(len(written), len(meant)) and written[same] == meant[same]:
        same += 1
    rest, wanted = written[same:], meant[same:]
    swapped = wanted[1:2] + wanted[:1] + wanted[2:]
    return rest in (wanted[1:], swapped) or rest[1:] in (wanted, wanted[1:])
