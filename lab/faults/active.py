# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The active faults of a lab, kept in faults.json: a list of records in the order of injection.

A record: {"id", "node", "variant", "patch": {…laid over the datastore…}, "undo": {…what `heal` needs to know…},
"breaks_sessions": true}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..state import State

Record = dict[str, Any]
_FILE = "faults.json"


def listed(state: State) -> list[Record]:
    """All records, oldest first."""
    found: list[Record] = state.read(_FILE, [])
    return found


def patches(state: State) -> list[dict[str, Any]]:
    """What the active faults lay over the datastore."""
    return [record["patch"] for record in listed(state) if record.get("patch")]


def put(state: State, record: Record) -> None:
    """Add a record or replace the one of the same fault, node and variant."""
    records = listed(state)
    places = [key(each) for each in records]
    if key(record) in places:
        records[places.index(key(record))] = record
    else:
        records.append(record)
    state.write(_FILE, records)


def drop(state: State, record: Record) -> None:
    """Forget a record."""
    state.write(_FILE, [each for each in listed(state) if key(each) != key(record)])


def key(record: Record) -> tuple[str, str]:
    """What tells records apart: a fault can be active once per node."""
    return record["id"], record["node"]
