# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From symptoms to what may be the cause: shares of what is possible, and what would decide most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._catalogue.model import Missing
from .contexts import CONTEXTS
from .model import Hypothesis
from .needs import NEEDS
from .oddities import ODDITIES
from .symptoms import BLOCKS, somebody_got_through
from .table import DIFFERENTIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .._evidence.evidence import Evidence
    from .model import Cause, Symptom

# A symptom has other causes than those of the table, too, and a guess is never more than that.
SHARE_OF_THE_KNOWN = 0.9
NEVER_MORE_THAN = 0.45
WORTH_TELLING = 0.08
# However much of the usual causes is ruled out, what is left is not much likelier than it was.
LEAST_SHARE = 0.6
SHARE_OF_AN_ODDITY = 0.4
TOLD = 3
# Of the causes of one kind of symptom, those that are nearly as likely as its likeliest one count as that, too.
NEARLY = 0.95
COMMANDS = 3


def hypotheses(evidence: Evidence, symptoms: Sequence[Symptom]) -> list[Hypothesis]:
    """What may be the cause of these symptoms, likeliest first; [] without any, or where all of it is ruled out.

    Symptoms of several kinds may have a cause each: the likeliest of each kind are among them, however many there are.
    """
    weights: dict[str, float] = {}
    by_kind: dict[str, dict[str, float]] = {}
    told: dict[str, list[tuple[Symptom, Cause]]] = {}
    why: dict[str, list[str]] = {}
    for symptom in symptoms:
        for cause, odds, reasons in _possible(evidence, symptom):
            # What explains more of the sessions that are down is the likelier for it.
            weight = odds * max(1, len(symptom.sessions))
            weights[cause.fault] = weights.get(cause.fault, 0) + weight
            of_kind = by_kind.setdefault(symptom.kind, {})
            of_kind[cause.fault] = of_kind.get(cause.fault, 0) + weight
            told.setdefault(cause.fault, []).append((symptom, cause))
            why.setdefault(cause.fault, []).extend(reasons)
    # What is well elsewhere is the reason here only now and then.
    odd = all(symptom.kind in ODDITIES for symptom in symptoms)
    whole = _whole(weights, symptoms) / (SHARE_OF_AN_ODDITY if odd else 1)
    ranked = sorted(weights.items(), key=lambda pair: -pair[1])
    worth_it = [fault for fault, weight in ranked if SHARE_OF_THE_KNOWN * weight / whole >= WORTH_TELLING][:TOLD]
    wanted = {*worth_it, *(_likeliest(by_kind.values()) if len(by_kind) > 1 else ())}
    return [
        Hypothesis(
            fault,
            round(min(NEVER_MORE_THAN, SHARE_OF_THE_KNOWN * weight / whole), 2),
            tuple(symptom for symptom, _cause in told[fault]),
            tuple(dict.fromkeys(why[fault])),
            told[fault][0][1].need,
        )
        for fault, weight in ranked
        if fault in wanted
    ]


def _likeliest(kinds: Iterable[Mapping[str, float]]) -> set[str]:
    """The likeliest cause of each kind of symptom, with those that are as likely."""
    return {fault for kind in kinds for fault, weight in kind.items() if weight >= NEARLY * max(kind.values())}


def _whole(weights: Mapping[str, float], symptoms: Sequence[Symptom]) -> float:
    """All that is possible: where most of a symptom's causes are ruled out, it is something else, not what is left."""
    usual = sum(
        cause.odds * max(1, len(symptom.sessions))
        for symptom in symptoms
        for cause in DIFFERENTIAL.get(symptom.kind, ())
    )
    return max(sum(weights.values()), LEAST_SHARE * usual)


def _possible(evidence: Evidence, symptom: Symptom) -> Iterable[tuple[Cause, float, list[str]]]:
    """The causes of a symptom about which nothing is known yet, with their odds in these circumstances and why."""
    causes = [cause for cause in DIFFERENTIAL.get(symptom.kind, ()) if not NEEDS[cause.need].had(evidence, symptom)]
    if somebody_got_through(evidence, symptom):
        causes = [cause for cause in causes if cause.fault not in BLOCKS]
    held = [(context, reason) for context in CONTEXTS if causes and (reason := context.holds(evidence, symptom))]
    for cause in causes:
        odds = cause.odds
        for context, _reason in held:
            odds *= context.factors.get(cause.fault, 1)
        yield cause, odds, [reason for context, reason in held if context.factors.get(cause.fault, 1) > 1]


def what_would_decide(evidence: Evidence, symptoms: Sequence[Symptom]) -> list[Missing]:
    """The commands that would decide most, best first, each at the place of the symptom that most depends on it."""
    gains: dict[str, float] = {}
    places: dict[str, Symptom] = {}
    for symptom in symptoms:
        for cause, odds, _reasons in _possible(evidence, symptom):
            gains[cause.need] = gains.get(cause.need, 0) + odds
            places.setdefault(cause.need, symptom)
    best = sorted(gains, key=lambda name: -gains[name])[:COMMANDS]
    return [_missing(evidence, name, places) for name in best]


def _missing(evidence: Evidence, name: str, places: Mapping[str, Symptom]) -> Missing:
    need, symptom = NEEDS[name], places[name]
    ends = {"here": symptom.here, "there": symptom.there or symptom.here}.get(need.at, symptom.there or symptom.here)
    place = ends[0] if ends else "the node"
    return Missing(place if need.at else "", need.source, need.how(evidence, place), need.would_tell)
