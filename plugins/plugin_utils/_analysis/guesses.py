# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says where the evidence does not decide: what it may be, and which commands would tell.

A guess is a finding of a confidence below one half, which never makes a cluster faulty. Where one of them is likely
enough to be looked at first, the guesses come before `undetermined`, else after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import agent_pod, words
from .._catalogue.faults import BY_ID
from .._differential import oddities
from .._differential.hypotheses import hypotheses, what_would_decide
from .._differential.symptoms import symptoms
from .findings import SESSIONS_PER_FINDING, blank, finding, plain, remedy
from .ranking import BELIEVED, CERTAIN, UNDETERMINED, weighed
from .seen import bgp_was_seen, heard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .._catalogue.model import Fault
    from .._differential.model import Hypothesis, Symptom
    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session
    from .ranking import Candidate

# From here on a guess is what to look at first.
LIKELY = 0.4
# A candidate of the catalogue that is not believed is worth a guess from here on.
DOUBTFUL = 0.2
MOST = 3
# How sure `undetermined` is that the cause cannot be told, where no session tells it.
OPEN = 0.55
_NO_SESSION_MEANS = (
    "Something is wrong, and what could be read does not decide between the causes that are left. The commands below "
    "would decide."
)
_NOTHING_YET = remedy(
    "gather_more", "Get what is listed to know, then diagnose again; nothing is to be repaired on a guess."
)


