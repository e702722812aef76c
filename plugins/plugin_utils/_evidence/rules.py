# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of packet filters, as nodes tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Rule:
    """The firewall rule (or chain policy: number 0) that decides a packet's fate. part: which one of its owner's
    configuration it is of ("zone public", "user.rules"), '' if not told."""

    backend: str
    family: str
    table: str
    chain: str
    number: int
    text: str
    owner: str
    path: tuple[str, ...] = ()
    part: str = ""

    @property
    def entry(self) -> str:
        """The chain by which packets come into its table: 'INPUT' of the path ['INPUT 3', 'user 1']."""
        return self.path[0].rsplit(" ", 1)[0] if self.path else self.chain


def read(item: Mapping[str, Any]) -> Rule:
    """A rule as node_facts tells it. What is absent or of a wrong type is empty."""
    return Rule(
        plain.text(item.get("backend")),
        plain.text(item.get("family")),
        plain.text(item.get("table")),
        plain.text(item.get("chain")),
        plain.count(item.get("rule")),
        plain.text(item.get("text")),
        plain.text(item.get("owner")),
        plain.texts(item.get("path")),
        plain.text(item.get("part")),
    )
