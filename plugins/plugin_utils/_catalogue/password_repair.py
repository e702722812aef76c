# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a BGP password comes to where calico-node reads it: what a role does by itself, and what only a person can.

Nothing here knows a password. A secret is copied, its reading allowed, or a reference changed to the one that the
other end of the same sessions has; a password that is nowhere, or is in two places, only a person knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._peering import secrets
from .._peering.secrets import Place
from . import commands, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._cluster.model import Cluster, Secret, SecretRef
    from .._evidence.evidence import Evidence
    from .._peering.model import End, Session

    Change = dict[str, Any]

# The file from which a secret is made: so its value is in no command line and in no history.
_FILE = "bgp-password"
_TYPED = f'(umask 077; IFS= read -rs typed && printf %s "$typed" > {_FILE})   # type the password; it is not shown'


class Wishes(NamedTuple):
    """What the caller wants. names: secrets, () all. namespace, account: who shall read them, '' those that do.
    source: the namespace to copy from, '' the one where the secret is. despite_sessions: also where a peer outside of
    the cluster has a session without a password."""

    names: tuple[str, ...] = ()
    namespace: str = ""
    account: str = ""
    source: str = ""
    despite_sessions: bool = False


class Repair(NamedTuple):
    """changes: as object_change takes them. says: what they do. left: what is wrong and a person must mend, a sentence
    each; lines: what to type for that."""

    changes: list[Change]
    says: list[str]
    left: list[str]
    lines: list[str]


class _Wanted(NamedTuple):
    """A secret that must be readable at a place: its keys, each with the objects that refer to it."""

    place: Place
    name: str
    keys: Mapping[str, tuple[str, ...]]

    @property
    def shown(self) -> str:
        return f"{self.place.namespace}/{self.name}"

    @property
    def users(self) -> str:
        return words.listed(sorted({one for objects in self.keys.values() for one in objects}))


def references(cluster: Cluster) -> dict[str, SecretRef]:
    """The references to passwords, by object ("BGPPeer rack-1")."""
    found = {f"BGPConfiguration {name}": one.mesh_password for name, one in cluster.bgp_configurations.items()}
    found.update({f"BGPPeer {one.name}": one.password for one in cluster.bgp_peers})
    return {what: one for what, one in found.items() if one is not None and one.name and one.key}


def find(evidence: Evidence, wishes: Wishes) -> Repair:
    """What is lacking of all that is referred to, and how it is mended."""
    repair = Repair([], [], [], [])
    cluster = evidence.cluster
    if cluster is None:
        return repair
    known = {(one.namespace, one.name): one for one in cluster.secrets}
    signed = {} if wishes.despite_sessions else _unsigned_outside(evidence)
    for wanted in _wanted(cluster, wishes):
        _mend(evidence, wishes, known, signed, wanted, repair)
    return repair


def _wanted(cluster: Cluster, wishes: Wishes) -> Iterator[_Wanted]:
    keys: dict[str, dict[str, tuple[str, ...]]] = {}
    for what, one in sorted(references(cluster).items()):
        if not wishes.names or one.name in wishes.names:
            of = keys.setdefault(one.name, {})
            of[one.key] = (*of.get(one.key, ()), what)
    for place in _places(cluster, wishes):
        for name, found in keys.items():
            yield _Wanted(place, name, found)


def _places(cluster: Cluster, wishes: Wishes) -> list[Place]:
    there = secrets.places(cluster)
    account = wishes.account or next((one.account for one in there), "calico-node")
    if wishes.namespace:
        return [Place(wishes.namespace, account, wishes.namespace)]
    if wishes.account:
        return list(dict.fromkeys(one._replace(account=account) for one in there))
    return there


