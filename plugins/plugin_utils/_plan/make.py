# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a report to a plan: which findings are repaired by which role, in which order, and what is left and why."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from .._catalogue.faults import BY_ID
from . import refusal, turns
from .model import LEAST_CONFIDENCE, LEAST_WITH_CONSENT, ORDER, RISKS, RIVAL, SCHEMA, Repair, Wishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_ROLES = ("cause", "contributing", "latent")
_PREFIX = "netmedic.calico."


def plan(report: Mapping[str, Any], wishes: Wishes, now: datetime) -> dict[str, Any]:
    """The plan for a report. now is timezone-aware.

    `steps`: in the order in which they are to be taken, each a role with its variables, hosts, risk, what it disrupts
    and the faults it repairs. `turns`, `hosts`: in which order hosts take them, and who takes part. `left`: what a role
    could repair and the caller does not allow, each with why. `manual`: what a person must do. `refused`: why nothing
    at all may be changed, '' if it may. `id` is the same for the same steps, so that a plan that was agreed to is known
    again.
    """
    repairs, left, manual = [], [], []
    for item in report["findings"]:
        # Guesses are told in the report, beside what would decide between them; nobody is to act on one.
        if item["role"] not in _ROLES or item.get("guess"):
            continue
        if not item["fix"].get("automatic"):
            told = _by_hand(item)
            if told not in manual:  # several findings of a fault may ask for the very same
                manual.append(told)
            continue
        why = _why_not(item, wishes)
        if why:
            left.append({**_by_hand(item), "why": why})
        else:
            repairs.append(_repair(item))
    steps = [_step(number, same) for number, same in enumerate(_in_order(repairs), 1)]
    taken = turns.turns(steps, wishes.inventory[0] if wishes.inventory else "")
    made = {
        "schema": SCHEMA,
        "id": _id(steps),
        "generated_at": report["generated_at"],
        "collected": report["collected"],
        "bundle": wishes.bundle,
        "steps": steps,
        "turns": taken,
        "hosts": turns.hosts(taken, wishes.inventory),
        "lock": wishes.lock,
        "left": left,
        "manual": manual,
    }
    return {**made, "refused": refusal.why(report, made, wishes, now)}


def _repair(item: Mapping[str, Any]) -> Repair:
    fix = item["fix"]
    return Repair(dict(item), str(fix["role"]).removeprefix(_PREFIX), dict(fix["vars"]), tuple(fix["hosts"]))


def _why_not(item: Mapping[str, Any], wishes: Wishes) -> str:
    """Why the caller does not want this repaired, or nobody should without looking; '' if it may be."""
    fault, fix = item["fault"], item["fix"]
    if wishes.only and fault not in wishes.only:
        return "it is not among the faults of remediate_only"
    if item["waived"]:
        return f"it is waived: {item['waived'].get('reason', '')}".rstrip(": ")
    agreed = fault in wishes.consent
    if item["confidence"] < (LEAST_WITH_CONSENT if agreed else LEAST_CONFIDENCE):
        return _too_unsure(item)
    # What it brings about itself is no other explanation.
    known = BY_ID.get(fault)
    others = [one for one in item["alternatives"] if known is None or one["fault"] not in known.explains]
    rival = max(others, key=lambda one: one["confidence"], default=None)
    if rival and rival["confidence"] >= RIVAL:
        return f"it may as well be {rival['fault']} ({rival['confidence']:.0%}): {rival['told_apart_by']}".rstrip(": ")
    if RISKS.index(fix["risk"]) > RISKS.index(wishes.max_risk) and not agreed:
        return (
            f"its risk is {fix['risk']} and remediate_max_risk is {wishes.max_risk} (it disrupts {fix['disrupts']}); "
            f"agree with remediate_consent=[{fault}]"
        )
    return ""


def _too_unsure(item: Mapping[str, Any]) -> str:
    """That a finding is not certain enough to be repaired, and what can be done about it."""
    sure = f"it is only {item['confidence']:.0%} sure; from {LEAST_CONFIDENCE:.0%} on it may be repaired unseen"
    if item["confidence"] < LEAST_WITH_CONSENT:
        return sure
    return f"{sure}. If a look at the hosts confirms it, agree with remediate_consent=[{item['fault']}]"


def _by_hand(item: Mapping[str, Any]) -> dict[str, Any]:
    fix = item["fix"]
    known = BY_ID.get(item["fault"])
    return {
        "fault": item["fault"],
        "title": item.get("title") or (known.title if known else item["fault"]),
        "nodes": list(item["nodes"]),
        "risk": fix["risk"],
        "text": fix["text"],
        "commands": list(fix.get("commands", ())),
    }


def _in_order(repairs: Iterable[Repair]) -> list[list[Repair]]:
    """Repairs that one role makes with the same variables, together; in the order of the roles, then of the report."""
    together: dict[tuple[int, str, str], list[Repair]] = {}
    for one in repairs:
        place = ORDER.index(one.role) if one.role in ORDER else len(ORDER)
        together.setdefault((place, one.role, json.dumps(one.variables, sort_keys=True)), []).append(one)
    return [together[key] for key in sorted(together, key=lambda key: key[0])]


def _step(number: int, repairs: list[Repair]) -> dict[str, Any]:
    fixes = [one.finding["fix"] for one in repairs]
    return {
        "number": number,
        "role": f"{_PREFIX}{repairs[0].role}",
        "vars": repairs[0].variables,
        "hosts": sorted({host for one in repairs for host in one.hosts}),
        "faults": list(dict.fromkeys(one.fault for one in repairs)),
        "risk": max((one.risk for one in repairs), key=RISKS.index),
        "disrupts": "; ".join(dict.fromkeys(fix["disrupts"] for fix in fixes)),
        "why": list(dict.fromkeys(one.finding["summary"] for one in repairs)),
        "verify": list(dict.fromkeys(one.finding["verify"] for one in repairs if one.finding["verify"])),
    }


def _id(steps: list[dict[str, Any]]) -> str:
    """Twelve digits of the steps' SHA-256: of what is done where, not of the words about it."""
    done = [[step["role"], step["vars"], step["hosts"]] for step in steps]
    return hashlib.sha256(json.dumps(done, sort_keys=True).encode()).hexdigest()[:12]
