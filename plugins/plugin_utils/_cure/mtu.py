# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which MTU pods and tunnels are to have, by what the ways between the nodes were measured to carry; and where it is
set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._catalogue import api, mtu_values, packet_signals, path_sizes, words
from .._cluster import effective, owners
from .._evidence import plain
from . import api_facts, at_owner, rollout
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._catalogue.mtu_values import Value
    from .._cluster.model import Cluster
    from .._evidence.evidence import Evidence
    from .model import Given

    Change = dict[str, Any]

_FIELDS = {path_sizes.IPIP: "ipipMTU", path_sizes.VXLAN: "vxlanMTU", path_sizes.WIREGUARD: "wireguardMTU"}
_VARIABLES = ("FELIX_IPINIPMTU", "FELIX_VXLANMTU", "FELIX_WIREGUARDMTU", "CNI_MTU")
# What Felix takes where no interface has a name that it looks for.
_WITHOUT_INTERFACE = 1460
_VETH = "veth_mtu"


class Right(NamedTuple):
    """What is right here: what every way carries, where the narrowest is, what the encapsulation adds, the kinds of it,
    and the MTU that is to be set, 0 if Felix finds the right one itself."""

    room: int
    where: str
    overhead: int
    kinds: tuple[str, ...]
    wanted: int

    @property
    def pods(self) -> int:
        """The largest MTU that pods may have."""
        return self.room - self.overhead


def changes(given: Given) -> Decision:
    """The MTU at its owner.

    Options: value (0 or '' computed), encapsulation ('' the one in use). seen and expected: only say what is still
    to come (`waits`), by what the API told since. `more` has pods (the MTU that is right for them), gate (how
    many seconds it may take), expected (what there is to wait for), ask and waits.
    """
    now = rollout.seen(given)
    if now is not None:
        generation = plain.count(plain.mapping(given.options.get("expected")).get("generation"))
        return Decision(more={"waits": list(rollout.waits(now, given.evidence.cluster, generation))})
    why = api_facts.missing(given, "nodes", "daemonsets", "ippools", "felixconfigurations", "configmaps")
    if why:
        return Decision(refused=why, more={"ask": True, "pods": 0})
    right = _right(given)
    if isinstance(right, str):
        return Decision(refused=right, more={"ask": False, "pods": 0})
    decision = _decide(given, right)
    cluster = given.evidence.cluster
    by_operator = any(one["kind"] == owners.INSTALLATION for one in decision.changes)
    expected = {"generation": rollout.after(cluster, by_operator=by_operator) if cluster is not None else 0}
    more = {"ask": False, "pods": right.wanted or right.pods, "gate": rollout.seconds(cluster), "expected": expected}
    return decision._replace(more=more)


def _right(given: Given) -> Right | str:
    evidence = given.evidence
    why = at_owner.unread(evidence)
    if why:
        return f"{why}, so that it is not known what the ways from there carry"
    room = path_sizes.carried(evidence)
    if room.size is None:
        return f"what the network carries is not known: {room.where}"
    asked = str(given.options.get("encapsulation") or "")
    if asked and asked not in path_sizes.OVERHEAD:
        return f"{asked!r} is no encapsulation; there are {', '.join(path_sizes.OVERHEAD)}"
    kinds = (asked,) if asked else tuple(sorted(packet_signals.encapsulations(evidence)))
    if not kinds:
        return "it is not known which encapsulation is in use; say it in mtu_encapsulation"
    more = path_sizes.overhead(evidence, kinds)
    least = _least(evidence)
    if room.size - more < least:
        return (
            f"{room.size} bytes are carried {room.where}; less {more} bytes of encapsulation that is less than the "
            f"{least} bytes that IP needs: the network has to be put right"
        )
    wish = _number(given.options.get("value"))
    if wish and not least <= wish <= room.size - more:
        return (
            f"an MTU of {wish} does not fit: {least} to {room.size - more} bytes do ({room.size} carried {room.where})"
        )
    by_felix = all((node.sizes.host or _WITHOUT_INTERFACE) <= room.size for node in evidence.nodes.values())
    return Right(room.size, room.where, more, kinds, wish or (0 if by_felix else room.size - more))


