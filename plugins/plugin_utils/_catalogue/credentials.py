# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of certificates, tokens and clocks: what makes servers refuse clients that they would otherwise know."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from . import agent_pod, commands, fix_lines, gate_signals, observed, restarts, words
from .gate_signals import CERTIFICATE_TIME
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .._evidence.control_plane import HostLine
    from .._evidence.evidence import Evidence
    from .._evidence.model import Node

PAST = ("expired", "not_yet_valid")
# Beyond this, in seconds, logs of two nodes cannot be laid side by side; beyond the other, tokens and TLS suffer.
SKEW_SHOWS, SKEW_HURTS = 30, 300
# calico-node writes a token for 24 h and renews it after a quarter of that.
TOKEN_OLD = 12 * 3600
# kubelet of its own certificate, at its start.
_OWN_ENDED = re.compile(r"client certificate (?:in (?P<path>/\S{1,200}) )?is expired: (?P<end>\S{1,40})")
_CLIENTS = "/var/lib/kubelet/pki/kubelet-client-current.pem"
_SAYS_WHEN = re.compile(r"current time (\S+) is (after|before) (\S+)")

# --- certificates -------------------------------------------------------------------------------------------------


def nodes_with_bad_certificates(evidence: Evidence) -> Iterator[Subject]:
    """Nodes with a certificate that is past its end or not yet valid, by a file or by a log."""
    names = [
        node.name
        for node in evidence.nodes.values()
        if _bad_files(node) or _lines_on_time(node) or _kubelets_own(evidence, node)
    ]
    if names or _ended_for_clients(evidence):
        yield gate_signals.at(evidence, names)


def _ended_for_clients(evidence: Evidence) -> list[Seen]:
    """What kubectl says of the API server's certificate where it names the certificate's end and the time it has."""
    told = [one.said for one in observed.tried(evidence) if one.check == "api" and CERTIFICATE_TIME in one.said]
    ends = [(text, when) for text in told if (when := _SAYS_WHEN.search(text)) is not None]
    return [Seen("", "kubectl", text) for text, when in ends if when.group(2) == "after"]


def _bad_files(node: Node) -> list[Seen]:
    return [
        Seen(
            node.name,
            "certificates",
            f"{one.path}: {one.state.replace('_', ' ')} ({one.not_before} to {one.not_after})",
        )
        for one in node.control.certificates
        if one.state in PAST
    ]


def _lines_on_time(node: Node) -> list[HostLine]:
    # One that begins within seconds is valid by now: the clocks of who made it and of who read it are that far apart.
    told = [line for line in node.control.log if CERTIFICATE_TIME in line.text]
    return [line for line in told if not 0 < _lag(line.text) <= SKEW_SHOWS]


def _kubelets_own(evidence: Evidence, node: Node) -> list[tuple[HostLine, re.Match[str]]]:
    """The lines in which kubelet says that its own certificate is past its end. A node that is Ready has got another
    one since."""
    kube = evidence.cluster.nodes.get(commands.kube_name(evidence, node.name)) if evidence.cluster else None
    ready = kube.condition("Ready") if kube else None
    if ready is not None and ready.status == "True":
        return []
    lines = (line for line in node.control.lines("certificate") if line.component == "kubelet")
    return [(line, match) for line in lines if (match := _OWN_ENDED.search(line.text))]


