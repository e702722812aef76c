# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of BGP passwords that differ between the ends of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._evidence.signatures import Blame, password
from .._peering import secrets
from . import api, commands, password_repair, session_signals, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._evidence.evidence import Evidence
    from .._peering.model import Problem

SETTINGS = "bgpconfigurations.crd.projectcalico.org,bgppeers.crd.projectcalico.org"
DIFFERS = "password_differs"
NO_BLAME = Blame((), (), (), frozenset(), ())
FORMS = {
    "failure": "both ends have a password, and they differ",
    "unexpected": "only the dialling end has a password",
    "not_found": "only the listening end has a password",
}


def password_mismatches(evidence: Evidence) -> Iterator[Subject]:
    """The fewest nodes that explain the sessions which fail for their passwords, and what the API's objects tell."""
    explained: set[str] = set()
    for blame in evidence.refused_signatures:
        names = blame.names
        explained.update(name for session in blame.sessions for name in evidence.labels(session))
        where = {"node": names[0], "nodes": list(names), "form": FORMS[blame.forms[0]]}
        told = _told_apart(evidence, names)
        if told:
            where.update(api.where(told[0].object, password_field(told[0])))
        yield Subject(names, blame.sessions, where, evidence.nodes.get(names[0]), blame)
    for problem in api.problems(evidence, DIFFERS):
        names = api.names(evidence, problem.nodes)
        if not explained & set(names):
            where = api.where(problem.object, password_field(problem), form="the objects refer to different passwords")
            sessions = api.sessions_between(evidence, names)
            yield Subject(names, sessions, where, evidence.nodes.get(names[0]) if names else None, NO_BLAME)


def _told_apart(evidence: Evidence, names: tuple[str, ...]) -> list[Problem]:
    found = api.problems(evidence, DIFFERS)
    return [problem for problem in found if set(api.names(evidence, problem.nodes)) & set(names)]


def password_field(problem: Problem) -> str:
    """The field that refers to the password."""
    mesh = problem.object.startswith("BGPConfiguration")
    return "spec.nodeMeshPassword" if mesh else "spec.password.secretKeyRef"


