# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as lines for a terminal of 80 columns, in the order in which an operator needs them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._commonality.shared import worded
from .._evidence import plain
from . import preflight

WIDTH = 80
NARROWEST = 40
LABEL = 9
SEEN_SHOWN = 5
NOT_CHECKED_SHOWN = 12
FINDINGS_SHOWN = 10
NAMES_SHOWN = 8
CUT_SHOWN = 3
SURE = 0.8
WORTH_A_WORD = 0.1
UNDETERMINED = "undetermined"
VERDICTS = {
    "healthy": "HEALTHY: every node and every session was seen and is well",
    "degraded": "DEGRADED: the sessions work, but something needs attention",
    "faulty": "FAULTY: something is broken",
    "undetermined": "UNDETERMINED: the evidence does not allow a statement",
}
# Of what kind something is, where nobody tells.
_UNTOLD = ("kind", "untold")
BAD_STATUS = ("failed", "unrecognised")


def lines(report: Mapping[str, Any], width: int = WIDTH) -> list[str]:
    """All lines, without colours, without trailing blanks, and with nothing that a terminal obeys."""
    parts = (
        _coverage(report, width),
        _verdict(report, width),
        preflight.lines(report, width) if "preflight" in report else (),
        _findings(report, width),
        _notes(report, width),
        _not_checked(report, width),
    )
    # The names of nodes may come from an archive's folders.
    told = [plain.text(line).rstrip() for part in parts for line in part]
    return told[:-1] if told and not told[-1] else told


def _wrap(text: str, width: int, label: str = "", indent: int = 2) -> Iterator[str]:
    """A labelled paragraph; commands and rules are never broken inside a word."""
    first = " " * indent + label.ljust(LABEL) if label else " " * indent
    rest = " " * len(first)
    yield from textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first]


def _coverage(report: Mapping[str, Any], width: int) -> Iterator[str]:
    nodes = report["coverage"]["nodes"]
    yield heading(report)
    yield ""
    for number, told in enumerate(covered(report)):
        yield from _wrap(told, width, " " if number else "Coverage", 0)
    for missing in nodes["missing"][:NOT_CHECKED_SHOWN]:
        yield from _wrap(f"not read: {missing['node']} ({missing['why']})", width, " ", 0)
    if nodes.get("ignored"):
        yield from _wrap(f"ignored: {_with_reasons(nodes['ignored'])}", width, " ", 0)
    for alias in nodes["aliases"]:
        yield from _wrap(f"counted once: {alias['node']} is the same machine as {alias['same_as']}", width, " ", 0)
    if nodes["without_root"]:
        who = ", ".join(nodes["without_root"])
        yield from _wrap(f"read without root, so in part only: {who}; run again with --become", width, " ", 0)
    if nodes.get("without_python"):
        who = few(nodes["without_python"])
        told = f"read by their shell for want of a usable Python, so without SYN probes and paths behind routers: {who}"
        yield from _wrap(told, width, " ", 0)
    if nodes["unlisted"]:
        why = "known by others only" if report.get("bundle") else "not asked, as in no inventory"
        yield from _wrap(f"{why}: {', '.join(nodes['unlisted'])}", width, " ", 0)
    if nodes["without_calico"]:
        yield from _wrap(f"no trace of Calico: {', '.join(nodes['without_calico'])}", width, " ", 0)
    if len(nodes["missing"]) > NOT_CHECKED_SHOWN:
        yield from _wrap(
            f"and {len(nodes['missing']) - NOT_CHECKED_SHOWN} more nodes that were not read", width, " ", 0
        )


def _with_reasons(ignored: Sequence[Mapping[str, str]]) -> str:
    """Those that are ignored for the same reason together."""
    reasons = dict.fromkeys(one["why"] for one in ignored)
    told = {why: few([one["node"] for one in ignored if one["why"] == why]) for why in reasons}
    return "; ".join(f"{names} ({why})" for why, names in told.items())


def heading(report: Mapping[str, Any]) -> str:
    """What the report is about, and when it was made."""
    if "preflight" in report:
        return preflight.heading(report)
    return f"Calico BGP diagnosis of {report['coverage']['nodes']['expected']} node(s), {report['generated_at']}"


