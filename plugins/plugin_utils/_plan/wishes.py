# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a caller gave, read and refused in a sentence where it is not as it must be."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from .._catalogue.faults import BY_ID
from .._evidence import plain
from .model import CONTROLLER, RISKS, Wishes
from .refusal import most_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping


def wishes_of(given: Mapping[str, Any]) -> Wishes:
    """Read the options of the filter plan, named as the role names them without its prefix. ValueError with a
    sentence for the operator."""
    only, consent = _faults(given, "only"), frozenset(_faults(given, "consent"))
    pointless = sorted(fault for fault in consent if only and fault not in only)
    if pointless:
        raise ValueError(
            f"remediate_consent agrees to {', '.join(pointless)}, which remediate_only leaves out. Say which is meant."
        )
    risk = str(given.get("max_risk", "low"))
    if risk not in RISKS:
        raise ValueError(f"remediate_max_risk must be one of {', '.join(RISKS)}, not {risk!r}")
    return Wishes(
        only=only,
        max_risk=risk,
        consent=consent,
        max_nodes=_limit(given.get("max_nodes", "25%")),
        max_age=_seconds(given.get("max_age", 900)),
        bundle=str(given.get("bundle") or ""),
        inventory=tuple(str(name) for name in given.get("inventory") or ()),
        managed=bool(given.get("managed")),
        approved=str(given.get("approved") or ""),
        api_host=str(given.get("api_host") or CONTROLLER),
        lock=str(given.get("lock") or ""),
    )


def _faults(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name) or ()
    ids = plain.listed(value)
    if not isinstance(ids, (list, tuple)) or not all(isinstance(one, str) for one in ids):
        raise ValueError(f"remediate_{name} must be a list of faults, not {value!r}")
    for one in ids:
        if one not in BY_ID:
            near = difflib.get_close_matches(one, BY_ID, 1)
            hint = f" Is {near[0]} meant?" if near else ""
            raise ValueError(f"remediate_{name} names {one!r}, which is no fault of the catalogue.{hint}")
    return tuple(dict.fromkeys(ids))


def _limit(value: Any) -> str:
    text = str(value)
    try:
        most_hosts(text, 100)
    except ValueError:
        raise ValueError(
            f"remediate_max_nodes must be a number of hosts or a share such as 25%, not {text!r}"
        ) from None
    return text


def _seconds(value: Any) -> int:
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        found = 0
    if found <= 0:
        raise ValueError(f"remediate_max_age must be a number of seconds above 0, not {value!r}")
    return found
