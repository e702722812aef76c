# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which modes pools are given, and whether network, filters and sizes of packets are ready for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ...module_utils._address.releases import parse_version
from .._catalogue import fix_lines, host_words, mtu_values, path_sizes, pool_modes, words
from .._catalogue.encapsulation_needed import is_needed
from .._catalogue.pools import ALWAYS, CROSS, NEVER, Pool
from .._cluster import effective, owners
from . import api_facts, at_owner
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._cluster.model import IPPool
    from .._evidence.evidence import Evidence
    from .model import Given

MODES = (NEVER, CROSS, ALWAYS)
_VXLAN_FOR_IPV6 = (3, 23, 0)
_TITLE = {pool_modes.IPIP: "IPIP (IP protocol 4)", pool_modes.VXLAN: "VXLAN (UDP 4789)"}
_PORTS = ("", "4789")


class Wanted(NamedTuple):
    """A pool and the modes that it is to have."""

    pool: IPPool
    ipip: str
    vxlan: str

    @property
    def kind(self) -> str:
        """What is to carry its packets, '' nothing."""
        if self.ipip == self.vxlan == NEVER:
            return ""
        return pool_modes.VXLAN if self.vxlan != NEVER else pool_modes.IPIP

    @property
    def fields(self) -> dict[str, str]:
        """The fields that differ, with their new values."""
        wanted = {"ipipMode": (self.pool.ipip, self.ipip), "vxlanMode": (self.pool.vxlan, self.vxlan)}
        return {name: new for name, (old, new) in wanted.items() if old != new}


def changes(given: Given) -> Decision:
    """The pools' modes, one stage for each pool.

    Options: pool (its name, '' all that need it), ipip and vxlan (modes, '' both: chosen; '' one: Never). `more` has
    stages, the changes of one pool after the other, and ask: the API is to be asked first.
    """
    why = api_facts.missing(given, "nodes", "ippools", "felixconfigurations")
    if why:
        return Decision(refused=why, more={"ask": True, "stages": []})
    decision = _asked(given)
    return decision._replace(more={"ask": False, "stages": [], **decision.more})


def _asked(given: Given) -> Decision:
    name = str(given.options.get("pool") or "")
    modes = [str(given.options.get(one) or "") for one in ("ipip", "vxlan")]
    odd = [one for one in modes if one not in ("", *MODES)]
    if odd:
        return refuse(f"{odd[0]!r} is no mode of a pool; there are {', '.join(MODES)}")
    pools = _pools(given.evidence)
    if name and name not in {one.name for one in pools}:
        known = words.listed(one.name for one in pools)
        return refuse(f"there is no pool {name} from which pods get addresses; there are: {known}")
    wanted = [_wanted(given.evidence, one, *modes) for one in pools if name in ("", one.name)]
    return _decide(given, [one for one in wanted if one.fields])


def _pools(evidence: Evidence) -> list[IPPool]:
    cluster = evidence.cluster
    found = cluster.pools if cluster is not None else ()
    return [one for one in found if not one.disabled and one.allowed_uses != ("LoadBalancer",)]


def _wanted(evidence: Evidence, pool: IPPool, ipip: str, vxlan: str) -> Wanted:
    if ipip or vxlan:
        return Wanted(pool, ipip or NEVER, vxlan or NEVER)
    seen = Pool(f"IPPool {pool.name}", "spec", pool.cidr, pool.ipip, pool.vxlan)
    if not is_needed(evidence, seen):
        return Wanted(pool, pool.ipip, pool.vxlan)
    return Wanted(pool, *pool_modes.better(evidence, seen))


def _decide(given: Given, wanted: list[Wanted]) -> Decision:
    if not wanted:
        return Decision(says=["The pools have the modes that they need."])
    evidence = given.evidence
    for one in wanted:
        why = next(filter(None, (check(evidence, one) for check in _CHECKS)), "")
        if why:
            return refuse(f"IPPool {one.pool.name} is not changed: {why}")
    stages: list[list[dict[str, Any]]] = []
    says: list[str] = []
    for one in wanted:
        made = _change(evidence, one)
        if isinstance(made, Decision):
            return made
        stages.append([made])
        says += [_told(one), *_notes(evidence, one)]
    return Decision(
        [change for stage in stages for change in stage], list(dict.fromkeys(says)), more={"stages": stages}
    )


