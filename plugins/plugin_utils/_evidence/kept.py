# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came of reading a host: from the task of this run, or as an earlier job kept it beside the facts in a cache.

Facts alone do not tell a later job that the host was asked again in vain, nor, as their stamp is of the node's clock,
how old they are. So the job that collects keeps a note of both, by the controller's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FACT = "collect_note"
# What the role collect registers.
RESULT = "collect_result"
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


def note(variables: Mapping[str, Any], why: str, unreachable: bool, now: datetime) -> dict[str, Any]:
    """The note on a host that was asked in this run. why: why it could not be read, '' if it was.

    The stamp of the facts that the host has now goes with it: facts of another stamp came later, and have nothing to
    do with this note.
    """
    result = {"unreachable" if unreachable else "failed": True, "msg": why} if why else {}
    return {"at": now.strftime(_STAMP), "facts": _stamp(variables), "result": result}


def result_of(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """What came of reading the host in this run, or else what the note tells; {} if nothing does, or all was well."""
    return plain.mapping(variables[RESULT] if RESULT in variables else _note(variables).get("result"))


def given_up_after(result: Mapping[str, Any]) -> str:
    """After how many seconds Ansible gave up on the task, '' if it did not.

    Only this key is touched: ansible-core warns of the one beside it, `frame`, as soon as somebody looks at its value.
    """
    timed_out = result.get("timedout")
    return plain.text(timed_out.get("period")) if isinstance(timed_out, dict) else ""


def taken_at(variables: Mapping[str, Any]) -> str:
    """When the host was asked for what is in the cache, by the controller's clock if known; '' if nothing is."""
    return plain.text(_note(variables).get("at")) or _stamp(variables)


def asked_in_this_run(variables: Mapping[str, Any]) -> bool:
    """Whether the facts, or that there are none, are of this run."""
    return bool(plain.mapping(variables.get(RESULT)))


def of(variables: Mapping[str, Any], key: str) -> Any:
    """A fact of a host, wherever Ansible has put it."""
    return plain.mapping(variables.get("ansible_facts")).get(key, variables.get(key))


def _stamp(variables: Mapping[str, Any]) -> str:
    return plain.text(plain.mapping(of(variables, "calico_node")).get("taken_at"))


def _note(variables: Mapping[str, Any]) -> Mapping[str, Any]:
    """The note, if it is on the facts that are there."""
    found = plain.mapping(of(variables, FACT))
    return found if plain.text(found.get("facts")) == _stamp(variables) else {}