def verdict_told(report: Mapping[str, Any]) -> str:
    """The verdict in words: one of them, a colon, and a sentence."""
    words = preflight.VERDICTS if "preflight" in report else VERDICTS
    return words.get(report["verdict"], words[UNDETERMINED])


def covered(report: Mapping[str, Any]) -> list[str]:
    """What was looked at, a sentence each."""
    nodes, api = report["coverage"]["nodes"], report["coverage"]["api"]
    if "preflight" in report:
        return [f"{_read(nodes)}; {told}" if not at else told for at, told in enumerate(preflight.reached(report))]
    return [f"{_read(nodes)}; {sessions_told(report['sessions'])}", api_told(api)]


def _read(nodes: Mapping[str, Any]) -> str:
    if not nodes["expected"]:
        return "nothing of a node's own was read"
    return f"{nodes['collected']} of {nodes['expected']} nodes read"


def _overlay(report: Mapping[str, Any], width: int) -> Iterator[str]:
    """What carries pods' packets where VXLAN does; reports of older releases have no word of it."""
    for number, entry in enumerate(report.get("overlay") or ()):
        yield from _wrap(entry["says"], width, " " if number else "Overlay", 0)


def api_told(api: Mapping[str, Any]) -> str:
    """How the API was asked, in words."""
    if not api["asked"]:
        return "the Kubernetes API was not asked"
    if not api["reached"]:
        return f"the Kubernetes API was not reached: {api['why'].rstrip('.')}"
    if api["via"] == "bundle":
        nodes = f"{api['nodes'] or 'no'} Node{'' if api['nodes'] == 1 else 's'}"
        return f"the bundle has objects of the Kubernetes API, {nodes} among them"
    if not api["nodes"]:
        return (
            f"the Kubernetes API was reached by way of {api['via']}, but told of no node: see what could not be checked"
        )
    return f"the Kubernetes API knows {api['nodes']} node(s) (read by way of {api['via']})"


def sessions_told(sessions: Mapping[str, int]) -> str:
    """How many sessions are established, in words."""
    if not sessions["expected"]:
        return "no BGP sessions are configured" if sessions["known"] else "BGP sessions unknown"
    told = f"{sessions['established']} of {sessions['expected']} BGP sessions established"
    if sessions["not_configured"]:
        told += f" ({sessions['not_configured']} are not configured on the nodes)"
    return (
        f"{told}, {sessions['seen_from_one_end']} of them seen from one end only"
        if sessions["seen_from_one_end"]
        else told
    )


def _verdict(report: Mapping[str, Any], width: int) -> Iterator[str]:
    yield from _overlay(report, width)
    yield from _wrap(verdict_told(report), width, "Verdict", 0)
    if report["impact"]:
        yield from _wrap(report["impact"]["summary"], width, "Impact", 0)
        yield from _cut_off(report["impact"], width)
    yield from _culprits(report, width)
    for shared in report["commonality"]:
        told = f"{shared['affected']} of {shared['of']}: {worded(shared)}"
        what = f"{shared['what']}: " if shared.get("what") else ""
        yield from _wrap(f"{what}{told}; of all other nodes {shared['elsewhere']}", width, "Shared", 0)
    yield from _history(report.get("history") or {}, width)
    yield ""


def _culprits(report: Mapping[str, Any], width: int) -> Iterator[str]:
    """The few nodes at which all the many sessions end that are down."""
    found = report.get("culprits") or []
    down = sum(one["sessions"] for one in found)
    if down <= len(found) or len(found) > NAMES_SHOWN:
        return
    names = [" or ".join(one["nodes"]) for one in found]
    every = "both" if down == 2 else f"all {down}"
    yield from _wrap(f"{every} sessions that are down end at {few(names)}", width, "Where", 0)


def _history(history: Mapping[str, Any], width: int) -> Iterator[str]:
    """What is new, gone or comes and goes since the report before this one."""
    if not history.get("compared_with"):
        return
    words = {"new": "new", "gone": "gone", "not_checked": "could not be looked at", "flapping": "comes and goes"}
    told = [
        f"{word}: {few([key_told(key) for key in history[name]])}" for name, word in words.items() if history.get(name)
    ]
    yield from _wrap(f"{history['compared_with']}: {'; '.join(told) or 'nothing has changed'}", width, "Since", 0)


