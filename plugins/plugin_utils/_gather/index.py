# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the archive holds and what it does not, for programs (index.json) and for people (INDEX.md)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._gather.model import ABSENT, CUT, FAILED, LEFT_OUT, OK
from .._evidence import plain
from .choice import AFFECTED, ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...module_utils._gather.model import Output
    from .choice import Choice

SCHEMA = "netmedic.calico.must-gather/v1"
JSON, MARKDOWN = "index.json", "INDEX.md"
_FINDINGS = 20
_WORDS = {OK: "whole", CUT: "cut", ABSENT: "not there", FAILED: "failed", LEFT_OUT: "left out"}
_NAMED = 10


class Asked(NamedTuple):
    """What was asked for: `nodes` as the user wrote it, the limits, and whether the archive is redacted."""

    nodes: Sequence[str]
    max_nodes: int
    max_mb: int
    redact: bool


class NodeCame(NamedTuple):
    """What came of one node: whether it told its facts (`why_no_facts` if not), and, if it was chosen, its outputs.

    `problem`: why there are no outputs of a node that was chosen.
    """

    folder: str
    facts: bool
    why_no_facts: str = ""
    kernel: str = ""
    outputs: Sequence[Output] | None = None
    problem: str = ""
    seconds: float = 0.0


class Came(NamedTuple):
    """What came of it. `at`: RFC 3339 UTC, `versions`: of what made the archive, `size`: bytes of all files."""

    at: str
    versions: Mapping[str, str]
    nodes: Mapping[str, NodeCame]
    size: int
    files: int