def with_guesses(
    evidence: Evidence, believed: Sequence[Candidate], findings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The findings with what may be behind that which no cause explains."""
    unexplained = [session for item in believed if item.fault.id == UNDETERMINED for session in item.subject.sessions]
    explained = any(item.role == "cause" and item.fault.id != UNDETERMINED for item in believed)
    if explained and not unexplained:
        return findings
    calm = _explained_otherwise(believed)
    found = [
        one
        for one in symptoms(evidence, unexplained, only_sessions=explained)
        if one.sessions or not one.here or not calm.issuperset(one.here)
    ]
    causes = [one for one in findings if one["role"] == "cause" and one["fault"] != UNDETERMINED]
    others = [one for one in findings if one["role"] != "cause"]
    open_ones = [one for one in findings if one["fault"] == UNDETERMINED]
    # Where BGP was seen and nothing is wrong, there is nothing that a doubtful candidate could explain.
    all_is_well = heard(evidence) and not found and not unexplained
    guesses = [] if all_is_well else _guesses(evidence, unexplained, found, {one["fault"] for one in findings})
    if not open_ones and (found or guesses):
        open_ones = [_undetermined(found, guesses)]
    odd = [] if found or findings or guesses or heard(evidence) else oddities.symptoms(evidence)
    guesses += _of_oddities(evidence, odd)
    if not findings and not open_ones and not heard(evidence):
        open_ones = [_nothing_heard(evidence)]
    silent = [] if findings or open_ones else _untold(evidence)
    if silent:
        open_ones = [_partly_heard(evidence, silent)]
    wanted = [plain(missing) for missing in what_would_decide(evidence, found or odd)]
    for one in open_ones:
        one["missing"] = _merged(one["missing"], wanted)
    likely = guesses[:1] and guesses[0]["confidence"] >= LIKELY
    return [*causes, *(guesses + open_ones if likely else open_ones + guesses), *others]


def _explained_otherwise(believed: Sequence[Candidate]) -> set[str]:
    """The nodes at which something that is no cause is surely the reason for what looks wrong, apart from sessions."""
    return {
        name
        for item in believed
        if item.role != "cause" and item.confidence >= CERTAIN and UNDETERMINED in item.fault.explains
        for name in item.subject.nodes
    }


def _guesses(
    evidence: Evidence, unexplained: Sequence[Session], found: Sequence[Symptom], known: set[str]
) -> list[dict[str, Any]]:
    doubtful = [item for item in _doubtful(evidence, unexplained) if item.fault.id not in known]
    guesses = [_of_candidate(evidence, item) for item in doubtful[:MOST]]
    named = known | {guess["fault"] for guess in guesses}
    mixed = len({symptom.kind for symptom in found}) > 1
    guesses += [_of_hypothesis(evidence, one, mixed) for one in hypotheses(evidence, found) if one.fault not in named]
    total = sum(guess["confidence"] for guess in guesses)
    if total > 1 and not mixed:
        # Of one picture there is one cause: what may be it cannot be more than all that is possible.
        guesses = [{**guess, "confidence": round(guess["confidence"] / total, 2)} for guess in guesses]
    # Where sessions fail in several ways, what each of them has as its likeliest cause is not cut off.
    return sorted(guesses, key=lambda guess: -guess["confidence"])[: None if mixed else MOST]


def _doubtful(evidence: Evidence, unexplained: Iterable[Session]) -> list[Candidate]:
    """Candidates of the catalogue that are not quite believed and would explain something that is open."""
    keys = {session.key for session in unexplained}
    found = [
        item
        for item in weighed(evidence)
        if DOUBTFUL <= item.confidence < BELIEVED
        and item.fault.role == "cause"
        and (bool(item.session_keys & keys) if keys else not item.session_keys)
    ]
    best: dict[str, Candidate] = {}
    for item in sorted(found, key=lambda item: -item.confidence):
        best.setdefault(item.fault.id, item)
    return list(best.values())


def _of_candidate(evidence: Evidence, item: Candidate) -> dict[str, Any]:
    return {**finding(evidence, item), "guess": True}


def _of_hypothesis(evidence: Evidence, guess: Hypothesis, mixed: bool) -> dict[str, Any]:
    """A guess as a finding. mixed: sessions fail in several ways, so that it is told which ones this would explain."""
    fault = BY_ID[guess.fault]
    pairs = [evidence.labels(session) for symptom in guess.symptoms for session in symptom.sessions]
    why = f" ({'; '.join(guess.because)})" if guess.because else ""
    which = f" It would explain {words.listed(' - '.join(pair) for pair in pairs)}." if mixed and pairs else ""
    told = {
        **_open(fault, guess.symptoms, f"Not proven: {fault.title}{why}.{which}"),
        "confidence": guess.confidence,
        "guess": True,
        "missing": [plain(missing) for missing in what_would_decide(evidence, guess.symptoms)],
    }
    told["affects"].update(sessions=[list(pair) for pair in pairs[:SESSIONS_PER_FINDING]], count=len(pairs))
    return told


def _of_oddities(evidence: Evidence, odd: Sequence[Symptom]) -> list[dict[str, Any]]:
    """What is odd, of which nothing tells that it does harm, is worth a note."""
    return [{**_of_hypothesis(evidence, one, False), "severity": "info"} for one in hypotheses(evidence, odd)][:MOST]


def _undetermined(found: Sequence[Symptom], guesses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A finding for what is wrong where no session is known that it could be told of."""
    said = [seen.detail.rstrip(".") for symptom in found for seen in symptom.seen]
    what = said[0] if said else f"What was read would fit {words.listed([guess['fault'] for guess in guesses])}"
    told = _open(BY_ID[UNDETERMINED], found, f"{what}; the evidence does not tell why.")
    # Of what is only worth a note nothing is wrong that would have to be found out.
    noted = not said and guesses and all(guess["severity"] == "info" for guess in guesses)
    return {**told, "severity": "info"} if noted else told


def _nothing_heard(evidence: Evidence) -> dict[str, Any]:
    """A finding for evidence that tells neither that something is wrong nor that all is well."""
    summary = "Nothing that was read tells whether BGP sessions are up, or what is wrong."
    name = next(iter(evidence.nodes), "each node")
    return {
        **_open(BY_ID[UNDETERMINED], (), summary),
        "severity": "info",
        "means": (
            "Neither that something is broken nor that all is well can be told: nothing in what was read is about BGP "
            "sessions or what stops them. The commands below would tell."
        ),
        "missing": [
            {
                "node": name,
                "source": "bird",
                "how": f"{agent_pod.sessions(evidence, name)}   # or on the node: sudo calicoctl node status",
                "would_tell": "which sessions there are, in which state, and what ended them",
            },
            {
                "node": "",
                "source": "pods and events",
                "how": "kubectl get pods,events -A -o wide | grep -e calico -e canal",
                "would_tell": "whether calico-node runs everywhere, and what its probes complain of",
            },
            {
                "node": name,
                "source": "log",
                "how": agent_pod.logs(evidence, name, "--since=1h"),
                "would_tell": "what BIRD, confd and Felix complain of",
            },
        ],
    }


def _untold(evidence: Evidence) -> list[str]:
    """The nodes that are known of and told nothing of their own sessions."""
    unread = [one.name for one in evidence.missing]
    unheard = [node.name for node in evidence.nodes.values() if not bgp_was_seen(node)]
    return list(dict.fromkeys((*unheard, *unread, *evidence.unlisted)))


def _partly_heard(evidence: Evidence, silent: Sequence[str]) -> dict[str, Any]:
    """A finding for evidence that shows nothing wrong and leaves nodes out."""
    few = words.listed(silent[:MOST])
    more = f" and {len(silent) - MOST} more" if len(silent) > MOST else ""
    summary = f"Nothing that was read is wrong, but nothing of their own was read of {few}{more}."
    return {
        **_open(BY_ID[UNDETERMINED], (), summary),
        "severity": "info",
        "means": (
            "What was read is well, and it is not all: a fault shows at the node that has it, and often there only. "
            "The commands below tell of the others."
        ),
        "missing": [
            {
                "node": name,
                "source": "bird",
                "how": agent_pod.sessions(evidence, name),
                "would_tell": f"which sessions {name} has, in which state, and what ended them",
            }
            for name in silent[:MOST]
        ],
    }


def _open(fault: Fault, found: Sequence[Symptom], summary: str) -> dict[str, Any]:
    """A finding that proves nothing and repairs nothing."""
    nodes = list(dict.fromkeys(name for symptom in found for name in symptom.nodes))
    return {
        **blank(fault.id, fault.family, fault.title, summary, nodes),
        "severity": fault.severity,
        "confidence": OPEN,
        "means": fault.means if fault.id != UNDETERMINED or any(one.sessions for one in found) else _NO_SESSION_MEANS,
        "evidence": [
            {"node": seen.node, "source": seen.source, "locator": seen.locator, "says": seen.detail, "detail": ""}
            for symptom in found
            for seen in symptom.seen[:MOST]
        ],
        "fix": dict(_NOTHING_YET),
        "verify": fault.verify,
    }


def _merged(there: Iterable[dict[str, str]], wanted: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in (*wanted, *there):
        found.setdefault((one["node"], one["source"]), one)
    return list(found.values())[:5]