def _told(one: Wanted) -> str:
    was = {"ipipMode": one.pool.ipip, "vxlanMode": one.pool.vxlan}
    told = ", ".join(f"{name} {was[name]} -> {new}" for name, new in one.fields.items())
    return f"IPPool {one.pool.name}: {told}"


# --- what must be so before ---


def _is_valid(evidence: Evidence, one: Wanted) -> str:
    if NEVER not in (one.ipip, one.vxlan):
        return "a pool uses IPIP or VXLAN, not both"
    if ":" in one.pool.cidr and one.ipip != NEVER:
        return "IPIP carries no IPv6; a pool of IPv6 uses VXLAN"
    release = parse_version(host_words.release_of(evidence, None))
    if ":" in one.pool.cidr and one.vxlan != NEVER and (release is None or release < _VXLAN_FOR_IPV6):
        return "VXLAN carries IPv6 from Calico 3.23 on, and this is not known to be one"
    if one.ipip != NEVER and not evidence.uses_bgp:
        return "with IPIP it is BIRD that makes the routes, and BIRD is not known to run here; use VXLAN"
    cluster = evidence.cluster
    field = {"": "", pool_modes.IPIP: "ipipEnabled", pool_modes.VXLAN: "vxlanEnabled"}[one.kind]
    if field and cluster is not None and effective.felix(cluster, field).value == "false":
        return f"Felix' configuration says {field}: false, so that it makes no such tunnel"
    return ""


def _fits_the_network(evidence: Evidence, one: Wanted) -> str:
    if pool_modes.on_azure(evidence) and one.kind != pool_modes.VXLAN:
        return "Azure drops IPIP, and packets of pods' own addresses; use VXLAN, always"
    mode = one.vxlan if one.kind == pool_modes.VXLAN else one.ipip
    if mode != ALWAYS and not pool_modes.carried_within(evidence):
        return "the cloud drops packets of pods' own addresses even within a subnet; use Always"
    bare = Pool(f"IPPool {one.pool.name}", "spec", one.pool.cidr, NEVER, NEVER)
    if mode == NEVER and is_needed(evidence, bare):
        return "the nodes are in several subnets, and nothing tells that the network between them knows pods' addresses"
    misled = pool_modes.masks_that_mislead(evidence)
    if mode == CROSS and misled:
        return (
            f"{words.listed(misled)} are registered with a prefix in which nodes of other subnets are, so that "
            "CrossSubnet takes these for neighbours; use Always, or register them with the right prefix"
        )
    return ""


def _everybody_was_read(evidence: Evidence, one: Wanted) -> str:
    why = at_owner.unread(evidence) if one.kind else ""
    return f"{why}, so that it is not known whether it lets {_TITLE[one.kind]} pass" if why else ""


def _filters_are_open(evidence: Evidence, one: Wanted) -> str:
    if not one.kind:
        return ""
    closed = pool_modes.stopped(evidence, one.kind)
    for name, block in closed:
        place = f" ({words.rule_and_owner(block.rule)})" if block.rule is not None else ""
        way = "to" if block.direction == "outbound" else "from"
        return (
            f"{name} {block.verdict}s {_TITLE[one.kind]} {way} other nodes{place}; open it first, with the role "
            f"bgp_firewall and bgp_firewall_flows: [{one.kind}]"
        )
    blind = [node.name for node in evidence.nodes.values() if not node.packets.evaluated]
    if blind:
        return f"the filters of {words.listed(blind)} could not be read: it is not known whether they let it pass"
    return ""