def _mend(
    evidence: Evidence,
    wishes: Wishes,
    known: Mapping[tuple[str, str], Secret],
    signed: Mapping[str, str],
    wanted: _Wanted,
    repair: Repair,
) -> None:
    """Add what one secret needs at one place."""
    secret = known.get((wanted.place.namespace, wanted.name))
    lacking, unknown = _lacking(wanted, secret, wishes)
    if unknown:
        repair.says.append(unknown)
    forbidden = secret is None or secret.readable is False
    if not lacking and (not forbidden or unknown):
        return
    kept = next((signed[what] for objects in wanted.keys.values() for what in objects if what in signed), "")
    if kept:
        repair.left.append(f"The secret {wanted.shown} is not made readable: {kept}")
        return
    if lacking and not _bring(evidence, wishes, known, wanted, lacking, repair):
        return
    if forbidden:
        _allow(wanted, repair)


def _lacking(wanted: _Wanted, secret: Secret | None, wishes: Wishes) -> tuple[list[str], str]:
    """The keys that are to be brought there; and what is said where nobody knows."""
    every = sorted(wanted.keys)
    if secret is None:
        # A place of the caller's own was not looked at: what is there already is not changed.
        return (every, "") if wishes.namespace else ([], f"Nothing is known of the secret {wanted.shown}.")
    if secret.exists is False:
        return every, ""
    if secret.exists is None:
        if wishes.source:
            return every, ""
        if secret.readable is False:
            return [], ""
        return [], f"Whether the secret {wanted.shown} exists is not known: {secret.why or 'it was not asked'}."
    return [key for key in every if secret.keys and key not in secret.keys], ""


def _bring(
    evidence: Evidence,
    wishes: Wishes,
    known: Mapping[tuple[str, str], Secret],
    wanted: _Wanted,
    lacking: list[str],
    repair: Repair,
) -> bool:
    """Add the copying of keys. Returns whether the secret will have them all."""
    own = wanted.place.namespace
    told = [
        space
        for (space, name), one in sorted(known.items())
        if name == wanted.name and space != own and one.exists and set(lacking) <= set(one.keys)
    ]
    sources = [wishes.source] if wishes.source and wishes.source != own else told
    if len(sources) == 1:
        source = {"namespace": sources[0], "name": wanted.name}
        target = {"namespace": own, "name": wanted.name}
        repair.changes.append({"action": "copy_secret", "from": source, "to": target, "keys": lacking})
        repair.says.append(f"{_keys(lacking)} of the secret {sources[0]}/{wanted.name} copied to {wanted.shown}")
        return True
    if len(sources) > 1:
        repair.left.append(
            f"The secret {wanted.name}, which {wanted.shown} lacks, is in {' and in '.join(sources)}, and which of "
            "them has the right password is not known; choose with bgp_password_from."
        )
        return False
    secret = known.get((own, wanted.name))
    there = secret is not None and bool(secret.exists)
    for key in lacking:
        if not all(_referred(evidence, what, repair) for what in wanted.keys[key]):
            what = f'has no key "{key}"' if there else "does not exist"
            repair.left.append(
                f"The secret {wanted.shown} {what}, {words.listed(wanted.keys[key])} "
                f"refers to it, and the password is nowhere else to be had: make it."
            )
            repair.lines.extend(one for one in made_by_hand(own, wanted.name, key, there) if one not in repair.lines)
    return False


def _keys(names: list[str]) -> str:
    return f"{'key' if len(names) == 1 else 'keys'} {', '.join(names)}"


def _allow(wanted: _Wanted, repair: Repair) -> None:
    place = wanted.place
    if place.account_namespace != place.namespace:
        repair.left.append(
            f"The service account {place.account} is in {place.account_namespace} and reads {wanted.shown}, where it "
            "may not."
        )
        repair.lines.extend(granted_by_hand(place.namespace, wanted.name, f"{place.account_namespace}:{place.account}"))
        return
    repair.changes.append(
        {
            "action": "allow_secret",
            "namespace": place.namespace,
            "name": wanted.name,
            "service_account": place.account,
        }
    )
    repair.says.append(f"{place.account} in {place.namespace} allowed to get, list and watch the secret {wanted.shown}")


