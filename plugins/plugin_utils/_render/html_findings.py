# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings as plain data for the template of the HTML report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue.model import ROLES, SEVERITIES
from .terminal import few, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# So many findings are told with all their evidence; of the rest report.json tells.
IN_FULL = 300
_OPEN = 3
_SEEN = 30
_SESSIONS = 40
_ROLE_WORDS = {
    "cause": "cause",
    "contributing": "contributes",
    "latent": "would break BGP when a session starts anew",
    "consequence": "follows from another finding",
    "not_a_fault": "no fault",
}


def findings(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is told in full, what may be behind it, what follows from it, and what is left out."""
    numbered = list(enumerate(report["findings"], 1))
    told = [(number, item) for number, item in numbered if item["role"] != "consequence" and not item.get("guess")]
    guessed = [(number, item) for number, item in numbered if item.get("guess")]
    flapping = set((report.get("history") or {}).get("flapping") or ())
    new = set((report.get("history") or {}).get("new") or ())
    shown = [_finding(number, item, at < _OPEN, new, flapping) for at, (number, item) in enumerate(told[:IN_FULL])]
    return {
        "shown": shown,
        "top": shown[:5],
        "severities": [one for one in reversed(SEVERITIES) if any(item["severity"] == one for item in shown)],
        "guessed": [_finding(number, item, False, new, flapping) for number, item in guessed[:IN_FULL]],
        "following": list(_following(item for _number, item in numbered)),
        "left_out": len(told) - len(shown),
        "shown_numbers": {item["number"] for item in shown} | {number for number, _item in guessed[:IN_FULL]},
    }


def _finding(number: int, item: Mapping[str, Any], is_open: bool, new: set[str], flapping: set[str]) -> dict[str, Any]:
    keys = {f"{item['fault']}@{node}" for node in item["nodes"] or [""]}
    severity = item["severity"] if item["severity"] in SEVERITIES else "info"
    role = item["role"] if item["role"] in ROLES else "cause"
    return {
        "number": number,
        "fault": item["fault"],
        "title": item["title"],
        "severity": severity,
        "weight": SEVERITIES.index(severity),
        "role": role,
        "role_told": _ROLE_WORDS.get(role, role),
        "sure": f"{item['confidence']:.0%}",
        "confidence": item["confidence"],
        "where": few(item["nodes"]),
        "nodes": item["nodes"],
        "open": is_open,
        "summary": item["summary"],
        "place": place(item["where"]),
        "file": _file(item.get("location") or {}),
        "means": item["means"],
        "seen": list(_seen(item["evidence"])),
        "seen_left_out": max(len(item["evidence"]) - _SEEN, 0),
        "against": list(_seen(item["against"])),
        "missing": item["missing"],
        "alternatives": [
            {**other, "sure": f"{other['confidence']:.0%}"}
            for other in item["alternatives"]
            if other["confidence"] >= 0.02 or other["told_apart_by"]
        ],
        "sessions": [list(pair) for pair in item["affects"]["sessions"][:_SESSIONS]],
        "sessions_left_out": max(item["affects"]["count"] - len(item["affects"]["sessions"][:_SESSIONS]), 0),
        "fix": _fix(item["fix"]),
        "verify": item["verify"],
        "waived": item["waived"],
        "since": item.get("since", ""),
        "is_new": bool(keys & new),
        "flapping": bool(keys & flapping),
    }


def _file(location: Mapping[str, Any]) -> str:
    return f"{location['file']}, line {location['line']}" if location else ""


def _seen(told: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What was seen, the same sentence of several nodes once."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in list(told)[:_SEEN]:
        rows.setdefault((one["source"], one["locator"], one["says"]), []).append(one["node"])
    for (source, locator, says), nodes in rows.items():
        yield {"nodes": few([name for name in nodes if name]), "source": source, "locator": locator, "says": says}


def _fix(fix: Mapping[str, Any]) -> dict[str, Any]:
    by_role = str(fix["role"] or "")
    return {
        "text": fix["text"],
        "commands": fix["commands"] or ([fix["command"]] if fix["command"] else []),
        "none": fix["action"] == "none",
        "risk": fix["risk"],
        "disrupts": fix["disrupts"],
        "by_role": by_role,
        "one_command": fix["command"] if by_role else "",
        "patch": fix.get("patch", ""),
    }


def _following(items: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    by_fault: dict[str, list[str]] = {}
    for item in items:
        if item["role"] == "consequence":
            by_fault.setdefault(item["fault"], []).extend(item["nodes"])
    for fault, nodes in by_fault.items():
        yield {"fault": fault, "where": few(nodes)}