def make(asked: Asked, choice: Choice, came: Came, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return index.json as data."""
    return {
        "schema": SCHEMA,
        "written_at": came.at,
        "asked": asked._asdict() | _asked_for(asked.nodes),
        "versions": dict(came.versions) | _told_versions(report),
        "size": {"files": came.files, "bytes": came.size},
        "diagnosis": _diagnosis(report),
        "api": plain.mapping(plain.mapping(report.get("coverage")).get("api")),
        "nodes": [_node(name, one, choice.nodes.get(name, "")) for name, one in came.nodes.items()],
        "not_read": {"over_the_limit": choice.left_out, "unreachable": choice.unreachable},
    }


def _told_versions(report: Mapping[str, Any]) -> dict[str, str]:
    version = plain.text(plain.mapping(report.get("flavour")).get("version"))
    return {"calico": version} if version else {}


def _diagnosis(report: Mapping[str, Any]) -> dict[str, Any]:
    findings = [plain.mapping(one) for one in plain.sequence(report.get("findings"))]
    keys = ("fault", "severity", "confidence", "role", "nodes", "summary")
    told = [{key: one.get(key) for key in keys} for one in findings[:_FINDINGS]]
    return {
        "verdict": report.get("verdict", ""),
        "sessions": plain.mapping(report.get("sessions")),
        "findings": told,
        "more_findings": max(len(findings) - _FINDINGS, 0),
    }


def _node(name: str, one: NodeCame, why: str) -> dict[str, Any]:
    told: dict[str, Any] = {"node": name, "folder": one.folder, "facts": one.facts}
    if one.why_no_facts:
        told["why_no_facts"] = one.why_no_facts
    if one.kernel:
        told["kernel"] = one.kernel
    if why:
        told.update(read_because=why, seconds=one.seconds)
        told.update({"problem": one.problem} if one.problem else {})
        told["outputs"] = [_output(output) for output in one.outputs or ()]
    return told


def _output(output: Output) -> dict[str, Any]:
    told: dict[str, Any] = {"file": output.name, "source": output.source, "status": output.status}
    told.update({"detail": output.detail} if output.detail else {})
    told.update({"bytes": output.size} if output.size else {})
    told.update({"seconds": output.seconds} if output.seconds >= 0.1 else {})
    return told


def as_json(index: Mapping[str, Any]) -> str:
    """Return the text of index.json."""
    return json.dumps(index, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def as_markdown(index: Mapping[str, Any]) -> str:
    """Return the text of INDEX.md."""
    return (
        "\n".join([*_heading(index), "", *_found(index), "", *_nodes(index), "", *_missing(index), *_layout()]) + "\n"
    )


def _asked_for(wanted: Sequence[str]) -> dict[str, list[str]]:
    """What stands under "nodes" is a name for whoever redacts the index, so `affected` and `all` stand elsewhere."""
    groups = [one for one in wanted if one in (AFFECTED, ALL)]
    return {"groups": groups, "nodes": [one for one in wanted if one not in groups]}


def _heading(index: Mapping[str, Any]) -> Iterator[str]:
    asked, size = index["asked"], index["size"]
    yield f"# Calico, {index['written_at']}"
    yield ""
    redacted = "; redacted" if asked["redact"] else ""
    yield f"Asked for: nodes {', '.join([*asked['groups'], *asked['nodes']])}; at most {asked['max_mb']} MiB{redacted}."
    yield f"In it: {size['files']} files, {size['bytes']} bytes unpacked."
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in index["versions"].items()) + "."
    yield f"Kubernetes API: {api_words(index['api'])}"


def api_words(api: Mapping[str, Any]) -> str:
    """Return in a sentence whether the API told anything."""
    if not api.get("asked"):
        return "not asked."
    if api.get("reached"):
        return f"read; it knows {api.get('nodes', 0)} nodes."
    return f"not read: {plain.text(api.get('why')).rstrip('.')}."


def _found(index: Mapping[str, Any]) -> Iterator[str]:
    diagnosis = index["diagnosis"]
    sessions = diagnosis["sessions"]
    yield "## Diagnosis"
    yield ""
    up, expected = sessions.get("established", 0), sessions.get("expected", 0)
    yield f"Verdict: {diagnosis['verdict']}; {up} of {expected} BGP sessions established."
    for one in diagnosis["findings"]:
        where = f" ({', '.join(one['nodes'][:_NAMED])})" if one["nodes"] else ""
        yield f"- {one['fault']}, {one['severity']}, {one['confidence']:.0%}{where}: {plain.text(one['summary'])}"
    if diagnosis["more_findings"]:
        yield f"- and {diagnosis['more_findings']} more"
    yield ""
    yield "The whole report: `ansible-playbook netmedic.calico.analyze -e analyze_bundles=THIS_ARCHIVE`."


def _nodes(index: Mapping[str, Any]) -> Iterator[str]:
    yield "## Nodes"
    yield ""
    yield "| node | facts | outputs | why it was read | seconds |"
    yield "| --- | --- | --- | --- | --- |"
    for one in index["nodes"]:
        facts = "yes" if one["facts"] else f"no: {_cell(one.get('why_no_facts', ''))}"
        why, seconds = _cell(one.get("read_because", "not read")), one.get("seconds", "")
        yield f"| {_cell(one['node'])} | {facts} | {_cell(counted(one))} | {why} | {seconds} |"
    for what, words in (
        ("over_the_limit", "Not read, for more than must_gather_max_nodes"),
        ("unreachable", "Unreachable"),
    ):
        names = index["not_read"][what]
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield ""
            yield f"{words}: {', '.join(names[:_NAMED])}{more}."


def counted(node: Mapping[str, Any]) -> str:
    """Return how many outputs of a node came how."""
    if node.get("problem"):
        return f"none: {plain.text(node['problem'])}"
    outputs = node.get("outputs") or []
    numbers = {status: sum(one["status"] == status for one in outputs) for status in _WORDS}
    return ", ".join(f"{number} {_WORDS[status]}" for status, number in numbers.items() if number)


def _missing(index: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (node["node"], one)
        for node in index["nodes"]
        for one in node.get("outputs", ())
        if one["status"] in (CUT, FAILED, LEFT_OUT)
    ]
    if not rows:
        return
    yield "## Not whole"
    yield ""
    yield "What is not there on a node (no such program, file or part of the kernel) stands in index.json only."
    yield ""
    yield "| node | file | what | why |"
    yield "| --- | --- | --- | --- |"
    for name, one in rows:
        yield f"| {_cell(name)} | {_cell(one['file'])} | {_WORDS[one['status']]} | {_cell(one.get('detail', ''))} |"
    yield ""


def _cell(text: Any) -> str:
    return plain.text(text).replace("|", "\\|")


def _layout() -> Iterator[str]:
    yield "## Files"
    yield ""
    yield "- `bundle.json`: who was asked. `cluster/`: what the Kubernetes API told, cut to what concerns Calico."
    yield "- `nodes/NODE/facts.json`: what the diagnosis is made of. The other files there: outputs and logs."
    yield "- `nodes/NODE/more/`: outputs and logs for people; `more/pods/` has the logs of Calico's pods."
    yield "- Where the middle of a text is missing, a line in it says `cut here by netmedic.calico`."
    yield "- Passwords, tokens and private keys were cut out on the nodes. Of BIRD's configuration only what is known"
    yield "  to be harmless is left: filters and comments are missing."
