# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a Secret with a BGP password that Calico cannot read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from .._evidence.signatures import password
from .._peering import secrets
from . import api, commands, password_repair, words
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Remedy, Seen, Signal, Subject
from .passwords import account_of, namespace_of, password_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import SecretRef
    from .._evidence.evidence import Evidence
    from .._evidence.sessions import Session
    from .._peering.model import Problem

UNREADABLE = ("secret_missing", "secret_elsewhere", "secret_key_missing", "secret_unreadable")


# What confd says names the object that refers to the Secret, or the Secret, or both.
_OBJECTS = (
    ("BGPPeer", re.compile(r"\bfor BGPPeer ([A-Za-z0-9][\w.-]*)")),
    ("BGPConfiguration", re.compile(r"\bBGP Configuration ([A-Za-z0-9][\w.-]*)")),
)
_SECRETS = (
    re.compile(r"\bin secret (?P<namespace>[\w.-]+):(?P<name>[\w.-]+)"),
    re.compile(r'\bsecrets? "(?P<name>[\w.-]+)"(?:.*\bnamespace "(?P<namespace>[\w.-]+)")?'),
)


class Named(NamedTuple):
    """What a log line names: "BGPPeer rack-1" or '', the Secret's namespace and name or ''."""

    what: str
    namespace: str
    secret: str


def _named_by(text: str) -> Named:
    """Return which object, and which Secret, a log line is about."""
    what = next((f"{kind} {found.group(1)}" for kind, one in _OBJECTS if (found := one.search(text))), "")
    told = next((found.groupdict() for one in _SECRETS if (found := one.search(text))), {})
    return Named(what.rstrip(".,"), told.get("namespace") or "", told.get("name") or "")


def _named(evidence: Evidence, names: tuple[str, ...]) -> Named:
    """What the nodes' logs name between them."""
    lines = [
        _named_by(line.text)
        for name in names
        if name in evidence.nodes
        for line in evidence.nodes[name].control.lines("password_secret")
    ]
    told = lines or [Named("", "", "")]
    return Named(*(next((value for value in values if value), "") for values in zip(*told, strict=True)))


def _of_log(evidence: Evidence, names: tuple[str, ...]) -> dict[str, object]:
    """The object and the Secret that the logs name, as a finding's where."""
    told = _named(evidence, names)
    secret = f"{told.namespace or namespace_of(evidence)}/{told.secret}" if told.secret else ""
    what = told.what or (f"Secret {secret}" if secret else "Secret")
    field = "spec.nodeMeshPassword" if what.startswith("BGPConf") else "spec.password.secretKeyRef"
    return api.where(what, field if told.what else "", node=names[0], **({"secret": secret} if secret else {}))


def unreadable_secrets(evidence: Evidence) -> Iterator[Subject]:
    """Passwords that Calico's objects refer to and that calico-node cannot read, or says that it cannot."""
    told = tuple(node.name for node in evidence.nodes.values() if node.control.lines("password_secret"))
    problems = api.problems(evidence, *UNREADABLE)
    for problem in problems:
        names = told or _users(evidence, problem)
        sessions = tuple(session for session in evidence.table.down if _unsigned(session))
        where = api.where(problem.object, password_field(problem), namespace=namespace_of(evidence), kind=problem.kind)
        yield Subject(names, sessions, where, evidence.nodes.get(names[0]) if names else None, problem)
    if told and not problems:
        sessions = tuple(session for session in evidence.down_at(*told) if _unsigned(session))
        yield Subject(told, sessions, _of_log(evidence, told), evidence.nodes[told[0]], None)


def _unsigned(session: Session) -> bool:
    """An end has no password, or it is not known that it has one."""
    return any(password(side, other.address) is not True for side, other in session.sides())


def _users(evidence: Evidence, problem: Problem) -> tuple[str, ...]:
    """The nodes whose sessions would be signed with the password."""
    plan = evidence.expected
    if plan is None:
        return ()
    if problem.object.startswith("BGPConfiguration"):
        return api.names(evidence, sorted({one.name for group in plan.meshes.values() for one in group.speakers}))
    name = problem.object.partition(" ")[2]
    return api.names(
        evidence,
        sorted(
            {
                stanza.node
                for session in plan.sessions(mesh=False)
                for end in session.ends
                for stanza in end.stanzas
                if stanza.bgp_peer == name
            }
        ),
    )


def secret_cannot_be_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The Secret with the password cannot be read by calico-node."""
    problem: Problem | None = subject.about
    return [api.seen(problem.object, password_field(problem), problem.detail)] if problem else []


def calico_says_it_cannot_read(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico says that it cannot read a Secret."""
    return [
        Seen(name, f"{line.component or 'confd'} log", line.text, line.at)
        for name in subject.nodes
        if name in evidence.nodes
        for line in evidence.nodes[name].control.lines("password_secret")[:2]
    ][:4]


