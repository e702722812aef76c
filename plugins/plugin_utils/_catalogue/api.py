# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What faults decided by the API's objects share: objects as places, commands that change them, the plan's problems."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from .._cluster import effective, owners
from . import commands, owner_lines
from .model import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .._cluster.model import Cluster, Workload
    from .._evidence.evidence import Evidence
    from .._evidence.registered import Registered
    from .._evidence.sessions import Session
    from .._peering.model import Problem

ANNOTATION = 'metadata.annotations["projectcalico.org/{}"]'
ADDRESS_KEYS = {"ipv4": "IPv4Address", "ipv6": "IPv6Address"}
DETECTION = {"ipv4": "nodeAddressAutodetectionV4", "ipv6": "nodeAddressAutodetectionV6"}
DETECTION_VARIABLE = {"ipv4": "IP_AUTODETECTION_METHOD", "ipv6": "IP6_AUTODETECTION_METHOD"}
_DETECTIONS = ("firstFound", "kubernetes", "interface", "skipInterface", "canReach", "cidrs")
# Where an object is, as kubectl wants it told.
_FOUND = "'jsonpath=-n {.items[0].metadata.namespace} daemonset/{.items[0].metadata.name}'"
_KINDS = {
    "BGPPeer": "bgppeers",
    "BGPConfiguration": "bgpconfigurations",
    "FelixConfiguration": "felixconfigurations",
    "GlobalNetworkPolicy": "globalnetworkpolicies",
    "HostEndpoint": "hostendpoints",
    "IPPool": "ippools",
}


def where(what: str, field: str = "", **more: Any) -> dict[str, Any]:
    """A place in an object: "BGPPeer rack-1" and "spec.peerIP" as a finding's where."""
    return {"object": spot(what), **({"field": field} if field else {}), **more}


def spot(what: str) -> str:
    """An object as kind and name, "BGPPeer/rack-1", of how a sentence calls it, "BGPPeer rack-1"."""
    kind, _space, name = what.partition(" ")
    return f"{'Node' if kind == 'node' else kind}/{name}" if name else kind


def seen(what: str, field: str, detail: str, node: str = "") -> Seen:
    """An observation made in an object."""
    return Seen(node, spot(what), detail, field)


def annotation(family: str) -> str:
    """The field of a Node that holds its address of a family."""
    return ANNOTATION.format(ADDRESS_KEYS[family])


def problems(evidence: Evidence, *kinds: str) -> list[Problem]:
    """The problems of these kinds that the plan of sessions has."""
    found = evidence.expected.problems if evidence.expected else ()
    return [one for one in found if one.kind in kinds]


def names(evidence: Evidence, records: Iterable[str]) -> tuple[str, ...]:
    """What the inventory calls nodes on record."""
    known = {one.record: one.name for one in evidence.registered}
    return tuple(known.get(record, record) for record in records)


def record_of(evidence: Evidence, name: str) -> Registered | None:
    """What is on record of a node that the inventory calls so."""
    by_name = evidence.once("records_by_name", lambda: {one.name: one for one in reversed(evidence.registered)})
    return by_name.get(name)


def read(cluster: Cluster | None, kind: str) -> bool:
    """Objects of this kind were asked for, so that there being none means something."""
    return cluster is not None and cluster.reached and cluster.read(kind)


def sessions_with(evidence: Evidence, addresses: Iterable[str]) -> tuple[Session, ...]:
    """The sessions in trouble that have one of these addresses at an end."""
    found: dict[int, Session] = {}
    for address in addresses:
        found.update(evidence.sessions_by_address.get(address, {}))
    return tuple(found[number] for number in sorted(found))


def sessions_between(evidence: Evidence, nodes: Iterable[str]) -> tuple[Session, ...]:
    """The sessions in trouble of which both ends are among these nodes."""
    wanted = set(nodes)
    return tuple(session for session in evidence.table.down if set(evidence.labels(session)) <= wanted)


# --- commands ---


def resource(cluster: Cluster | None, kind: str) -> str:
    """What kubectl calls a kind of Calico's objects here."""
    group = (
        "projectcalico.org" if cluster and cluster.group.startswith("projectcalico.org") else "crd.projectcalico.org"
    )
    return f"{_KINDS[kind]}.{group}"


def show(evidence: Evidence, kind: str, name: str = "") -> str:
    """Show an object, or all of its kind."""
    named = f" {commands.word(name, 'NAME')}" if name else ""
    return f"kubectl get {resource(evidence.cluster, kind)}{named} -o yaml"


def patch(evidence: Evidence, kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """Change fields of an object's spec; None takes one away."""
    written = shlex.quote(json.dumps({"spec": spec}))
    target = f"{resource(evidence.cluster, kind)} {commands.word(name, 'NAME')}"
    return f"kubectl patch {target} --type merge -p {written}"


def agent(evidence: Evidence) -> Workload | None:
    """The DaemonSet that runs calico-node."""
    return effective.agent(evidence.cluster) if evidence.cluster else None


def daemonset(evidence: Evidence) -> str:
    """The words by which kubectl finds the DaemonSet of calico-node; a search for it where nobody told it."""
    found = agent(evidence)
    if found is not None and found.namespace:
        return f"-n {commands.word(found.namespace, 'NAMESPACE')} daemonset/{commands.word(found.name, 'DAEMONSET')}"
    return f"$(kubectl get daemonset -A -l 'k8s-app in (calico-node,canal)' -o {_FOUND})"


def set_variables(evidence: Evidence, values: Mapping[str, str]) -> str:
    """Set variables of calico-node; one that is '' is taken away. A DaemonSet that nobody told is looked for."""
    where = daemonset(evidence)
    words = " ".join(shlex.quote(f"{key}={value}") if value else f"{key}-" for key, value in values.items())
    return f"kubectl set env {where} -c calico-node {words}"


def at_owner(
    evidence: Evidence,
    setting: str,
    plain: list[str],
    installation: Mapping[str, Any] | None = None,
    value: str = "",
) -> list[str]:
    """The commands that change a setting for good: plain ones, and what an installer must be told besides.

    installation: what the operator's Installation must say of it, below spec. value: the setting's, in words.
    """
    owner = owners.owner_of(evidence.cluster, setting) if evidence.cluster else None
    if owner is None or owner.kind == owners.UNKNOWN:
        return owner_lines.where_unknown(plain, installation) if installation else plain
    if owner.kind in (owners.DAEMON_SET, owners.CONFIG_MAP, *_KINDS):
        return plain
    return owner_lines.lines(owner, plain, installation, value)


def set_detection(evidence: Evidence, family: str, method: str) -> list[str]:
    """Have Calico find node addresses by another method, at the owner of the setting."""
    chosen = detection_field(method)
    plain = [set_variables(evidence, {DETECTION_VARIABLE[family]: method})]
    return at_owner(
        evidence, f"autodetection_{family}", plain, {"calicoNetwork": {DETECTION[family]: chosen}}, f'"{method}"'
    )


def detection_field(method: str) -> dict[str, Any]:
    """A method as a merge patch of the Installation's field: exactly one may be left in it."""
    return {**dict.fromkeys(_DETECTIONS), **_as_field(method)}


def _as_field(method: str) -> dict[str, Any]:
    """A method as the Installation spells it."""
    kind, _equals, value = method.partition("=")
    if kind == "kubernetes-internal-ip":
        return {"kubernetes": "NodeInternalIP"}
    if kind == "cidr":
        return {"cidrs": value.split(",")}
    fields = {"interface": "interface", "skip-interface": "skipInterface", "can-reach": "canReach"}
    return {fields[kind]: value} if kind in fields else {"firstFound": True}