def key_told(key: str) -> str:
    """fault@node in words."""
    fault, _sign, node = key.partition("@")
    return f"{fault} on {node}" if node else fault


def _cut_off(impact: Mapping[str, Any], width: int) -> Iterator[str]:
    """Which pods cannot be reached from where, of the nodes that are cut from some others only."""
    partly = [one for one in impact.get("cannot_reach", ()) if one["partly"]]
    for one in partly[:CUT_SHOWN]:
        more = f" and {one['count'] - len(one['pods_of'])} more" if one["count"] > len(one["pods_of"]) else ""
        blocks = f" ({few(one['blocks'])})" if one["blocks"] else ""
        told = f"{one['node']} does not reach the pods of {few(one['pods_of'])}{more}{blocks}"
        yield from _wrap(told, width, " ", 0)
    if len(partly) > CUT_SHOWN:
        yield from _wrap(f"and likewise {len(partly) - CUT_SHOWN} more nodes", width, " ", 0)


def _findings(report: Mapping[str, Any], width: int) -> Iterator[str]:
    causes = [item for item in report["findings"] if item["role"] != "consequence" and not item.get("guess")]
    for number, item in enumerate(causes[:FINDINGS_SHOWN], 1):
        yield from _finding(number, item, width)
    yield from _repaired_by_us(causes[:FINDINGS_SHOWN], width)
    yield from _guesses(report, width)
    yield from _not_shown(causes[FINDINGS_SHOWN:], width)
    consequences = [item for item in report["findings"] if item["role"] == "consequence"]
    for fault, nodes in _nodes_by_fault(consequences).items():
        yield from _wrap(f"follows from the above: {fault} on {few(nodes)}", width, "", 0)
    if consequences:
        yield ""


def _repaired_by_us(shown: list[Mapping[str, Any]], width: int) -> Iterator[str]:
    """Which of the findings shown a role repairs, and the command that shows how."""
    numbers = [str(number) for number, item in enumerate(shown, 1) if item["fix"].get("automatic")]
    if numbers:
        yield from _wrap(f"Repaired by a role, after its plan was shown: {', '.join(numbers)}", width, "", 0)
        yield "  ansible-playbook netmedic.calico.remediate -i INVENTORY"
        yield ""


def _guesses(report: Mapping[str, Any], width: int) -> Iterator[str]:
    """What may be behind that of which the cause is not known; nothing of it is proven."""
    guesses = [item for item in report["findings"] if item.get("guess")]
    for number, item in enumerate(guesses):
        where = f" on {few(item['nodes'])}" if item["nodes"] else ""
        told = f"{item['fault']}{where} ({item['confidence']:.0%}): {item['title']}"
        yield from _wrap(told, width, " " if number else "Maybe", 0)
    if guesses:
        yield ""


def _not_shown(causes: list[Mapping[str, Any]], width: int) -> Iterator[str]:
    """What there is besides the findings that are told at length."""
    for fault, nodes in _nodes_by_fault(causes).items():
        yield from _wrap(f"and also {fault} on {few(nodes)}", width, "", 0)
    if causes:
        yield from _wrap("All of it stands in report.json, which the variable report_dir asks for.", width, "", 0)
        yield ""


