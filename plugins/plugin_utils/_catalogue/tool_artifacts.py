# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a fault and is none: tools that looked in the wrong place, probes that could not be run at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import agent_pod, gate_signals, packet_signals, words
from .bird_confd import seen_by_no_tool
from .model import MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject
from .not_a_fault import NOTHING_TO_DO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Event, Pod
    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .._evidence.tools import Complaint

# What container runtimes (runc, containerd, CRI-O, dockershim) say where a program could not be started.
_NOT_RUN = (
    "OCI runtime exec failed",
    # CRI-O's words for a command that it could not run, or whose end it lost.
    "command error: ",
    "failed to start exec",
    "failed to exec in container",
    "error executing setns process",
    "unable to start container process",
    "cannot exec in a stopped",
    "container not running",
    "container is not created or running",
    "failed to create exec",
    "ttrpc: closed",
)
_ASKED = ("calico", "bird", "felix")
_EXEC = "ExecSync"
# What connect(2) says (EACCES) to whom may not write to BIRD's socket or not enter its directory, and calicoctl
# (EnforceRoot) to whom is not root.
_NO_RIGHT = ("permission denied", "super user privileges")
_SAYS_NOT_READY = ("is not ready: ", "BIRD is not", "bird is not", "BGP not established", "not live")

# --- tools --------------------------------------------------------------------------------------------------------