def file_is_out_of_date(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A certificate on the node is past its end, or not yet valid by the node's clock."""
    return [seen for node in gate_signals.nodes_of(evidence, subject) for seen in _bad_files(node)]


def clients_see_its_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server's certificate is past its end, by the clock of who asked: both times are told."""
    return _ended_for_clients(evidence)[:1] if not subject.nodes else []


def log_tells_of_certificate(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A program on the node refuses a certificate for its dates (x509)."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_on_time(node)[:2]
    ]


def kubelet_tells_of_its_own(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet does not start: its own certificate, by which the API server knows it, is past its end."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line, _match in _kubelets_own(evidence, node)[:1]
    ]


def log_tells_the_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The message names the certificate's end, which was before the time of the message."""
    return [
        Seen(node.name, f"log of {line.component or 'calico-node'}", f"{when.group(1)} is after {when.group(3)}")
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_on_time(node)
        if (when := _SAYS_WHEN.search(line.text)) is not None and when.group(2) == "after"
    ][:2]


def clock_is_off_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's clock is off, so that a certificate which is well may look expired, or not yet valid."""
    return [
        Seen(node.name, "clock", _skew_words(skew))
        for node in gate_signals.nodes_of(evidence, subject)
        if (skew := skews(evidence).get(node.name)) is not None and abs(skew) > SKEW_HURTS
    ]


def _past_files(evidence: Evidence, subject: Subject) -> list[str]:
    """The files of the first node whose certificates are out of date."""
    return [
        commands.word(one.path, "FILE")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.name == subject.nodes[0]
        for one in node.control.certificates
        if one.state in PAST
    ] or [_CLIENTS for node in gate_signals.nodes_of(evidence, subject)[:1] if _kubelets_own(evidence, node)]


def _look(evidence: Evidence) -> str:
    """The clock, and the certificates as the tool shows them that made them, where that may have been kubeadm."""
    managed = fix_lines.provider_of_control_plane(evidence) or evidence.flavour.distribution
    return "date -u" if managed else "date -u; sudo kubeadm certs check-expiration"


def _what_tells(evidence: Evidence, subject: Subject) -> Seen:
    """What tells of the certificate, the most telling first."""
    of_files = file_is_out_of_date(evidence, subject) or kubelet_tells_of_its_own(evidence, subject)
    return (of_files or log_tells_of_certificate(evidence, subject) or clients_see_its_end(evidence, subject))[0]


def _at(subject: Subject) -> str:
    return subject.nodes[0] if subject.nodes else "NODE"


CERTIFICATE_EXPIRED = Fault(
    id="certificate_expired",
    family="control_plane",
    title="A certificate is past its end or not yet valid",
    severity="major",
    role="cause",
    means=(
        "TLS fails: the API server, Typha, etcd or their clients refuse each other. What is connected stays connected "
        "until it must connect again; a calico-node that restarts does not come up."
    ),
    subjects=nodes_with_bad_certificates,
    signals=(
        Signal(file_is_out_of_date, STRONG + MODERATE, required=True),
        Signal(kubelet_tells_of_its_own, STRONG + MODERATE, required=True),
        Signal(log_tells_of_certificate, STRONG, required=True),
        Signal(clients_see_its_end, STRONG, required=True),
        Signal(log_tells_the_end, MODERATE),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(clock_is_off_there, -STRONG),
    ),
    summary=lambda evidence, subject: (
        f"A certificate on, or met by, {words.listed(subject.nodes or ('the API server',))} is out of date: "
        f"{_what_tells(evidence, subject).detail}."
    ),
    fix=Fix(
        action="renew_certificate",
        text=(
            "Renew the certificate with what made it (kubeadm certs renew, the distribution's rotation, the operator, "
            "cert-manager), then restart what holds the old one, one node at a time."
        ),
        risk="medium",
        disrupts="programs of the control plane restart to read the new certificate",
        commands=lambda evidence, subject: [
            commands.on_node(_at(subject), _look(evidence)),
            *(
                commands.on_node(_at(subject), f"sudo openssl x509 -noout -dates -subject -in {path}")
                for path in _past_files(evidence, subject)
            ),
            *fix_lines.renewed_certificates(evidence, _at(subject), _past_files(evidence, subject)),
        ],
    ),
    verify="No certificate is out of date, and no new x509 message is logged.",
    lookalikes=(
        Lookalike("clock_skew", "the node's clock is off, and the certificate is well by the right time"),
        Lookalike("typha_tls_mismatch", "the dates are right; the name or the authority is not"),
    ),
    explains=("apiserver_unreachable", "kubelet_not_ready", "cni_token_expired", "typha_down", "typha_tls_mismatch"),
)

# --- the CNI plugin's token ---------------------------------------------------------------------------------------


def nodes_with_dead_tokens(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose CNI plugin is no longer known to the API server."""
    names = [node.name for node in evidence.nodes.values() if token_is_past(node) or _lines_unauthorized(node)]
    if names:
        yield gate_signals.at(evidence, names)


def token_is_past(node: Node) -> bool:
    """The CNI plugin's token is past its end, by the node's own clock."""
    left = node.control.cni.token_expires_in_seconds if node.control.cni else None
    return left is not None and left <= 0


def _lines_unauthorized(node: Node) -> list[HostLine]:
    """What the CNI plugin says through the kubelet, or in its own log, when its token is refused."""
    return [
        line
        for line in node.control.lines("unauthorized", "pod_setup", "apiserver")
        if "nauthorized" in line.text
        # Who is told what is forbidden is known to the API server: the token is good.
        and " is forbidden" not in line.text
        and (line.component in ("kubelet", "cni", "cni-plugin") or "ClusterInf" in line.text)
    ]


def token_is_past_its_end(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token in calico-kubeconfig is past its end."""
    return [
        Seen(node.name, "cni", f"its token ended {words.span(-left)} ago")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.cni and (left := node.control.cni.token_expires_in_seconds) is not None and left <= 0
    ]


def plugin_is_unauthorized(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server answers the CNI plugin: Unauthorized."""
    return [
        gate_signals.seen_line(node, line)
        for node in gate_signals.nodes_of(evidence, subject)
        for line in _lines_unauthorized(node)[:1]
    ]


def nobody_renews_it(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The DaemonSet tells calico-node not to look after the plugin's configuration (CALICO_MANAGE_CNI is false)."""
    agents = evidence.cluster.node_agents if evidence.cluster else ()
    return [
        Seen("", "daemonset", f"{agent.name}: CALICO_MANAGE_CNI={value}")
        for agent in agents
        for container in agent.containers
        if (value := container.env.get("CALICO_MANAGE_CNI", "")).lower() == "false"
    ]


def renewal_failed(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token could not be renewed, or was not for half a day."""
    found = []
    for node in gate_signals.nodes_of(evidence, subject):
        found += [gate_signals.seen_line(node, line) for line in node.control.lines("token")]
        age = node.control.cni.token_age_seconds if node.control.cni else None
        if age is not None and age > TOKEN_OLD:
            found.append(Seen(node.name, "cni", f"its token was written {words.span(age)} ago"))
    return found


def token_is_good(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The token is not past its end."""
    return [
        Seen(node.name, "cni", f"{words.span(left)} left")
        for node in gate_signals.nodes_of(evidence, subject)
        if node.control.cni and (left := node.control.cni.token_expires_in_seconds) is not None and left > 0
    ]


def _new_token(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The pods replaced, whose init container writes a new token, where it is let to and the token is the reason."""
    past = [name for name in subject.nodes if name in evidence.nodes and token_is_past(evidence.nodes[name])]
    pods = [agent_pod.pod_of(evidence, name) for name in subject.nodes]
    if (
        len(past) < len(pods)
        or None in pods
        or nobody_renews_it(evidence, subject)
        or clock_is_off_there(evidence, subject)
    ):
        return None
    return restarts.climb(evidence, subject, "pod", "pod")


CNI_TOKEN_EXPIRED = Fault(
    id="cni_token_expired",
    family="control_plane",
    title="The CNI plugin's token is no longer accepted",
    severity="major",
    role="cause",
    means=(
        "The CNI plugin has a token that calico-node writes and renews. It was not renewed, or its key is gone, so the "
        "API server refuses the plugin: pods that run go on running, and no new pod on the node gets a network."
    ),
    subjects=nodes_with_dead_tokens,
    signals=(
        Signal(token_is_past_its_end, DECISIVE, required=True),
        Signal(plugin_is_unauthorized, STRONG, required=True),
        Signal(nobody_renews_it, STRONG),
        Signal(renewal_failed, MODERATE),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(token_is_good, -MODERATE),
        Signal(clock_is_off_there, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        f"The CNI plugin on {gate_signals.show_nodes(subject)} is refused by the API server: its token in "
        "calico-kubeconfig is no longer accepted."
    ),
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="renew_cni_token",
        text=(
            "Restart calico-node on the node: its init container writes a new calico-kubeconfig. Where "
            "CALICO_MANAGE_CNI is false, remove that setting, else the next token ends, too."
        ),
        risk="medium",
        disrupts="the node's sessions restart; its peers keep the routes meanwhile (graceful restart)",
        commands=lambda evidence, subject: agent_pod.delete_each(evidence, subject.nodes),
        remedy=_new_token,
    ),
    verify="The token has most of its 24 h left, and a new pod on the node gets an address.",
    lookalikes=(
        Lookalike("certificate_expired", "the message is x509, not Unauthorized"),
        Lookalike("clock_skew", "the node's or the server's clock is off"),
    ),
)

# --- clocks -------------------------------------------------------------------------------------------------------


def skews(evidence: Evidence) -> dict[str, float]:
    """By node, how far its clock is ahead of what most nodes agree upon, where that is certain."""
    told = {
        node.name: (node.control.clock_ahead, node.control.clock_error)
        for node in evidence.nodes.values()
        if node.control.clock_ahead is not None
    }
    ahead = sorted(value for value, _error in told.values())
    usual = ahead[len(ahead) // 2] if len(ahead) > 2 else 0.0
    measured = {name: value - usual for name, (value, error) in told.items() if abs(value - usual) - error > SKEW_SHOWS}
    return {**_behind_certificates(evidence, told), **measured}


def _behind_certificates(evidence: Evidence, measured: Collection[str]) -> dict[str, float]:
    """By node, how far its clock lags at least, where a certificate that exists already is not yet valid by it.

    Nobody dates a certificate later than it is made. Where the clock was measured that says more.
    """
    found = {}
    for node in evidence.nodes.values():
        lags = [_lag(line.text) for line in _lines_on_time(node)] if node.name not in measured else []
        if max(lags, default=0.0) > SKEW_SHOWS:
            found[node.name] = -max(lags)
    return found


def _lag(text: str) -> float:
    when = _SAYS_WHEN.search(text)
    if when is None or when.group(2) != "before":
        return 0.0
    now = _moment(when.group(1))
    # The line's end may be cut off.
    begins = _moment(when.group(3)) or _moment(f"{when.group(3)[:10]}T00:00:00Z")
    return (begins - now).total_seconds() if now is not None and begins is not None else 0.0


def _moment(stamp: str) -> datetime | None:
    """Return the moment of "2024-05-01T10:00:00Z" or "…+08:00", None if it is neither."""
    try:
        moment = datetime.fromisoformat(stamp.rstrip(".,;\"')\\").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def skewed_nodes(evidence: Evidence) -> Iterator[Subject]:
    """Nodes whose clock is far off that of the others."""
    found = skews(evidence)
    if found:
        yield gate_signals.at(evidence, found, found)


def _skew_words(seconds: float) -> str:
    return f"{words.span(round(abs(seconds)))} {'ahead' if seconds > 0 else 'behind'}"


def clock_is_far_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's clock is off by more than the question and its answer can have taken."""
    return [
        Seen(name, "clock", _skew_words(seconds))
        for name, seconds in sorted(subject.about.items())
        if name in evidence.nodes and evidence.nodes[name].control.clock_ahead is not None
    ]


def certificate_is_of_its_future(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A certificate that is in use already is not yet valid by this node's clock."""
    behind = _behind_certificates(evidence, ())
    return [seen for name in subject.nodes if name in behind for seen in _told_before(evidence.nodes[name])][:2]


def _told_before(node: Node) -> list[Seen]:
    return [gate_signals.seen_line(node, line) for line in _lines_on_time(node) if _lag(line.text) > SKEW_SHOWS]


def nothing_keeps_it_right(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No time service keeps the clock right."""
    return [
        Seen(node.name, "time service", node.clock.why)
        for node in gate_signals.nodes_of(evidence, subject)
        if node.clock and (not node.clock.running or node.clock.synchronised is False)
    ]


def something_refuses_the_time(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Programs there refuse certificates or tokens for their dates."""
    return log_tells_of_certificate(evidence, subject) + plugin_is_unauthorized(evidence, subject)


def half_of_the_nodes_are_off(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Half of the nodes or more are off: rather the controller's clock is wrong, or the others'."""
    told = [node for node in evidence.nodes.values() if node.control.clock_ahead is not None]
    doubtful = 2 * len(subject.nodes) >= len(told)
    return [Seen("", "clock", f"{len(subject.nodes)} of {len(told)} nodes")] if doubtful and len(told) > 1 else []


def _skew_severity(evidence: Evidence, subject: Subject) -> str:
    """major where something refuses the time already, else minor."""
    return (
        "major"
        if max(map(abs, subject.about.values())) > SKEW_HURTS and something_refuses_the_time(evidence, subject)
        else "minor"
    )


def _skew_role(evidence: Evidence, subject: Subject) -> str:
    """cause where programs refuse certificates or tokens by it, contributing beside BGP sessions in trouble."""
    alone = not subject.sessions and _skew_severity(evidence, subject) == "major"
    return "cause" if alone else "contributing"


def _begin_anew(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The time service started, where it does not run, or restarted, where it does not follow its sources."""
    names = tuple(
        node.name
        for node in gate_signals.nodes_of(evidence, subject)
        if node.clock
        and (not node.clock.running or (node.clock.synchronised is False and node.clock.sources_reachable))
    )
    return Remedy("time_sync", {"time_sync_restart": True}, names) if names else None


CLOCK_SKEW = Fault(
    id="clock_skew",
    family="control_plane",
    title="The node's clock is off",
    severity="minor",
    role="contributing",
    means=(
        "The clock is off by half a minute or more. BGP does not care, its timers are local; but certificates and "
        "tokens are refused, leases look old, and logs of different nodes cannot be compared."
    ),
    subjects=skewed_nodes,
    signals=(
        Signal(clock_is_far_off, STRONG + MODERATE, required=True),
        Signal(certificate_is_of_its_future, STRONG + MODERATE, required=True),
        Signal(nothing_keeps_it_right, MODERATE),
        Signal(something_refuses_the_time, MODERATE),
        Signal(half_of_the_nodes_are_off, -MODERATE),
    ),
    summary=lambda evidence, subject: (
        "The clock is off on "
        + words.listed(f"{name} ({_skew_words(seconds)})" for name, seconds in sorted(subject.about.items()))
        + ". That alone breaks no BGP session."
    ),
    severity_rule=_skew_severity,
    role_rule=_skew_role,
    fix=Fix(
        action="set_clock",
        text="Have a time service set the clock right and keep it so; then restart only what failed for its TLS.",
        risk="low",
        disrupts="programs that dislike a clock which jumps",
        commands=lambda evidence, subject: [
            commands.on_node(name, line)
            for name in subject.nodes[:2]
            for line in ("date -u; timedatectl; chronyc tracking", "sudo chronyc makestep")
        ],
        remedy=_begin_anew,
    ),
    verify="The clock agrees with the other nodes' to within a second.",
    prior=0.0,
    lookalikes=(
        Lookalike("time_sync_missing", "nothing keeps the clock right, and it is not off yet"),
        Lookalike("certificate_expired", "the clock is right, and the certificate is past its end"),
    ),
    explains=("certificate_expired", "cni_token_expired"),
)

FAULTS = (CERTIFICATE_EXPIRED, CNI_TOKEN_EXPIRED, CLOCK_SKEW)
