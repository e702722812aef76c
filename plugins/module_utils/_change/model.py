# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kind of change is: something on the host with a state that is read, planned, written, and written back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    State = Any  # JSON types only: it goes into the record

PRESENT, ABSENT = "present", "absent"


class RefusedError(Exception):
    """Something is not done, or could not be; the text is one sentence for a person."""


class Kind:
    """One change. A subclass says in `required` and `optional` (with defaults) which options it has.

    Whatever goes wrong raises RefusedError. `write` is used for both ways: from what was before to what is planned, and
    from what is now back to what was before. So everything is undone by the code that does it.
    """

    name = ""
    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = {}
    undoable = True
    # Whether it may cut the host off from whoever makes the change.
    cuts_off = True
    # Why it does nothing, where its own plan does not tell, as of a rule whose flows are open already.
    needless = ""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(self.optional, **options)

    @property
    def subject(self) -> str:
        """What the change is about, the same for any two changes about the same thing."""
        raise NotImplementedError

    def preflight(self) -> None:
        """Refuse what could not be done: a program, chain or file that is not there, a read-only file system."""

    def writable(self) -> None:
        """Refuse what could not be written back either: a program that is gone, a file or setting that is read-only."""

    def read(self) -> State:
        """Return what is there now."""
        raise NotImplementedError

    def plan(self, before: State) -> State:
        """Return what is to be there instead, `before` itself if nothing is to be done."""
        raise NotImplementedError

    def write(self, now: State, wanted: State) -> None:
        """Turn the state `now`, which was just read, into `wanted`."""
        raise NotImplementedError

    def same(self, one: State, other: State) -> bool:
        """Say whether two states are the same as far as this change goes."""
        return bool(one == other)

    def shown(self, state: State) -> str:
        """Return the state as text, for the diff."""
        raise NotImplementedError


def lines_of(texts: list[str]) -> str:
    """Return texts as lines for a diff."""
    return "".join(f"{text}\n" for text in texts)