def misled_tools(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which a tool did not find BIRD, or would not find it, while BIRD works there."""
    for node in evidence.nodes.values():
        hidden = node.tools.hidden and _established(node)
        complains = _complaints(node) and _bird_is_there(evidence, node)
        if _denied(node) or hidden or complains or (seen_by_no_tool(node) and ready_pods(evidence, node)):
            yield Subject((node.name,), (), {"node": node.name, **_place(node)}, node, None)


def _place(node: Node) -> dict[str, str]:
    path = next((path for path, _why in node.tools.sockets), "") or next(iter(node.tools.hidden), "")
    return {"socket": path} if path else {}


def _complaints(node: Node) -> list[Complaint]:
    """What tools said of a BIRD of which there is some trace: where there is none for IPv6, they are right."""
    traces = {family for family, daemon in node.daemons.items() if daemon.running or daemon.established}
    traces |= {"ipv6" if path.endswith("bird6.ctl") else "ipv4" for path, _why in node.tools.sockets}
    return [one for one in node.tools.complaints if one.family in traces or (traces and not one.family)]


def _denied(node: Node) -> list[Complaint]:
    """What tools said that were not run as root, which tells nothing of BIRD."""
    return [one for one in node.tools.complaints if any(words_ in one.said.lower() for words_ in _NO_RIGHT)]


def _bird_is_there(evidence: Evidence, node: Node) -> bool:
    return bool(_elsewhere(node) or _established(node) or _peers_see_it(evidence, node) or _process(node))


def ready_pods(evidence: Evidence, node: Node) -> list[Pod]:
    """The pod of calico-node on a node if it is Ready; where it is not known which one that is, all if all are."""
    agents = evidence.cluster.pods_of("calico-node", "canal") if evidence.cluster else ()
    own = agent_pod.pod_of(evidence, node.name)
    asked = (own,) if own is not None else agents
    return list(asked) if all(pod.ready and not pod.deleting for pod in asked) else []


def _elsewhere(node: Node) -> list[tuple[str, str]]:
    """BIRD's sockets at other places than those where tools looked."""
    looked = {one.socket for one in _complaints(node)}
    names = {path.rpartition("/")[2] for path in looked if path}
    found = [(path, why) for path, why in node.tools.sockets if path not in looked]
    return [(path, why) for path, why in found if not names or path.rpartition("/")[2] in names]


def _established(node: Node) -> int:
    return sum(len(daemon.established) for daemon in node.daemons.values())


def _process(node: Node) -> list[int]:
    return [daemon.pid for daemon in node.daemons.values() if daemon.running and daemon.pid]


def _peers_see_it(evidence: Evidence, node: Node) -> list[str]:
    """Peers that have a session with the node."""
    own = set(node.bgp_addresses.values()) | {held.address for held in node.addresses}
    return [
        other.name
        for other in evidence.nodes.values()
        if other is not node and any(own & daemon.established for daemon in other.daemons.values())
    ]


def tool_found_nothing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A tool did not get at BIRD where it looked."""
    return [
        Seen(subject.nodes[0], one.tool, f"{one.socket}: {one.said}" if one.socket else one.said)
        for one in (_complaints(subject.node) if subject.node else ())
    ][:3]


def tool_had_no_right(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The tool was not allowed to ask BIRD: it was not run as root."""
    return [Seen(subject.nodes[0], one.tool, one.said) for one in (_denied(subject.node) if subject.node else ())][:1]


def tool_found_no_process(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Kubernetes has calico-node as Ready, and calicoctl found no process of Calico's where it was run."""
    said = seen_by_no_tool(subject.node) if subject.node else ""
    return [
        Seen(subject.nodes[0], "calicoctl", f"{said.rstrip('.')}; {pod.name} is Ready")
        for pod in (ready_pods(evidence, subject.node) if said and subject.node else [])
    ][:2]


def bird_listens_elsewhere(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's control socket is in another place than that where the tool looked."""
    found = _elsewhere(subject.node) if subject.node else []
    return [Seen(subject.nodes[0], "sockets", f"{path} ({why})") for path, why in found]


def bird_runs(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's process is there."""
    return [
        Seen(subject.nodes[0], "processes", f"process {pid}")
        for pid in (_process(subject.node) if subject.node else [])
    ]


def sessions_are_established(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Its sessions are Established, as BIRD itself or its peers tell."""
    node = subject.node
    if node is None:
        return []
    found = [Seen(node.name, "bird", words.plural(_established(node), "session"))] if _established(node) else []
    return found or [Seen(name, "bird", f"session with {node.name}") for name in _peers_see_it(evidence, node)[:2]]


def socket_is_hidden_from_the_host(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD answers in its own container, and none of the places where tools look on the host has its socket."""
    node = subject.node
    return [Seen(node.name, "bird", path) for path in node.tools.hidden] if node else []


def sessions_are_down(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Sessions of the node are down."""
    down = evidence.down_at(*subject.nodes)
    return [Seen(subject.nodes[0], "bird", words.plural(len(down), "session"))] if down else []


def _tool_summary(evidence: Evidence, subject: Subject) -> str:
    node = subject.node
    at = f" at {subject.where['socket']}" if subject.where.get("socket") else ""
    if node is not None and _denied(node):
        tools = words.listed(one.tool for one in _denied(node))
        return f"{tools} on {node.name} was not allowed to ask BIRD, and tells nothing of it: run it again as root."
    if node is not None and _complaints(node):
        tools = words.listed(one.tool for one in _complaints(node))
        return f"{tools} on {node.name} looked for BIRD in the wrong place; BIRD runs there{at}."
    if tool_found_no_process(evidence, subject):
        return (
            f"calicoctl on {subject.nodes[0]} finds no process of Calico's, and Kubernetes has calico-node as Ready: "
            "calicoctl was run where it does not see the host's processes (in a container, or not as root)."
        )
    return f"On {subject.nodes[0]} BIRD is well{at}, where tools that run on the host do not find it."


BENIGN_TOOL_ARTIFACT = Fault(
    id="benign_tool_artifact",
    family="not_a_fault",
    title="The tool looked in the wrong place",
    severity="info",
    role="not_a_fault",
    means=(
        "A tool (calicoctl, birdcl, a script) looked for BIRD's control socket or process where this "
        "installation does not "
        "have it (another directory, a container of its own, another name of the process), or without the rights "
        "to see "
        "it. What it says is about itself, not about BGP."
    ),
    subjects=misled_tools,
    signals=(
        Signal(tool_found_nothing, MODERATE, required=True),
        Signal(socket_is_hidden_from_the_host, STRONG + MODERATE, required=True),
        Signal(tool_had_no_right, STRONG + MODERATE, required=True),
        Signal(tool_found_no_process, STRONG + MODERATE, required=True),
        Signal(bird_listens_elsewhere, STRONG),
        Signal(bird_runs, MODERATE),
        Signal(sessions_are_established, STRONG),
        Signal(sessions_are_down, -STRONG),
    ),
    summary=_tool_summary,
    fix=NOTHING_TO_DO,
    verify="The tool, told the right place (birdcl -s SOCKET), shows the sessions.",
    prior=-1.0,
    lookalikes=(
        Lookalike("bird_not_running", "there is no BIRD, and no session with it"),
        Lookalike("bird_hung", "the socket is where the tool looked, and does not answer"),
    ),
)

# --- probes -------------------------------------------------------------------------------------------------------


def probes_not_run(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which the runtime could not run a readiness or liveness probe of Calico's at all."""
    found: dict[str, list[Seen]] = {}
    for node in evidence.nodes.values():
        told = [line for line in node.control.lines("probe_errored", "runtime_exec") if _is_exec(line)]
        if told:
            found[node.name] = [gate_signals.seen_line(node, line) for line in told]
    for event in evidence.cluster.events if evidence.cluster else ():
        if _is_of_a_probe(event, evidence):
            found.setdefault(event.node, []).append(Seen(event.node, "events", event.message))
    if found:
        names = sorted(name for name in found if name)
        every = [one for each in found.values() for one in each]
        where = {"node": names[0], "nodes": names} if names else {}
        yield Subject(tuple(names), (), where, evidence.nodes.get(names[0]) if names else None, every)


def _is_exec(line: HostLine) -> bool:
    return _EXEC in line.text or any(words_ in line.text for words_ in _NOT_RUN)


def _is_of_a_probe(event: Event, evidence: Evidence) -> bool:
    """An event that does not say whose it is, is of a pod of calico-node's that is not Ready, if one is shown."""
    calico = any(name in f"{event.about} {event.message}" for name in _ASKED)
    if not calico and not event.about and evidence.cluster is not None:
        calico = any(not pod.ready for pod in evidence.cluster.pods_of("calico-node", "canal"))
    errored = "probe errored" in event.message or "probe failed" in event.message
    return calico and errored and any(words_ in event.message for words_ in _NOT_RUN)


def probe_could_not_run(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The container runtime could not run the probe's command in the container."""
    return list(subject.about)[:4]


def runtime_says_why(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The runtime says why: it could not start a program in the container."""
    return [one for one in subject.about if any(words_ in one.detail for words_ in _NOT_RUN)][:2]


def probe_ran_and_says_no(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The probe itself ran, too, and says that BIRD or Felix is not ready."""
    lines = [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in node.control.lines("calico_not_ready", "calico_not_live")
        if any(words_ in line.text for words_ in _SAYS_NOT_READY)
    ]
    return lines[:2]


def bgp_is_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The BGP sessions are up."""
    return packet_signals.sessions_are_up(evidence)


PROBE_EXEC_FAILURE = Fault(
    id="probe_exec_failure",
    family="not_a_fault",
    title="The probe itself could not be run",
    severity="info",
    role="not_a_fault",
    means=(
        "The container runtime could not start the probe's command in calico-node's container. That says nothing "
        "of BGP "
        "or Felix, which may work well; it says something of the runtime, the host (memory, processes) or the "
        "container, "
        "which may just be ending. If it lasts, kubelet restarts the container for its liveness probe."
    ),
    subjects=probes_not_run,
    signals=(
        Signal(probe_could_not_run, STRONG, required=True),
        Signal(runtime_says_why, MODERATE),
        Signal(bgp_is_well, WEAK),
        Signal(probe_ran_and_says_no, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"The readiness probe of calico-node{f' on {words.listed(subject.nodes)}' if subject.nodes else ''} could "
        "not be "
        "run by the container runtime; that says nothing of BGP."
    ),
    fix=Fix(
        action="look_at_runtime",
        text=(
            "Look at the container runtime of the node: its log of that moment, free memory and process numbers, a "
            "container that was ending. A restart of the runtime or an update of runc helps where it stays."
        ),
        risk="low",
        disrupts="nothing to look; a restart of the runtime leaves pods running",
        commands=lambda evidence, subject: packet_signals.on(
            subject.nodes[0] if subject.nodes else "NODE",
            ["sudo journalctl -u containerd -u crio -u docker --since -1h | grep -i exec; free -m"],
        ),
    ),
    verify="The log of kubelet has no new line of a probe that could not be run.",
    lookalikes=(
        Lookalike("bird_probe_without_bird", "the probe runs, and asks for a BIRD that there is not"),
        Lookalike("benign_startup_transient", "the probe ran, in the first seconds after a start"),
        Lookalike("bird_not_running", "the probe ran, and says that BIRD does not answer"),
    ),
    explains=("undetermined",),
)

FAULTS = (BENIGN_TOOL_ARTIFACT, PROBE_EXEC_FAILURE)
