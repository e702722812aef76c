# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of BIRD itself and of the way its configuration gets to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._gate import model as gate
from . import agent_pod, commands, gate_signals, restarts, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject
from .not_a_fault import objects_say_no_bird

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._evidence.model import Daemon, Listener, LogLine, Node, Protocol
    from .._evidence.sessions import Session

# From then on a file that BIRD has not read is not merely on its way to it.
UNREAD_SECONDS = 60
# As musl has it, and as glibc has it.
IN_USE = ("Address in use", "Address already in use")
_LISTENER = "BGP: "
# BGP daemons of distributions, by the unit that runs them.
_UNITS = {"bgpd": "frr", "gobgpd": "gobgpd", "bird6": "bird6"}


def _pod_commands(evidence: Evidence, subject: Subject, *more: str) -> list[str]:
    return [agent_pod.run(evidence, subject.nodes[0], line) for line in more]


def _sessions_of(evidence: Evidence, node: Node) -> Subject:
    return Subject((node.name,), evidence.down_at(node.name), {"node": node.name}, node)


def nodes_without_bird(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which BIRD is expected, or dialled by peers, and no process of BIRD's or Calico's was found."""
    for node in evidence.nodes.values():
        if node.bird_expected is False or not (_is_missing(node) or seen_by_no_tool(node)):
            continue
        if node.bird_expected or evidence.down_at(node.name):
            yield _sessions_of(evidence, node)


def _is_missing(node: Node) -> bool:
    """All of its daemons are known not to run; where there is no trace of any, it takes a list of all processes."""
    if not node.daemons:
        return node.processes_listed
    if all(daemon.running is False for daemon in node.daemons.values()):
        return True
    # Calico runs the one for IPv4 on every node that has a BIRD at all, with no peers where there is no IPv4.
    first = node.daemons.get("ipv4")
    return first is not None and first.running is False


def seen_by_no_tool(node: Node) -> str:
    """What calicoctl says where it finds no process of Calico's on a node on which nobody heard BIRD; '' elsewhere."""
    heard = any(daemon.running or daemon.total is not None for daemon in node.daemons.values())
    return "" if heard else node.tools.no_calico


def no_bird_process(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD is expected on the node, and no process of it exists."""
    node = subject.node
    if node is None or not _is_missing(node):
        return []
    states = [f"{daemon.socket} {daemon.socket_state}" for daemon in node.daemons.values() if daemon.socket]
    return [
        Seen(
            node.name,
            "processes",
            f"no BIRD process; {node.bird_expected_why or 'its peers dial it'}",
            "; ".join(states),
        )
    ]


def calicoctl_finds_no_calico(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No process of Calico's is found by calicoctl; where that runs in a container, it may not see the host's."""
    said = seen_by_no_tool(subject.node) if subject.node else ""
    return [Seen(subject.nodes[0], "calicoctl", said)] if said else []


def kubernetes_has_it_failing(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The pod of calico-node does not come up on the node, or does not stay up."""
    steps = (gate.INIT, gate.IMAGE, gate.NOT_STARTING, gate.CRASHING)
    return [
        Seen(checked.name, wrong.source, wrong.says)
        for step in steps
        for checked, wrong in gate_signals.stopped_at(evidence, step)
        if checked.name == subject.nodes[0]
    ]


def peers_are_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Its peers' attempts to connect are refused."""
    found = []
    for session in subject.sessions:
        side = session.side_of(subject.nodes[0])
        other = session.other(side) if side else None
        if other and other.protocol and "refused" in other.protocol.last_error:
            found.append(Seen(other.label, "bird", f"{other.protocol.name} is {words.state(other.protocol)}"))
    return found


def nothing_listens_here(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Nothing listens on TCP 179 of the node."""
    node = subject.node
    if node is None or node.listeners or node.lacks("tcp_sockets"):
        return []
    return [Seen(node.name, "sockets", "no listener on TCP 179")]


BIRD_NOT_RUNNING = Fault(
    id="bird_not_running",
    family="bird_confd",
    title="BIRD is not running",
    severity="critical",
    role="cause",
    means=(
        "The node should run BIRD and does not. It neither announces its own pods' routes nor learns those of "
        "others; its peers are refused."
    ),
    subjects=nodes_without_bird,
    signals=(
        Signal(no_bird_process, STRONG + MODERATE, required=True),
        Signal(calicoctl_finds_no_calico, WEAK, required=True),
        Signal(kubernetes_has_it_failing, STRONG),
        Signal(nothing_listens_here, MODERATE),
        Signal(peers_are_refused, MODERATE),
        Signal(objects_say_no_bird, -DECISIVE),
    ),
    summary=lambda evidence, subject: f"BIRD is not running on {subject.nodes[0]}, although it is expected there.",
    fix=Fix(
        action="start_bird",
        text="Read why BIRD stopped (calico-node's log, a configuration that BIRD refuses), then start it again.",
        risk="low",
        disrupts="nothing that works now",
        commands=lambda evidence, subject: _pod_commands(
            evidence, subject, "bird -p -c /etc/calico/confd/config/bird.cfg", "sv up bird"
        ),
        remedy=restarts.start_bird,
    ),
    verify="BIRD answers on its control socket, listens on TCP 179, and its sessions are Established.",
    lookalikes=(
        Lookalike("bird_hung", "a BIRD process exists and does not answer"),
        Lookalike("bird_not_expected", "the installation uses no BIRD by design"),
    ),
    explains=("undetermined", "peer_bird_not_running", "tcp179_blocked_network", "bird_reload_stuck", "stale_node_ip"),
)


def hung_birds(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose BIRD process exists and whose control socket does not answer."""
    for node in evidence.nodes.values():
        if any(daemon.running and daemon.socket_state == "no_answer" for daemon in node.daemons.values()):
            yield _sessions_of(evidence, node)


def socket_does_not_answer(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD's process exists, its control socket accepts a connection and never answers."""
    node = subject.node
    return [
        Seen(subject.nodes[0], "bird socket", f"process {daemon.pid}, {daemon.socket}: no answer")
        for daemon in (node.daemons.values() if node else ())
        if daemon.running and daemon.socket_state == "no_answer"
    ]


BIRD_HUNG = Fault(
    id="bird_hung",
    family="bird_confd",
    title="BIRD hangs",
    severity="critical",
    role="cause",
    means=(
        "BIRD's process is there but does nothing: it is stopped, starved of CPU or blocked. It sends no "
        "keepalives, so its peers drop the sessions when "
        "their hold time (240 s by default) runs out; until then they may still look Established."
    ),
    subjects=hung_birds,
    signals=(Signal(socket_does_not_answer, DECISIVE, required=True),),
    summary=lambda evidence, subject: (
        f"BIRD on {subject.nodes[0]} hangs: the process exists and its control socket does not answer."
    ),
    fix=Fix(
        action="restart_bird",
        text=(
            "Kill BIRD with SIGKILL, so that runit starts it anew and the peers keep its routes meanwhile (graceful"
            " restart); find out what starved it."
        ),
        risk="medium",
        disrupts="the node's sessions for some seconds; peers keep its routes for up to 120 s",
        commands=lambda evidence, subject: [commands.on_node(subject.nodes[0], f"sudo kill -KILL {_pid(subject)}")],
        remedy=restarts.replace_bird,
    ),
    verify="BIRD answers on its control socket, and the node's sessions are Established.",
    prior=0.0,
    lookalikes=(Lookalike("bird_not_running", "no BIRD process exists"),),
    explains=(
        "undetermined",
        "hold_timer_expired",
        "tcp179_blocked_network",
        "benign_startup_transient",
        "bird_reload_stuck",
    ),
)


def _pid(subject: Subject) -> str:
    daemons = subject.node.daemons.values() if subject.node else ()
    pids = [str(daemon.pid) for daemon in daemons if daemon.socket_state == "no_answer" and daemon.pid]
    return pids[0] if pids else "<pid of bird>"


def _differences(daemon: Daemon) -> list[str]:
    config = daemon.config
    named = (
        ("only on disk", config.only_on_disk),
        ("only running", config.only_running),
        ("changed on disk", config.changed),
    )
    return [f"{what}: {words.listed(names)}" for what, names in named if names]


def unloaded_configurations(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose configuration on disk is another than the one BIRD runs."""
    for node in evidence.nodes.values():
        for daemon in node.daemons.values():
            if is_unloaded(daemon):
                yield Subject(
                    (node.name,),
                    sessions_that_differ(evidence, node, daemon),
                    {"node": node.name, "file": daemon.config.path},
                    node,
                    daemon,
                )


def is_unloaded(daemon: Daemon) -> bool:
    """BIRD answers, and what it runs is not the configuration on disk."""
    return daemon.socket_state == "answers" and bool(_differences(daemon) or _left_unread(daemon))


def _left_unread(daemon: Daemon) -> bool:
    """The file was written after BIRD read it, and not just now: confd has BIRD read what it writes at once."""
    config = daemon.config
    return config.newer_than_running and (config.modified_seconds_ago or 0) >= UNREAD_SECONDS


def sessions_that_differ(evidence: Evidence, node: Node, daemon: Daemon) -> tuple[Session, ...]:
    """The sessions in trouble whose peers are others in the file than in what BIRD runs."""
    changed = {*daemon.config.only_on_disk, *daemon.config.only_running, *daemon.config.changed}
    peers = {name.partition("_")[2].replace("_", "." if daemon.family == "ipv4" else ":") for name in changed}
    return tuple(
        session
        for session in evidence.down_at(node.name)
        if {session.dialler.address, session.listener.address} & peers
    )


def disk_differs_from_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The peers in the configuration on disk are not those that BIRD runs."""
    daemon = subject.about
    told = "; ".join(_differences(daemon))
    return [Seen(subject.nodes[0], "bird.cfg", told, daemon.config.path)] if told else []


def disk_is_newer_than_bird(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The configuration on disk is newer than BIRD's last reconfiguration."""
    daemon = subject.about
    if daemon is None or not daemon.config.newer_than_running:
        return []
    written = words.span(daemon.config.modified_seconds_ago or 0)
    configured = words.span(daemon.reconfigured_seconds_ago or 0)
    return [Seen(subject.nodes[0], "bird.cfg", f"written {written} ago, BIRD configured {configured} ago")]


def written_just_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The file was written only moments ago: BIRD may be about to read it."""
    age = subject.about.config.modified_seconds_ago
    return [Seen(subject.nodes[0], "bird.cfg", f"written {age} s ago")] if age is not None and age < 3 else []


def _stuck_summary(evidence: Evidence, subject: Subject) -> str:
    told = "; ".join(_differences(subject.about))
    if told:
        return f"BIRD on {subject.nodes[0]} does not run the configuration on disk ({told})."
    written = words.span(subject.about.config.modified_seconds_ago or 0)
    return (
        f"The configuration on disk of {subject.nodes[0]} was written {written} ago, after BIRD read it; its peers are "
        f"those that BIRD runs."
    )


def _stuck_severity(evidence: Evidence, subject: Subject) -> str:
    """major where peers differ, minor where the file is only newer."""
    return "major" if _differences(subject.about) else "minor"


BIRD_RELOAD_STUCK = Fault(
    id="bird_reload_stuck",
    family="bird_confd",
    title="BIRD runs an older configuration than the one on disk",
    severity="major",
    role="cause",
    means=(
        "A new configuration was written and BIRD never read it. New peers are missing, removed ones linger, "
        "changed ones keep their old settings."
    ),
    subjects=unloaded_configurations,
    signals=(
        Signal(disk_differs_from_bird, STRONG, required=True),
        Signal(disk_is_newer_than_bird, MODERATE, required=True),
        Signal(written_just_now, -STRONG),
    ),
    summary=_stuck_summary,
    severity_rule=_stuck_severity,
    fix=Fix(
        action="reload_bird",
        text="Tell BIRD to read its configuration; sessions that did not change stay up.",
        risk="low",
        disrupts="only sessions whose settings changed",
        commands=lambda evidence, subject: _pod_commands(evidence, subject, agent_pod.RELOAD),
        remedy=restarts.reload_bird,
    ),
    verify="BIRD's last reconfiguration is newer than the file, and both name the same peers.",
    prior=0.0,
    lookalikes=(Lookalike("bird_config_rejected", "BIRD refuses the file when it is checked"),),
    explains=("as_mismatch", "undetermined", "stale_node_in_mesh"),
)


def ports_taken_by_others(evidence: Evidence) -> Iterator[Subject]:
    """Nodes on which another process than BIRD listens on the BGP port."""
    for node in evidence.nodes.values():
        others = strangers(node)
        if others and node.bird_expected is not False:
            first = others[0]
            where = {
                "node": node.name,
                "process": first.process,
                "pid": first.pid,
                "address": first.address,
                "port": first.port,
            }
            yield Subject((node.name,), evidence.down_at(node.name), where, node, first)
        elif not others and (_was_in_use(node) or (_lacks_socket(node) and not node.listeners)):
            yield Subject((node.name,), evidence.down_at(node.name), {"node": node.name, "port": 179}, node, None)


def strangers(node: Node) -> list[Listener]:
    """Other programs than BIRD that listen on the BGP port."""
    return [listener for listener in node.listeners if listener.process and not listener.process.startswith("bird")]


def _was_in_use(node: Node) -> bool:
    return bool(_says_in_use(node))


def _says_in_use(node: Node) -> list[LogLine]:
    """BIRD calls its listening socket BGP. A peer's protocol (Mesh_…) that cannot bind is about to dial, from any port
    (bgp_connect() in proto/bgp/bgp.c sets none): who holds TCP 179 is nothing to it, but ip(7) has the same error where
    no port is left to dial from."""
    lines = node.log_lines("cannot_listen", "bind_failed")
    return [line for line in lines if line.text.startswith(_LISTENER) and any(one in line.text for one in IN_USE)]


def _lacks_socket(node: Node) -> list[Protocol]:
    """The protocols that BIRD shut down because it could not listen."""
    return [
        protocol
        for daemon in node.daemons.values()
        for protocol in daemon.troubled.values()
        if "No listening socket" in protocol.last_error
    ]


def stranger_listens(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Another process than BIRD listens on TCP 179."""
    taken = subject.about
    if taken is None:
        return []
    return [
        Seen(
            subject.nodes[0],
            "sockets",
            f"{taken.process} (process {taken.pid}) listens on {taken.address} port {taken.port}",
        )
    ]


def bird_has_no_listening_socket(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD could not open its listening socket."""
    node = subject.node
    if node is None:
        return []
    protocols = _lacks_socket(node)
    found = [Seen(node.name, "bird", f"{protocol.name}: {protocol.last_error}") for protocol in protocols[:2]]
    return found + [Seen(node.name, "bird log", line.text, line.at) for line in node.log_lines("cannot_listen")[:1]]


def address_was_in_use(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD says that the port is in use by somebody else."""
    found = _says_in_use(subject.node) if subject.node else []
    return [Seen(subject.nodes[0], "bird log", line.text, line.at) for line in found[:1]]


def bird_listens_too(evidence: Evidence, subject: Subject) -> list[Seen]:
    """BIRD listens on the port as well, on another address."""
    node = subject.node
    return [
        Seen(subject.nodes[0], "sockets", f"{listener.process} listens on {listener.address} port {listener.port}")
        for listener in (node.listeners if node else ())
        if listener.process.startswith("bird")
        and (subject.about is None or (":" in listener.address) == (":" in subject.about.address))
    ]


def _stop_the_other(subject: Subject) -> list[str]:
    """Stop a BGP daemon of the host by its unit; what else holds the port, its unit or pod tells."""
    about = subject.about
    if about is None or not about.pid:
        return []
    unit = _UNITS.get(about.process)
    if unit is not None:
        stop = commands.on_node(subject.nodes[0], f"sudo systemctl disable --now {unit}")
        return [f"{stop}   # its routes go with it: ask its owner"]
    whose = commands.on_node(subject.nodes[0], f"ps -o pid=,unit=,args= -p {about.pid}; cat /proc/{about.pid}/cgroup")
    return [f"{whose}   # its unit, or pod: stop that one, once its owner agrees"]


def _listen_again(evidence: Evidence, subject: Subject) -> Remedy | None:
    """BIRD told to listen, where the port is free by now. The other program is its owner's matter."""
    free = subject.about is None and subject.node is not None and not strangers(subject.node)
    return restarts.climb(evidence, subject, "reload", "reload") if free else None


PORT179_CONFLICT = Fault(
    id="port179_conflict",
    family="bgp_config",
    title="Another process holds the BGP port",
    severity="critical",
    role="cause",
    means=(
        "Another BGP speaker (MetalLB, FRR, kube-router, a BIRD of the host) or some other program listens on "
        "TCP 179, so Calico's BIRD cannot. "
        "BIRD stays down even after the port is free, until it is told to configure itself again."
    ),
    subjects=ports_taken_by_others,
    signals=(
        Signal(stranger_listens, STRONG, required=True),
        Signal(address_was_in_use, STRONG, required=True),
        Signal(bird_has_no_listening_socket, STRONG, required=True),
        Signal(bird_listens_too, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"On {subject.nodes[0]} the process {subject.about.process} ({subject.about.pid}) holds TCP 179; BIRD "
        f"cannot listen there."
        if subject.about
        else f"On {subject.nodes[0]} another program held TCP 179 when BIRD wanted to listen there; it does not listen."
    ),
    fix=Fix(
        action="free_bgp_port",
        text=(
            "Stop or move the other program (ask its owner: stopping a BGP speaker removes its routes), then have "
            "BIRD configure itself again."
        ),
        risk="medium",
        disrupts="whatever the other program does",
        commands=lambda evidence, subject: [
            commands.on_node(subject.nodes[0], 'sudo ss -ltnp "sport = :179"'),
            *_stop_the_other(subject),
            *_pod_commands(evidence, subject, agent_pod.RELOAD),
        ],
        remedy=_listen_again,
    ),
    verify="BIRD is the process that listens on TCP 179, and its sessions are Established.",
    lookalikes=(Lookalike("bird_not_running", "nothing listens on the port"),),
    explains=(
        "undetermined",
        "tcp179_blocked_network",
        "peer_bird_not_running",
        "bird_not_running",
        "hold_timer_expired",
    ),
)

FAULTS = (BIRD_NOT_RUNNING, BIRD_HUNG, PORT179_CONFLICT, BIRD_RELOAD_STUCK)