def _referred(evidence: Evidence, what: str, repair: Repair) -> bool:
    """Let an object refer to the password that the other ends of all its sessions have; False where there is none."""
    cluster = evidence.cluster
    kind, _space, name = what.partition(" ")
    now = references(cluster).get(what) if cluster else None
    better = _of_the_other_ends(evidence, name) if kind == "BGPPeer" else None
    if now is None or better is None or better == now:
        return False
    change = {
        "action": "patch",
        "kind": kind,
        "name": name,
        "patch": {"spec": {"password": {"secretKeyRef": {"name": better.name, "key": better.key}}}},
        "expect": {"spec": {"password": {"secretKeyRef": {"name": now.name, "key": now.key}}}},
    }
    if change not in repair.changes:
        repair.changes.append(change)
        repair.says.append(
            f"{what} refers to key {better.key} of {better.name}, as the other ends of its sessions do, in place of "
            f"key {now.key} of {now.name}, which is not there"
        )
    return True


def _of_the_other_ends(evidence: Evidence, bgp_peer: str) -> SecretRef | None:
    """The one password, which calico-node reads, that all far ends of a BGPPeer's sessions refer to."""
    plan = evidence.expected
    found: set[SecretRef | None] = set()
    for session in plan.sessions(mesh=False) if plan else ():
        for end, other in _ends(session):
            if any(one.bgp_peer == bgp_peer for one in end.stanzas[:1]):
                first = other.stanzas[0] if other.stanzas else None
                told = first.password if first is not None and first.bgp_peer != bgp_peer else None
                found.add(told.secret if told is not None and told.readable else None)
    return found.pop() if len(found) == 1 else None


def _ends(session: Session) -> tuple[tuple[End, End], tuple[End, End]]:
    return (session.near, session.far), (session.far, session.near)


def _unsigned_outside(evidence: Evidence) -> dict[str, str]:
    """By BGPPeer why its password must not be taken up: a peer that is no node has a session without one."""
    plan = evidence.expected
    hosts = {one.record: one.node for one in evidence.registered if one.node is not None}
    found: dict[str, str] = {}
    for session in plan.sessions(mesh=False) if plan else ():
        near, far = session.near, session.far
        node = hosts.get(near.node)
        daemon = node.daemons.get(session.family) if node is not None else None
        if far.node or daemon is None or far.address not in daemon.established or not near.stanzas:
            continue
        config = daemon.config
        if config.passwords == "all" or (config.passwords == "some" and far.address in config.with_password):
            continue
        found.setdefault(
            f"BGPPeer {near.stanzas[0].bgp_peer}",
            f"{far.address} has a session with {near.node} without a password, which it would lose. Give {far.address} "
            "the password first, or set bgp_password_despite_sessions=true.",
        )
    return found


# --- by hand -----------------------------------------------------------------------------------------------------


def made_by_hand(namespace: str, name: str, key: str, there: bool) -> list[str]:
    """Make a secret, or give one that is there a key, from a file; other keys of it stay."""
    space, secret, field = (
        commands.word(namespace, "NAMESPACE"),
        commands.word(name, "SECRET"),
        commands.word(key, "KEY"),
    )
    make = f"kubectl create secret generic {secret} -n {space} --from-file={field}={_FILE} --dry-run=client -o yaml"
    into = f"kubectl patch secret {secret} -n {space} --type merge --patch-file /dev/stdin"
    return [_TYPED, f"{make} | {into if there else 'kubectl apply -f -'}", f"shred -u {_FILE}"]


def granted_by_hand(namespace: str, name: str, account: str, role: str = "calico-bgp-password") -> list[str]:
    """Let a service account ("namespace:name") read a secret."""
    space, secret = commands.word(namespace, "NAMESPACE"), commands.word(name, "NAME")
    return [
        f"kubectl create role {role} -n {space} --verb=get,list,watch --resource=secrets --resource-name={secret}",
        f"kubectl create rolebinding {role} -n {space} --role={role} --serviceaccount={account}",
    ]
