# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role that repairs is given, and what it decides: plain data, so that both can be shown and tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence


class Given(NamedTuple):
    """What a decision is made from.

    host: the inventory's name of the host that is to be changed, '' for changes through the API. facts: of each host
    that told any and whose facts are not too old, by name. cluster: what the API told, {} if it was not asked.
    evidence: the same, read. missing: why a host counts as not read, by name. options: the role's.
    """

    host: str
    hosts: tuple[str, ...]
    facts: Mapping[str, Mapping[str, Any]]
    cluster: Mapping[str, Any]
    evidence: Evidence
    missing: Mapping[str, str]
    options: Mapping[str, Any]

    @property
    def own(self) -> Mapping[str, Any]:
        """The facts of the host that is to be changed; {} if it told none."""
        return self.facts.get(self.host, {})


class Decision(NamedTuple):
    """What is to be done: changes for host_change or object_change, and lines for a person. refused: the sentence that
    says why nothing may be changed, '' if it may; expect: BGP peers whose sessions are to come up."""

    changes: Sequence[Mapping[str, Any]] = ()
    says: Sequence[str] = ()
    refused: str = ""
    expect: Sequence[str] = ()
    more: Mapping[str, Any] = {}

    def as_dict(self) -> dict[str, Any]:
        """The same for Jinja: keys changes, says, refused, expect, and those of the role's own (more)."""
        return {
            **self.more,
            "changes": [dict(one) for one in self.changes],
            "says": list(self.says),
            "refused": self.refused,
            "expect": list(self.expect),
        }


Decide = Callable[[Given], Decision]


def refuse(sentence: str) -> Decision:
    """Nothing is to be done, for this reason."""
    return Decision(refused=sentence)
