# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as metrics: a textfile for node_exporter that is valid OpenMetrics as well.

Only gauges without a unit's line: node_exporter's textfile collector knows the older format, in which an info or a
timestamp beside a value is a mistake. The number of series grows with the nodes, never with pairs of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .._analysis.failure import counts
from .._catalogue.model import ROLES, SEVERITIES
from .._evidence import plain
from .mesh import read
from .terminal import BAD_STATUS, VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .mesh import Mesh

PREFIX = "netmedic_calico"
# A node at which very much was found has a series for each of the first ones.
FAULTS_PER_NODE = 4
_SOURCES = 200
_Samples = list[tuple[dict[str, str], float]]


def metrics(report: Mapping[str, Any], cluster: str = "") -> str:
    """The whole file. KeyError, TypeError or AttributeError for what is no whole report.

    cluster: the value of a label of that name at each sample. Without it the files of two clusters in one directory
    have the same series, of which node_exporter shows the first ones it meets: a mixture of both (seen with 1.5.0).
    """
    lines: list[str] = []
    common = {"cluster": cluster} if cluster else {}
    for name, told, samples in _families(report, read(report)):
        if samples:
            full = f"{PREFIX}_{name}"
            lines += [f"# HELP {full} {told}", f"# TYPE {full} gauge"]
            # Names that differ only in what is not shown would make a series twice, which is a mistake for all of them.
            series = {_labels({**common, **labels}): value for labels, value in reversed(samples)}
            lines += [f"{full}{labels} {_number(value)}" for labels, value in reversed(series.items())]
    return "\n".join([*lines, "# EOF", ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return plain.text(value).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _families(report: Mapping[str, Any], mesh: Mesh) -> Iterator[tuple[str, str, _Samples]]:
    """Name, what it is, and the samples of each metric."""
    nodes, api = report["coverage"]["nodes"], report["coverage"]["api"]
    yield "report_timestamp_seconds", "When the diagnosis was made.", _stamp(report["generated_at"])
    yield "evidence_timestamp_seconds", "Of when the oldest evidence is.", _stamp(report["collected"]["first"])
    verdicts: _Samples = [({"verdict": word}, report["verdict"] == word) for word in VERDICTS]
    yield "verdict", "1 for the verdict of the diagnosis, 0 for the others.", verdicts
    counted = {"expected": nodes["expected"], "collected": nodes["collected"]}
    lists = ("missing", "without_root", "without_python", "unlisted", "without_calico", "ignored")
    counted.update({name: len(nodes.get(name) or ()) for name in lists})
    yield "nodes", "Nodes by how they were read.", [({"state": name}, count) for name, count in counted.items()]
    yield "api_reached", "Whether the Kubernetes API was read.", [({}, bool(api["reached"]))] if api["asked"] else []
    kinds = ("expected", "established", "down", "unexpected", "not_configured", "seen_from_one_end")
    sessions: _Samples = [({"state": kind}, report["sessions"].get(kind) or 0) for kind in kinds]
    yield (
        "sessions",
        "BGP sessions by state; none of those if nothing is known of them.",
        (sessions if report["sessions"]["known"] else []),
    )
    yield from _findings(report)
    yield from _by_node(mesh)
    yield from _at_nodes(report)
    yield "sources_unread", "Nodes on which a source could not be read or understood.", _sources(report)


def _stamp(at: str) -> _Samples:
    try:
        return [({}, datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp())]
    except ValueError:
        return []


def _findings(report: Mapping[str, Any]) -> Iterator[tuple[str, str, _Samples]]:
    """Findings by severity and role, and of each fault the nodes that have it."""
    told = [item for item in report["findings"] if not item.get("guess")]
    number = dict.fromkeys(((severity, role) for severity in SEVERITIES for role in ROLES), 0)
    waived = 0
    faults: dict[tuple[str, str], set[str]] = {}
    for item in told:
        if item["waived"]:
            waived += 1
            continue
        key = (item["severity"], item["role"])
        number[key] = number.get(key, 0) + 1
        if item["role"] != "consequence":
            faults.setdefault((item["fault"], item["severity"]), set()).update(item["nodes"])
    yield (
        "findings",
        "Findings by severity and role, without those that are waived.",
        [({"severity": severity, "role": role}, count) for (severity, role), count in number.items()],
    )
    yield "findings_waived", "Findings that are waived.", [({}, waived)]
    yield (
        "fault_nodes",
        "Nodes at which a fault was found; 0 where it is at none of them.",
        [({"fault": fault, "severity": severity}, len(nodes)) for (fault, severity), nodes in faults.items()],
    )


def _by_node(mesh: Mesh) -> Iterator[tuple[str, str, _Samples]]:
    own = [spot for spot in mesh.spots if not spot.external]
    yield "node_read", "Whether a node could be read.", [({"node": spot.name}, spot.read) for spot in own]
    states: _Samples = []
    for spot in own:
        if spot.up or spot.failing:
            states.append(({"node": spot.name, "state": "established"}, spot.up.bit_count()))
            states.append(({"node": spot.name, "state": "down"}, (spot.dials | spot.dialled).bit_count()))
            states.append(({"node": spot.name, "state": "not_configured"}, spot.absent.bit_count()))
    yield "node_sessions", "BGP peers of a node by the state of the session.", states


def _at_nodes(report: Mapping[str, Any]) -> Iterator[tuple[str, str, _Samples]]:
    """By node the gravest finding, and the first few of them by name."""
    worst: dict[str, int] = {}
    named: dict[str, dict[str, str]] = {}
    for item in report["findings"]:
        if not counts(item):
            continue
        for node in item["nodes"]:
            worst[node] = max(worst.get(node, 0), SEVERITIES.index(item["severity"]))
            of_node = named.setdefault(node, {})
            if len(of_node) < FAULTS_PER_NODE:
                of_node.setdefault(item["fault"], item["severity"])
    yield (
        "node_severity",
        "The gravest finding at a node: 0 info, 1 minor, 2 major, 3 critical.",
        [({"node": node}, severity) for node, severity in worst.items()],
    )
    yield (
        "node_fault",
        f"1 for each fault found at a node, at most {FAULTS_PER_NODE} of them.",
        [
            ({"node": node, "fault": fault, "severity": severity}, 1)
            for node, faults in named.items()
            for fault, severity in faults.items()
        ],
    )


def _sources(report: Mapping[str, Any]) -> _Samples:
    bad: dict[str, int] = {}
    for source in _bad(report["coverage"]["sources"]):
        bad[source] = bad.get(source, 0) + 1
    return [({"source": source}, count) for source, count in list(bad.items())[:_SOURCES]]


def _bad(sources: Iterable[Mapping[str, str]]) -> Iterator[str]:
    return (source["source"] for source in sources if source["status"] in BAD_STATUS)
