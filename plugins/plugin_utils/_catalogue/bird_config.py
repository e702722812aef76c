# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of BIRD's configuration itself: a file that BIRD refuses, whether it runs on an older one or not at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._evidence.age import when
from . import address_claims, agent_pod, api, bird_confd, words
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Daemon, LogLine, Node

ROUNDING = 2
# Where a refusal still holds, what was to be changed by it has not come within this time.
SETTLED = 120
_COPY = re.compile(r"/\.(bird\w*\.cfg)\d+$")
# What confd has BIRD check before it takes the place of the file (confd's resource/template/resource.go).
_DRAFT = re.compile(r"/\.bird6?(?:_aggr|_ipam)?\.cfg\d+")
_TWICE = re.compile(r"(?:Mesh|Global|Node)_([0-9A-Fa-f_]{7,60}?)(?:_port_\d+)? already defined")
CHECK = "bird -p -c /etc/calico/confd/config/bird.cfg"


def refused_configurations(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a configuration on disk that BIRD refuses, or one that was refused when it was rendered."""
    for node in evidence.nodes.values():
        told = node.log_lines("config_error")
        for daemon in node.daemons.values():
            if not (_problems(daemon) or (told and daemon is next(iter(node.daemons.values()), None))):
                continue
            down = evidence.down_at(node.name)
            sessions = bird_confd.sessions_that_differ(evidence, node, daemon) if daemon.running else down
            yield Subject((node.name,), sessions, {"node": node.name, "file": daemon.config.path}, node, daemon)
        if told and not node.daemons and not node.lacks("bird_log"):
            where = {"node": node.name, "file": _file_of(told)}
            yield Subject((node.name,), evidence.down_at(node.name), where, node, None)


def _file_of(told: list[LogLine]) -> str:
    """The file that a refusal names; confd has a copy of a hidden name checked before it puts it there."""
    named = [line.value.partition(",")[0].partition(":")[0] for line in told if line.value]
    return _COPY.sub(r"/\1", named[0]) if named else ""


def _problems(daemon: Daemon | None) -> list[str]:
    if daemon is None:
        return []
    config = daemon.config
    twice = [f"{words.listed(config.duplicate_names)} is defined twice"] if config.duplicate_names else []
    return twice + ([config.unbalanced] if config.unbalanced else [])


def protocol_is_defined_twice(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The file on disk defines a protocol more than once, and BIRD refuses such a file as a whole."""
    if subject.about is None:
        return []
    config = subject.about.config
    names = words.listed(config.duplicate_names)
    return [Seen(subject.nodes[0], "bird.cfg", names, config.path)] if config.duplicate_names else []


def braces_do_not_match(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The braces of the file on disk do not match, and BIRD refuses such a file as a whole."""
    if subject.about is None:
        return []
    config = subject.about.config
    return [Seen(subject.nodes[0], "bird.cfg", config.unbalanced, config.path)] if config.unbalanced else []


def refusal_is_logged(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD, or confd's check before it, reported an error in the configuration, and none was taken since."""
    lines = subject.node.log_lines("config_error") if subject.node else []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in lines[:3]]


def bird_took_the_file(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD configured itself after the file was written, so it took what is there."""
    daemon = subject.about
    if daemon is None:
        return []
    written, configured = daemon.config.modified_seconds_ago, daemon.reconfigured_seconds_ago
    # Both are whole seconds; what happened in the same one may have been the other way round.
    if written is None or configured is None or written - configured < ROUNDING or not _problems(daemon):
        return []
    return [Seen(subject.nodes[0], "bird status", f"configured {words.span(configured)} ago")]


def _refused_ago(node: Node | None) -> float | None:
    """How many seconds before the node was looked at its last refusal was logged, by its own clock; None: not known."""
    taken = when(node.taken_at) if node else None
    told = [when(line.at) for line in (node.log_lines("config_error") if node else ())]
    known = [one for one in told if one is not None]
    return (taken - max(known)).total_seconds() if taken is not None and known and len(known) == len(told) else None


def bird_was_configured_since(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD took a configuration after the last refusal, and the file has not changed since then."""
    daemon, refused = subject.about, _refused_ago(subject.node)
    if daemon is None:
        return []
    written, configured = daemon.config.modified_seconds_ago, daemon.reconfigured_seconds_ago
    if _problems(daemon) or refused is None or written is None or configured is None:
        return []
    if configured + ROUNDING > refused or written + ROUNDING < configured:
        return []
    return [Seen(subject.nodes[0], "bird status", f"configured {words.span(configured)} ago, after the refusal")]


def it_runs_what_is_called_for(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The refusal is some minutes old, and BIRD runs all sessions that the API's objects call for now, as they are.

    confd does not write, nor log, what is as it was before: what was refused may have been taken back since. A filter
    does not show in a session, so that nothing is concluded where there are any.
    """
    comparison, cluster, refused = evidence.comparison, evidence.cluster, _refused_ago(subject.node)
    if _problems(subject.about) or comparison is None or cluster is None or cluster.bgp_filters:
        return []
    heard = subject.nodes[0] in comparison.names.values()
    if refused is None or refused < SETTLED or not heard or subject.sessions:
        return []
    if any(one.inventory == subject.nodes[0] for one in comparison.differences):
        return []
    return [Seen(subject.nodes[0], "bird", f"as called for; the refusal is {words.span(int(refused))} old")]


def two_nodes_claim_one_address(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Two nodes claim one address: whoever has both of them as peers gets one protocol twice."""
    return [
        Seen(name, "node address", f"claims {address}")
        for (_family, address), claiming in address_claims.claimants(evidence).items()
        if len(claiming) > 1
        for name in claiming
    ]


def _summary(evidence: Evidence, subject: Subject) -> str:
    name, daemon = subject.nodes[0], subject.about
    if not _problems(daemon):
        refused = f"BIRD refuses the configuration that was rendered for {name}"
        return f"{refused}; it goes on with an older one." if daemon is not None and daemon.running else f"{refused}."
    what = f"BIRD refuses the configuration on disk of {name} ({words.listed(_problems(daemon))})"
    if daemon.running:
        return f"{what}. It runs an older one; on its next start it has none, and the node leaves the mesh."
    return f"{what} and does not start with it."


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    """What was refused is looked at where it still is: of confd's draft, which is gone, only the log tells."""
    name = subject.nodes[0]
    lines = [line.text for line in (subject.node.log_lines("config_error") if subject.node else ())]
    if _problems(subject.about) or not any(_DRAFT.search(line) for line in lines):
        return [agent_pod.run(evidence, name, CHECK)]
    twice = next((match.group(1) for line in lines if (match := _TWICE.search(line))), "")
    address = twice.replace("_", "." if twice.count("_") == 3 else ":")
    found = agent_pod.logs(evidence, name, "--tail=2000 | grep -A2 checkcmd")
    lines = [f"{found}   # the line of the draft that BIRD refuses; bird.cfg itself is the older one, which is right"]
    if address:
        family = "IPv4Address" if "." in address else "IPv6Address"
        column = f"custom-columns=NAME:.metadata.name,BGP:.metadata.annotations.projectcalico\\.org/{family}"
        lines.append(f"kubectl get nodes -o '{column}' | grep -F {address}   # who has that address")
        lines.append(f"{api.show(evidence, 'BGPPeer')} | grep -B12 -F {address}   # who else is a peer by that address")
    return lines


BIRD_CONFIG_REJECTED = Fault(
    id="bird_config_rejected",
    family="bird_confd",
    title="BIRD refuses its configuration",
    severity="major",
    role="cause",
    means=(
        "A configuration with one error is refused as a whole. A BIRD that runs goes on with the one it has, so the "
        "sessions look well while no change reaches it; a BIRD that is started with such a file does not come up."
    ),
    subjects=refused_configurations,
    signals=(
        Signal(protocol_is_defined_twice, DECISIVE, required=True),
        Signal(braces_do_not_match, DECISIVE, required=True),
        Signal(refusal_is_logged, STRONG + MODERATE, required=True),
        Signal(bird_confd.disk_is_newer_than_bird, MODERATE),
        Signal(bird_took_the_file, -DECISIVE),
        Signal(bird_was_configured_since, -DECISIVE),
        Signal(it_runs_what_is_called_for, -DECISIVE),
        Signal(two_nodes_claim_one_address, -DECISIVE - STRONG),
    ),
    summary=_summary,
    fix=Fix(
        action="correct_bird_config",
        text=(
            "Have BIRD check the file and say where the error is. Correct what it is rendered from (two nodes with one "
            "address, a BGPPeer, a BGPFilter); an edit of the file itself is lost when confd renders it anew."
        ),
        risk="low",
        disrupts="nothing; do not restart calico-node before the file is right",
        commands=_commands,
    ),
    verify="BIRD's own check (bird -p) accepts the file, and BIRD's last reconfiguration is newer than it.",
    lookalikes=(
        Lookalike("bird_reload_stuck", "BIRD accepts the file when it is checked"),
        Lookalike("duplicate_node_ip", "the protocol that is there twice belongs to an address which two nodes claim"),
    ),
    explains=("bird_reload_stuck", "bird_not_running", "undetermined", "confd_cannot_render"),
)

FAULTS = (BIRD_CONFIG_REJECTED,)