def _nodes_by_fault(findings: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for item in findings:
        places.setdefault(item["fault"], []).extend(item["nodes"])
    return places


def few(names: list[str]) -> str:
    """Names in a row; many are cut short with their number."""
    return plain.few(names, NAMES_SHOWN)


def _finding(number: int, item: Mapping[str, Any], width: int) -> Iterator[str]:
    waived = f" (waived until {item['waived']['expires']}: {item['waived']['reason']})" if item["waived"] else ""
    where = f"  on {few(item['nodes'])}" if item["nodes"] else ""
    # How sure it is that nothing can be said helps nobody.
    sure = "" if item["fault"] == UNDETERMINED else f"  ({item['confidence']:.0%} sure)"
    yield f"{number}. {item['severity']}  {item['fault']}{where}{sure}{waived}"
    yield from _wrap(item["summary"], width, "what", 3)
    at_fault = place(item["where"])
    if at_fault:
        yield from _wrap(at_fault, width, "where", 3)
    yield from _seen(item, width)
    yield from _wrap(item["means"], width, "means", 3)
    yield from _fix(item, width)
    for missing in item["missing"]:
        yield from _wrap(f"{missing['would_tell']}:", width, "to know", 3)
        # Folded it could not be copied.
        yield " " * (3 + LABEL) + missing["how"]
    likely = [f"{other['fault']} ({other['confidence']:.0%})" for other in item["alternatives"] if _open(item, other)]
    if likely:
        yield from _wrap(", ".join(likely), width, "or else", 3)
    yield ""


def _open(item: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The alternative is worth a word: the finding is not sure, and the alternative not idle."""
    return bool(item["confidence"] < SURE and other["confidence"] >= WORTH_A_WORD)


def place(where: Mapping[str, Any]) -> str:
    """A finding's place in words: the rule, process, file or address at fault."""
    if "rule" in where:
        number = f"rule {where['rule']}" if where["rule"] else "policy"
        return (
            f"{where['node']}: {where['backend']}, table {where['table']}, chain {where['chain']}, {number}: "
            f"{where['text']}"
        )
    shown = {
        key: value
        for key, value in where.items()
        if key not in ("node", "nodes", "between") and value not in (None, "", [], {}) and (key, value) != _UNTOLD
    }
    details = ", ".join(f"{key.replace('_', ' ')} {_plain(value)}" for key, value in shown.items())
    return f"{where['node']}: {details}" if details and "node" in where else details


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _seen(item: Mapping[str, Any], width: int) -> Iterator[str]:
    label = "seen"
    for seen in item["evidence"][:SEEN_SHOWN]:
        yield from _wrap(f"{_place(seen)}: {seen['detail'] or seen['says']}", width, label, 3)
        label = " "
    for seen in item["against"][:2]:
        yield from _wrap(f"{_place(seen)}: {seen['says']}", width, "against", 3)


def _place(seen: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (seen["node"], seen["source"])))


def _fix(item: Mapping[str, Any], width: int) -> Iterator[str]:
    fix = item["fix"]
    if fix["action"] == "none":
        yield from _wrap(fix["text"], width, "fix", 3)
        return
    yield from _wrap(fix["text"], width, "fix", 3)
    for command in fix["commands"]:
        yield " " * (3 + LABEL) + command
    if fix.get("patch"):
        yield from _wrap(f"{fix['patch']}, beside report.json, has it corrected", width, "patch", 3)
    yield from _wrap(f"{fix['risk']}; disrupts {fix['disrupts']}", width, "risk", 3)


def _notes(report: Mapping[str, Any], width: int) -> Iterator[str]:
    """What the objects say that is odd, and no cause of what was found."""
    told = report.get("notes", ())
    if not told:
        return
    yield "Odd, and no cause of what was found:"
    for note in told[:NOT_CHECKED_SHOWN]:
        yield from _wrap(f"{note['object']}: {note['says']}", width, "", 2)
    if len(told) > NOT_CHECKED_SHOWN:
        yield f"  and {len(told) - NOT_CHECKED_SHOWN} more; all of them stand in report.json"
    yield ""


def _not_checked(report: Mapping[str, Any], width: int) -> Iterator[str]:
    same = merged(source for source in report["coverage"]["sources"] if source["status"] in BAD_STATUS)
    if not same:
        return
    yield "Could not be checked:"
    for (source, detail), nodes in list(same.items())[:NOT_CHECKED_SHOWN]:
        shown = ", ".join(nodes[:4]) + (f" and {len(nodes) - 4} more" if len(nodes) > 4 else "")
        where = f" on {shown}" if shown else ""
        yield from _wrap(f"{source}{where}: {detail}", width, "", 2)
    if len(same) > NOT_CHECKED_SHOWN:
        yield f"  and {len(same) - NOT_CHECKED_SHOWN} more; all of them stand in report.json"


def merged(sources: Iterable[Mapping[str, str]]) -> dict[tuple[str, str], list[str]]:
    """By source and what is said of it the nodes where it is so."""
    same: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        same.setdefault((source["source"], source["detail"]), []).append(source["node"])
    return same