def _sizes_fit(evidence: Evidence, one: Wanted) -> str:
    if not one.kind:
        return ""
    first = f"set it right first, with the role mtu and mtu_encapsulation: {one.kind}"
    room = path_sizes.carried(evidence)
    more = path_sizes.overhead(evidence, [one.kind])
    for value in mtu_values.by_hand(evidence):
        on = f" of {value.node}" if value.node else ""
        if room.size is not None and (value.number is None or value.number + more > room.size):
            return (
                f"{value.place}{on} sets {value.what} to {value.text}, and with {more} bytes of encapsulation that is "
                f"more than the {room.size} bytes carried {room.where}; {first}"
            )
    if any(mtu_values.by_hand(evidence, nodes=False)):
        return ""
    for node in evidence.nodes.values():
        if room.size is not None and node.sizes.host and node.sizes.host > room.size:
            return (
                f"Felix would go by {node.sizes.interface} of {node.name} ({node.sizes.host} bytes), and only "
                f"{room.size} bytes are carried {room.where}; {first}"
            )
    return ""


_CHECKS: tuple[Callable[[Evidence, Wanted], str], ...] = (
    _is_valid,
    _fits_the_network,
    _everybody_was_read,
    _filters_are_open,
    _sizes_fit,
)


def _notes(evidence: Evidence, one: Wanted) -> list[str]:
    """What a person should know, but nothing that stands in the way."""
    if not one.kind:
        return []
    notes = ["Felix restarts once on every node, as it does when an encapsulation comes or goes."]
    cluster = evidence.cluster
    port = effective.felix(cluster, "vxlanPort").value if cluster is not None else ""
    if one.kind == pool_modes.VXLAN and port not in _PORTS:
        notes.append(f"VXLAN uses UDP {port} here; whether the nodes' filters let that pass was not looked at.")
    room = path_sizes.carried(evidence)
    if room.size is None:
        return [*notes, f"How large packets may be is not known: {room.where}."]
    return [*notes, *path_sizes.keeping(evidence, room.size - path_sizes.overhead(evidence, [one.kind]))]


# --- where it is changed ---


def _change(evidence: Evidence, one: Wanted) -> dict[str, Any] | Decision:
    cluster = evidence.cluster
    if cluster is None:
        return refuse(at_owner.unread(evidence))
    owner = owners.owner_of(cluster, f"pool/{one.pool.name}")
    lines = fix_lines.pool_changes(evidence, one.ipip, one.vxlan, (one.pool.name,))
    elsewhere = at_owner.foreign(owner, f"IPPool {one.pool.name}", lines)
    if elsewhere is not None:
        return elsewhere
    if owner.kind != owners.INSTALLATION:
        was = {"ipipMode": one.pool.ipip, "vxlanMode": one.pool.vxlan}
        # Never is what a pool has that says nothing.
        known = {name: [mode, None] if mode == NEVER else [mode] for name, mode in was.items()}
        return at_owner.of_calico("IPPool", one.pool.name, one.fields, known)
    if at_owner.overlaid(cluster, "calicoNetwork", "ipPools"):
        return Decision(says=lines, refused="a second Installation (overlay) sets the pools; change it there")
    return _in_installation(evidence, one, lines)


def _in_installation(evidence: Evidence, one: Wanted, lines: list[str]) -> dict[str, Any] | Decision:
    cluster = evidence.cluster
    found = effective.installation(cluster) if cluster is not None else None
    network = found.spec.get("calicoNetwork") if found is not None else None
    told = network.get("ipPools") if isinstance(network, dict) else None
    wanted = fix_lines.encapsulation_word(one.ipip, one.vxlan)
    same = [each for each in told or () if isinstance(each, dict) and each.get("cidr") == one.pool.cidr]
    if cluster is None or not same:
        why = f"the Installation does not name the pool {one.pool.cidr}, so that nothing in it can be changed"
        return Decision(says=lines, refused=why)
    path = ["spec", "calicoNetwork", "ipPools", {"cidr": one.pool.cidr}, "encapsulation"]
    return at_owner.installation(cluster, set=[{"path": path, "value": wanted, "was": [same[0].get("encapsulation")]}])