def _least(evidence: Evidence) -> int:
    pools = evidence.cluster.pools if evidence.cluster is not None else ()
    return mtu_values.LEAST_IPV6 if any(":" in pool.cidr for pool in pools) else mtu_values.LEAST


def _number(value: object) -> int:
    text = str(value or 0)
    if not text.isascii() or not text.isdigit() or len(text) > len(str(mtu_values.MOST)):
        raise ValueError(f"mtu_value is a number of bytes, not {value!r}")
    return int(text)


def _decide(given: Given, right: Right) -> Decision:
    cluster = given.evidence.cluster
    if cluster is None:
        return refuse("the API was not asked")
    wish = bool(_number(given.options.get("value")))
    known = list(mtu_values.by_hand(given.evidence, nodes=False))
    odd = [one for one in known if _is_odd(given.evidence, right, one) or (wish and _wanted(right, one) != one.number)]
    made: list[Change] = []
    says: list[str] = []
    for one in odd:
        found = _of_value(given.evidence, cluster, right, one)
        if isinstance(found, Decision):
            return found
        made += found
        says.append(f"{one.place}: {one.what} {one.text} -> {_told(_wanted(right, one))}")
    if not known and right.wanted:
        found = _at_owner(given.evidence, cluster, right)
        if isinstance(found, Decision):
            return found
        made += found
        says.append(f"MTU of pods and tunnels: Felix' own choice -> {right.wanted}")
    if made:
        says.append(f"{right.room} bytes are carried {right.where}, of which encapsulation takes {right.overhead}.")
    else:
        says.append(f"The MTU that is set for all nodes fits: {right.room} bytes are carried {right.where}.")
    unique = [one for number, one in enumerate(made) if one not in made[:number]]
    return Decision(unique, [*says, *_notes(given.evidence, right, cluster, restarts=bool(made))])


def _told(value: int) -> str:
    return str(value) if value else "Felix' own choice"


def _overhead(right: Right, one: Value) -> int:
    """What is added to packets of this size: a tunnel's own overhead, else that of all that is in use."""
    return one.overhead or right.overhead


def _is_odd(evidence: Evidence, right: Right, one: Value) -> bool:
    number = one.number
    return number is None or number < _least(evidence) or number + _overhead(right, one) > right.room


def _wanted(right: Right, one: Value) -> int:
    """The value for one place: 0 where Felix is to choose."""
    if not right.wanted:
        return 0
    return min(right.wanted + right.overhead, right.room) - _overhead(right, one)


def _notes(evidence: Evidence, right: Right, cluster: Cluster, *, restarts: bool) -> Iterator[str]:
    agent = effective.agent(cluster)
    if restarts and agent is not None and agent.strategy == rollout.ON_DELETE:
        yield "The DaemonSet replaces pods only when they are deleted: restart them (role rolling_restart)."
    elif restarts:
        yield "calico-node, or Felix in it, is restarted on every node; tunnels change at once."
    for node in evidence.nodes.values():
        for one in mtu_values.of_node(node):
            if one.place.startswith("/") and one.number and _is_odd(evidence, right, one):
                yield (
                    f"{node.name}: {one.place} sets {one.text} for new pods; calico-node writes it anew when it starts "
                    "(role rolling_restart)"
                )
    yield from path_sizes.keeping(evidence, right.wanted or right.pods)


# --- where it is set ---


def _elsewhere(evidence: Evidence, owner: owners.Owner, value: int) -> Decision | None:
    field = {"calicoNetwork": {"mtu": value or None}}
    lines = api.at_owner(evidence, "mtu", [], field, str(value))
    return at_owner.foreign(owner, "the MTU", lines)