def objects_differ(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API's objects the two ends do not use the same password."""
    return [
        api.seen(problem.object, password_field(problem), problem.detail)
        for problem in _told_apart(evidence, subject.nodes)
    ]


def established_all_the_same(evidence: Evidence, subject: Subject) -> list[Seen]:
    """These nodes have sessions with each other that are up."""
    if subject.sessions:
        return []
    own = {address for name in subject.nodes if name in evidence.nodes for address in _addresses(evidence, name)}
    return [
        Seen(name, "bird", "its sessions with the others are Established")
        for name in subject.nodes
        if name in evidence.nodes and any(own & daemon.established for daemon in evidence.nodes[name].daemons.values())
    ][:2]


def _addresses(evidence: Evidence, name: str) -> list[str]:
    return list(evidence.nodes[name].bgp_addresses.values())


def passwords_on_one_side_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """One end is configured with a TCP MD5 password and the other is not."""
    found: list[Seen] = []
    for session in subject.sessions:
        ends = [(side, password(side, other.address)) for side, other in session.sides()]
        if {has for _side, has in ends} == {True, False}:
            found.extend(
                Seen(side.label, "bird.cfg", f"{'a' if has else 'no'} password for {session.other(side).label}")
                for side, has in ends
            )
    return found


def passwords_on_both_sides(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Both ends are configured with a TCP MD5 password."""
    return [
        Seen(
            session.listener.label,
            "bird.cfg",
            f"both this end and {session.dialler.label} have a password for the other",
        )
        for session in subject.sessions
        if password(session.listener, session.dialler.address) and password(session.dialler, session.listener.address)
    ]


def signatures_are_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel of the listening node counts segments whose TCP MD5 signature is wrong, missing or unexpected."""
    listeners = {other.node.name: other.node for _session, _side, other in subject.diallers if other.node}
    return [
        Seen(
            node.name,
            "kernel counters",
            f"TCPMD5 {name} grew by {counter.grew} in {node.md5_seconds:.1f} s (total {counter.total})",
        )
        for node in listeners.values()
        for name, counter in node.md5.items()
        if counter.grew and name in subject.about.forms
    ]


def others_explain_the_counters(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The counters grew by no more than other diallers explain, whose passwords are refused elsewhere as well."""
    blame: Blame = subject.about
    if not blame.sessions or any(session.key not in blame.doubtful for session in blame.sessions):
        return []
    listeners = {
        session.listener.node.name: session.listener.node for session in blame.sessions if session.listener.node
    }
    return [
        Seen(name, "kernel counters", f"TCPMD5 {form} grew by {node.md5[form].grew} in {node.md5_seconds:.1f} s")
        for name, node in listeners.items()
        for form in blame.forms
        if form in node.md5
    ]


def fewer_refusals_than_diallers(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The listening node counts fewer refused segments than it has diallers that get no answer."""
    return [Seen(name, "kernel counters", "not every dialler was counted") for name in subject.about.fewer]


def namespace_of(evidence: Evidence) -> str:
    """Where calico-node looks for the Secret."""
    return commands.word(secrets.namespace_of(evidence.cluster), "NAMESPACE") if evidence.cluster else "NAMESPACE"


def account_of(evidence: Evidence) -> str:
    """The account by which calico-node reads it."""
    agent = api.agent(evidence)
    # The Secret is looked for in calico-node's own namespace.
    namespace, name = (agent.namespace, agent.service_account) if agent else (namespace_of(evidence), "calico-node")
    return f"system:serviceaccount:{commands.word(namespace, 'NAMESPACE')}:{commands.word(name, 'calico-node')}"


def referred_keys(evidence: Evidence) -> list[tuple[str, str]]:
    """Secret and key that peerings and the mesh refer to; words to fill in where nothing tells them."""
    cluster = evidence.cluster
    told = [one.password for one in cluster.bgp_peers] if cluster else []
    told += [one.mesh_password for one in cluster.bgp_configurations.values()] if cluster else []
    known = {(commands.word(one.name, "SECRET"), commands.word(one.key, "KEY")) for one in told if one is not None}
    return sorted(known) or [("SECRET", "KEY")]


def written_anew(evidence: Evidence) -> list[str]:
    """Write the passwords that are referred to anew, from a file."""
    cluster, space = evidence.cluster, namespace_of(evidence)
    missing = {one.name for one in cluster.secrets if one.exists is False} if cluster else set()
    found = [password_repair.made_by_hand(space, *one, one[0] not in missing) for one in referred_keys(evidence)]
    return list(dict.fromkeys(line for lines in found for line in lines))


def count_bytes(evidence: Evidence) -> list[str]:
    """Count the bytes of the passwords that are referred to, without showing them."""
    where = f"kubectl get secret -n {namespace_of(evidence)}"
    keys = referred_keys(evidence)
    return [f"{where} {name} -o jsonpath='{{.data.{key}}}' | base64 -d | wc -c   # at most 80" for name, key in keys]


BGP_PASSWORD_MISMATCH = Fault(
    id="bgp_password_mismatch",
    family="bgp_config",
    title="The BGP passwords do not match",
    severity="major",
    role="cause",
    means=(
        "BGP passwords sign every TCP segment (MD5). A segment with a wrong, missing or unexpected signature is"
        " dropped silently by the kernel of "
        "the listening node, so it looks like a firewall; only the kernel's TCPMD5 counters tell the two apart."
    ),
    subjects=password_mismatches,
    signals=(
        Signal(passwords_on_one_side_only, DECISIVE, required=True),
        Signal(signatures_are_refused, STRONG + MODERATE, required=True),
        Signal(objects_differ, STRONG, required=True),
        Signal(passwords_on_both_sides, WEAK),
        Signal(session_signals.dialler_gets_no_answer, WEAK),
        Signal(others_explain_the_counters, -DECISIVE - WEAK),
        Signal(fewer_refusals_than_diallers, -MODERATE),
        Signal(established_all_the_same, -DECISIVE),
    ),
    summary=lambda evidence, subject: (
        f"The BGP password of {words.listed(subject.nodes)} does not match its peers' ({subject.where['form']}); "
        f"{words.plural(len(subject.sessions), 'session')} down."
    ),
    fix=Fix(
        action="align_bgp_password",
        text=(
            "Make both ends read the same Secret: it must exist in calico-node's namespace with the named key, and "
            "calico-node must be allowed to read it. Where both read a password and these differ, only you know which "
            "one is right: write it anew, from a file, and give it to a router outside of the cluster as well."
        ),
        risk="low",
        disrupts="the sessions that use the password are made anew as each node takes it up",
        commands=lambda evidence, subject: [
            f"kubectl get {SETTINGS} -o yaml | grep -B1 -A3 secretKeyRef",
            *(
                f"kubectl auth can-i get secret/{name} -n {namespace_of(evidence)} --as={account_of(evidence)}"
                for name in dict.fromkeys(one for one, _key in referred_keys(evidence))
            ),
            *written_anew(evidence),
        ],
    ),
    verify="The TCPMD5 counters of the listening nodes stand still, and the sessions are Established.",
    lookalikes=(
        Lookalike(
            "tcp179_blocked_host_firewall", "a rule of the host's firewall stops the segments before TCP sees them"
        ),
        Lookalike("tcp179_blocked_network", "the TCPMD5 counters stand still"),
    ),
    explains=("undetermined", "tcp179_blocked_network", "hold_timer_expired"),
)

FAULTS = (BGP_PASSWORD_MISMATCH,)