def rendered_without_password(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The configuration has no password for peers which do have one for this node, or none for anybody."""
    return [
        Seen(side.label, "bird.cfg", f"no password for {other.label}")
        for session in subject.sessions
        for side, other in session.sides()
        if password(side, other.address) is False
    ][:4]


def rendered_with_password(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The password stands in the configuration of such a node: it was read."""
    return [
        Seen(name, "bird.cfg", "a password for every peer")
        for name in subject.nodes
        if name in evidence.nodes and not subject.sessions
        if any(daemon.config.passwords == "all" for daemon in evidence.nodes[name].daemons.values())
    ][:2]


def may_be_read_by_now(evidence: Evidence, subject: Subject) -> list[Seen]:
    """By the API calico-node may read every password that is referred to: what its log says is past."""
    cluster = evidence.cluster
    if cluster is None or subject.about is not None:
        return []
    known, found = secrets.Secrets(cluster), password_repair.references(cluster)
    if not found or not all(known.readable(one) for one in found.values()):
        return []
    return [Seen("", "secrets", words.listed(sorted({f"{known.namespace}/{one.name}" for one in found.values()})))]


def _secret_summary(evidence: Evidence, subject: Subject) -> str:
    problem: Problem | None = subject.about
    if problem:
        return f"The password of {problem.object} is not used: {problem.detail}"
    secret, user = str(subject.where.get("secret", "")), str(subject.where["object"]).replace("/", " ", 1)
    whose = "" if user.startswith("Secret") else f" of {user}"
    which = f" {secret}" if secret else ""
    return (
        f"The calico-node on {words.listed(subject.nodes)} cannot read the Secret{which} with the BGP password{whose}."
    )


def _grant(evidence: Evidence, subject: Subject) -> list[str]:
    namespace, account = namespace_of(evidence), account_of(evidence).removeprefix("system:serviceaccount:")
    told, reference = _named(evidence, subject.nodes), _reference(evidence, subject)
    name = reference.name if reference else told.secret
    shown = commands.word(name, "NAME") if name else "NAME"
    namespace = commands.word(told.namespace, "NAMESPACE") if told.namespace else namespace
    account = account.replace("NAMESPACE:", f"{namespace}:")
    problem: Problem | None = subject.about
    lacking = problem is not None and problem.kind in ("secret_missing", "secret_key_missing") and reference
    made = []
    if lacking and reference:
        there = problem is not None and problem.kind == "secret_key_missing"
        made = password_repair.made_by_hand(namespace, reference.name, reference.key, there)
    return [
        f"kubectl get secret -n {namespace}",
        *made,
        f"kubectl auth can-i get secrets -n {namespace} --as=system:serviceaccount:{account}",
        *password_repair.granted_by_hand(namespace, shown, account),
    ]


def _reference(evidence: Evidence, subject: Subject) -> SecretRef | None:
    """The password that the subject's object refers to."""
    cluster = evidence.cluster
    known = password_repair.references(cluster) if cluster else {}
    kind, _slash, name = str(subject.where.get("object", "")).partition("/")
    return known.get(f"{kind} {name}")


def _remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """Where the secret is in another place, may not be read, or the other ends refer to one that is read."""
    reference = _reference(evidence, subject)
    if reference is None:
        return None
    repair = password_repair.find(evidence, password_repair.Wishes(names=(reference.name,)))
    if repair.left or not repair.changes:
        return None
    return Remedy("bgp_password", {"bgp_password_secrets": [reference.name]})


def _severity(evidence: Evidence, subject: Subject) -> str:
    """major where sessions are down or were not seen, minor where they are up all the same."""
    return "major" if subject.sessions or not evidence.nodes else "minor"


BGP_PASSWORD_SECRET_UNREADABLE = Fault(
    id="bgp_password_secret_unreadable",
    family="bgp_config",
    title="Calico cannot read the Secret with the BGP password",
    severity="major",
    role="cause",
    means=(
        "Calico looks for the Secret in one namespace only, and needs a Role of its own to read it, which no manifest "
        "and no operator makes. Without it the sessions are configured without a password, and a peer that has it "
        "drops what comes unsigned."
    ),
    subjects=unreadable_secrets,
    signals=(
        Signal(secret_cannot_be_read, DECISIVE, required=True),
        Signal(calico_says_it_cannot_read, STRONG + MODERATE, required=True),
        Signal(rendered_without_password, WEAK),
        Signal(rendered_with_password, -DECISIVE),
        Signal(may_be_read_by_now, -DECISIVE),
    ),
    summary=_secret_summary,
    severity_rule=_severity,
    fix=Fix(
        action="make_secret_readable",
        text=(
            "Make the Secret, with the key that is referred to, in the namespace where calico-node looks, and allow "
            "calico-node to get, list and watch it. Written with printf %s: a line break at the end breaks bird.cfg. "
            "A peer outside of the cluster must have the password by then, or its session is lost."
        ),
        risk="low",
        disrupts="the sessions that use the password are made anew as each node takes it up",
        commands=_grant,
        remedy=_remedy,
    ),
    verify="The peers in bird.cfg have a password, Calico's warning is gone, and the sessions are Established.",
    prior=0.0,
    lookalikes=(Lookalike("bgp_password_mismatch", "both ends read a password, and these differ"),),
    explains=("bgp_password_mismatch", "undetermined", "tcp179_blocked_network", "hold_timer_expired"),
)

FAULTS = (BGP_PASSWORD_SECRET_UNREADABLE,)
