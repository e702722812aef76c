# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the way from Calico's data to BIRD's filters: nothing is rendered, or a filter fails when it runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from . import agent_pod, host_words, words
from .model import DECISIVE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import LogLine, Node

STAMP = "%Y-%m-%dT%H:%M:%SZ"
# BIRD tells when it was configured in whole seconds.
ROUNDING = 2
# Both BIRDs try once or twice before confd has rendered for the first time.
AGAIN = 5

# --- filters ----------------------------------------------------------------------------------------------------------


def failing_filters(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose BIRD reports that a filter fails while it runs."""
    for node in evidence.nodes.values():
        lines = node.log_lines("filter_error")
        if lines:
            where: dict[str, object] = {"node": node.name}
            value = lines[0].value
            where.update({"line": int(value)} if value.isdecimal() else {"filter": value})
            yield Subject((node.name,), (), where, node, tuple(lines))


def bird_reports_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD says that a filter fails at run time; it then rejects the route."""
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in subject.about[:3]]


def filters_were_changed_since(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The configuration was written anew since, and BIRD has read it and not complained again."""
    node = subject.node
    age = _age(node, subject.about[0]) if node else None
    if node is None or age is None:
        return []
    return [
        Seen(node.name, "bird.cfg", f"written {words.span(written)} ago, the last error was {words.span(age)} ago")
        for daemon in node.daemons.values()
        if (written := daemon.config.modified_seconds_ago) is not None
        and written + ROUNDING < age
        and (daemon.reconfigured_seconds_ago or 0) <= written + ROUNDING
    ][:1]


def bird_has_ended_since(evidence: Evidence, subject: Subject) -> list[Seen]:
    """That BIRD is no more: none runs, or it was started anew since and has not complained again."""
    node = subject.node
    age = _age(node, subject.about[0]) if node else None
    if node is None or not node.daemons:
        return []
    if all(daemon.running is False for daemon in node.daemons.values()):
        return [Seen(node.name, "processes", "no BIRD runs")]
    started = [daemon.booted_seconds_ago for daemon in node.daemons.values() if daemon.booted_seconds_ago is not None]
    if age is None or not started or max(started) + ROUNDING >= age:
        return []
    return [
        Seen(node.name, "bird", f"started {words.span(max(started))} ago, the last error was {words.span(age)} ago")
    ]


def _age(node: Node, line: LogLine | HostLine) -> int | None:
    """How many seconds before the node was looked at a line was written."""
    try:
        return int((datetime.strptime(node.taken_at, STAMP) - datetime.strptime(line.at, STAMP)).total_seconds())
    except ValueError:
        return None


BIRD_FILTER_ERROR = Fault(
    id="bird_filter_error",
    family="bird_confd",
    title="A filter of BIRD's fails when it runs",
    severity="major",
    role="cause",
    means=(
        "BIRD accepted the configuration, but a filter in it does something impossible with some routes: it "
        "compares values of different types, or one that a route does not have. BIRD reports the line and rejects "
        "each such route, so sessions are up while routes are missing, in the kernel or at peers."
    ),
    subjects=failing_filters,
    signals=(
        Signal(bird_reports_it, DECISIVE, required=True),
        Signal(filters_were_changed_since, -DECISIVE),
        Signal(bird_has_ended_since, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"A filter of BIRD's on {subject.nodes[0]} fails when it runs ({subject.about[0].text}); the routes "
        "concerned are rejected."
    ),
    fix=Fix(
        action="correct_bird_filter",
        text=(
            "Look at that line of bird.cfg and of the files that it includes, and correct what it is rendered from: a "
            "BGPFilter, a template of your own (ConfigMap bird-templates), a node without a subnet for a pool with "
            "CrossSubnet, or templates of another release."
        ),
        risk="low",
        disrupts="nothing",
        commands=lambda evidence, subject: [
            agent_pod.run(
                evidence,
                subject.nodes[0],
                "sh -c 'cd /etc/calico/confd/config && grep -n \"\" bird.cfg bird_ipam.cfg bird_aggr.cfg'",
            ),
            "kubectl get bgpfilters.crd.projectcalico.org -o yaml",
        ],
    ),
    verify="BIRD reads the new configuration and its log has no new line that begins with 'filters, line'.",
    lookalikes=(
        Lookalike("bird_config_rejected", "BIRD refuses the file when it reads it (a file name, line and column)"),
        Lookalike("routes_missing", "BIRD's log has no error of a filter"),
        Lookalike("external_router_config", "the routes are rejected at the other end"),
    ),
    explains=("routes_missing", "undetermined"),
)

# --- rendering --------------------------------------------------------------------------------------------------------


def nodes_without_configuration(evidence: Evidence) -> Iterator[Subject]:
    """Nodes where confd says that it cannot render, or BIRD is expected and there is no file for it."""
    for node in evidence.nodes.values():
        if node.bird_expected is False:
            continue
        if node.control.lines("render") or node.log_lines("config_missing", "render_failed") or _no_file(node):
            where = {"node": node.name, "file": "/etc/calico/confd/config/bird.cfg"}
            yield Subject((node.name,), evidence.down_at(node.name), where, node)


def _no_file(node: Node) -> list[str]:
    """What says that there is no configuration although calico-node's programs are there to be seen."""
    if not node.bird_expected or any(daemon.config.path for daemon in node.daemons.values()):
        return []
    return [
        one.detail
        for one in node.sources
        if one.source == "bird_config_ipv4" and one.status == "absent" and "does not exist" in one.detail
    ]


def confd_says_so(evidence: Evidence, subject: Subject) -> list[Seen]:
    """What confd says last is that it cannot make a file of its template, or cannot begin."""
    lines = subject.node.log_lines("render_failed") if subject.node else []
    told = [Seen(subject.nodes[0], "confd log", line.text, line.at) for line in lines[:2]]
    return told or host_words.told(subject, "render")


def bird_finds_no_file(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD says that its configuration, or a file that it includes, is not there."""
    lines = subject.node.log_lines("config_missing") if subject.node else []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in lines[:2]]


def bird_finds_none_again_and_again(evidence: Evidence, subject: Subject) -> list[Seen]:
    """It says so again and again, and not only at a start, when BIRD is there a little sooner than the file."""
    lines = subject.node.log_lines("config_missing") if subject.node else []
    number = sum(line.count for line in lines)
    return [Seen(subject.nodes[0], "bird log", f"{number} times")] if number >= AGAIN else []


def there_is_no_file(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD is expected and has no configuration on disk."""
    return [Seen(subject.nodes[0], "bird.cfg", detail) for detail in (_no_file(subject.node) if subject.node else ())]


def it_was_rendered_and_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One was rendered, and BIRD refused it when it was checked, so that it never got to its place."""
    node = subject.node
    if node is None or node.log_lines("render_failed") or node.control.lines("render"):
        return []
    return [Seen(node.name, "bird log", line.text, line.at) for line in node.log_lines("config_error")[:1]]


def typha_is_not_reached(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Felix on the same node does not reach Typha, from which confd is told what to render, too."""
    node = subject.node
    if node is None or node.log_lines("render_failed"):
        return []
    told = [line for line in node.control.lines("typha") if "onnect to " in line.text]
    return [Seen(node.name, f"{line.component} log", line.text, line.at) for line in told[:1]]


def bird_has_one(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD runs, and with a configuration."""
    daemons = subject.node.daemons.values() if subject.node else ()
    return [
        Seen(subject.nodes[0], "bird", f"{daemon.config.path}, {words.plural(daemon.total or 0, 'peer')}")
        for daemon in daemons
        if daemon.socket_state == "answers" and daemon.config.path and daemon.family == "ipv4"
    ]


def it_was_rendered_since(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The configuration was written after the last complaint, so that what was wrong then is over."""
    node = subject.node
    if node is None:
        return []
    lines: list[LogLine | HostLine] = [*node.log_lines("render_failed", "config_missing")]
    lines += node.control.lines("render")
    ages = [age for line in lines if (age := _age(node, line)) is not None]
    if not lines or len(ages) < len(lines):
        return []
    return [
        Seen(
            node.name,
            "bird.cfg",
            f"written {words.span(written)} ago, the last complaint is {words.span(min(ages))} old",
        )
        for daemon in node.daemons.values()
        if daemon.config.path
        and (written := daemon.config.modified_seconds_ago) is not None
        and written + ROUNDING < min(ages)
    ][:1]


def _render_severity(evidence: Evidence, subject: Subject) -> str:
    """info where all that is known is what BIRD says at every start, else critical."""
    told = (confd_says_so, bird_finds_none_again_and_again, there_is_no_file)
    return "critical" if subject.sessions or any(one(evidence, subject) for one in told) else "info"


CONFD_CANNOT_RENDER = Fault(
    id="confd_cannot_render",
    family="bird_confd",
    title="confd renders no configuration for BIRD",
    severity="critical",
    role="cause",
    means=(
        "The program confd makes bird.cfg from Calico's data and templates. If it cannot begin (no way to the "
        "datastore, no right to read), if a template is missing, broken or of another release, or if the folder "
        "cannot be written to, there is no file at all: BIRD ends at once, is started again for ever, and the node "
        "has no session."
    ),
    subjects=nodes_without_configuration,
    signals=(
        Signal(confd_says_so, STRONG + WEAK, required=True),
        Signal(bird_finds_no_file, WEAK, required=True),
        Signal(bird_finds_none_again_and_again, STRONG - WEAK),
        Signal(there_is_no_file, STRONG, required=True),
        Signal(it_was_rendered_and_refused, -STRONG),
        Signal(typha_is_not_reached, -STRONG),
        Signal(bird_has_one, -STRONG),
        Signal(it_was_rendered_since, -DECISIVE - DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"confd on {subject.nodes[0]} renders no configuration, so BIRD has nothing to run with."
    ),
    severity_rule=_render_severity,
    fix=Fix(
        action="let_confd_render",
        text=(
            "Read what confd says last. A template of your own (ConfigMap bird-templates) must fit the release; the "
            "folder /etc/calico/confd/config must be writable; without the API server, Typha or the right to read, "
            "mend that first. Then have calico-node's pod made anew."
        ),
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: [
            agent_pod.logs(evidence, subject.nodes[0], "| grep -E 'confd|bird: Unable' | tail"),
            agent_pod.run(evidence, subject.nodes[0], "ls -l /etc/calico/confd/config /etc/calico/confd/templates"),
            f"{agent_pod.delete(evidence, subject.nodes[0])}   # when what it complains of is mended",
        ],
    ),
    verify="The folder /etc/calico/confd/config has bird.cfg and the files that it includes, and BIRD runs with them.",
    lookalikes=(
        Lookalike("bird_config_rejected", "there is a file, and BIRD refuses it"),
        Lookalike("bird_not_running", "there is a file that BIRD accepts"),
        Lookalike("apiserver_unreachable", "Felix and the other programs cannot reach the API server either"),
    ),
    explains=("bird_not_running", "peer_bird_not_running", "undetermined", "bird_config_rejected", "stale_node_ip"),
)

FAULTS = (CONFD_CANNOT_RENDER, BIRD_FILTER_ERROR)
