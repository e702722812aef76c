# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a correction is: a field of an object, or a rule of a packet filter."""

from __future__ import annotations

from typing import Any, NamedTuple


class ObjectChange(NamedTuple):
    """Fields of one object of the API, as a merge patch: None takes a field away, and of lists whose items have names
    those items are changed that are named. `kind` in small letters without its group, `namespace` '' if not told."""

    kind: str
    name: str
    namespace: str
    patch: dict[str, Any]


class RuleChange(NamedTuple):
    """A rule that is put first in a chain, or taken out of it (`remove`), on one node. `program` is iptables,
    ip6tables or nft; `backend` legacy, nft or '' where the command leaves it open. A table of nft has its family
    before its name."""

    node: str
    program: str
    backend: str
    table: str
    chain: str
    rule: str
    remove: bool = False


class Patch(NamedTuple):
    """A file to be written: its name, and its text, a unified diff against the bundle or a merge patch."""

    name: str
    text: str


Change = ObjectChange | RuleChange