def _of_value(evidence: Evidence, cluster: Cluster, right: Right, one: Value) -> list[Change] | Decision:
    kind = one.place.partition(" ")[0]
    field, value = one.what.rpartition(".")[2], _wanted(right, one)
    owner = owners.owner_of(cluster, f"felix/{field}" if kind == "FelixConfiguration" else "mtu")
    elsewhere = _elsewhere(evidence, owner, value)
    if elsewhere is not None:
        return elsewhere
    if kind == "FelixConfiguration":
        found = cluster.felix_configurations.get("default")
        was = found.spec.get(field) if found is not None else None
        return [at_owner.of_calico(kind, "default", {field: value or None}, {field: [was]})]
    if kind == owners.CONFIG_MAP:
        return _in_config_map(cluster, owner, one.place.partition(" ")[2], value)
    if kind == owners.INSTALLATION:
        return _in_installation(cluster, value)
    return _in_daemon_set(cluster, value)


def _at_owner(evidence: Evidence, cluster: Cluster, right: Right) -> list[Change] | Decision:
    """Set what nobody has set so far."""
    owner = owners.owner_of(cluster, "mtu")
    elsewhere = _elsewhere(evidence, owner, right.wanted)
    if elsewhere is not None:
        return elsewhere
    if owner.kind == owners.INSTALLATION:
        return _in_installation(cluster, right.wanted)
    if owner.kind == owners.CONFIG_MAP:
        return _in_config_map(cluster, owner, owner.name, right.wanted)
    if owner.kind == owners.DAEMON_SET:
        return _in_daemon_set(cluster, right.wanted)
    fields = [_FIELDS[kind] for kind in right.kinds if kind in _FIELDS]
    if not fields:
        return refuse(
            "without encapsulation it is the CNI plugin's configuration that sets pods' MTU, and nothing in the API "
            f"leads there: set mtu: {right.wanted} in /etc/cni/net.d on every node, or widen the way {right.where}"
        )
    sizes = {
        _FIELDS[kind]: right.wanted + right.overhead - path_sizes.OVERHEAD[kind][0]
        for kind in right.kinds
        if kind in _FIELDS
    }
    return [at_owner.of_calico("FelixConfiguration", "default", sizes, {field: [None, 0] for field in fields})]


def _in_config_map(cluster: Cluster, owner: owners.Owner, name: str, value: int) -> list[Change]:
    key = owner.path.removeprefix("data.") if owner.kind == owners.CONFIG_MAP and owner.name == name else _VETH
    found = effective.config_map(cluster, name, owner.namespace if owner.kind == owners.CONFIG_MAP else "")
    space = found.namespace if found is not None else owner.namespace
    place = owners.Owner(owners.CONFIG_MAP, name, key, "", namespace=space)
    was = found.data.get(key) if found is not None else None
    change = at_owner.config_map(place, key, str(value), was)
    return [change, *filter(None, [at_owner.rolled(cluster, "mtu", str(value)) if key == _VETH else None])]


def _in_installation(cluster: Cluster, value: int) -> list[Change] | Decision:
    if at_owner.overlaid(cluster, "calicoNetwork", "mtu"):
        return refuse("a second Installation (overlay) sets the MTU; change it there")
    return [at_owner.installation(cluster, patch={"spec": {"calicoNetwork": {"mtu": value or None}}})]


def _in_daemon_set(cluster: Cluster, value: int) -> list[Change] | Decision:
    """Every variable of calico-node and of the CNI plugin's installer that sets one."""
    agent = effective.agent(cluster)
    made: list[Change] = []
    for container in agent.containers if agent is not None else ():
        place = [
            "spec",
            "template",
            "spec",
            "initContainers" if container.init else "containers",
            {"name": container.name},
        ]
        for name in _VARIABLES:
            if name in container.env:
                path = [*place, "env", {"name": name}, "value"]
                made.append({"path": path, "value": str(value), "was": [container.env[name]]})
    change = at_owner.daemon_set(cluster, made) if made else None
    if change is None:
        return refuse(f"{words.listed(_VARIABLES)} are not in the DaemonSet, where they were to be")
    return [change]
