# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of settings where they are kept: in objects of the API, or in words, where an installer would undo them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._cluster import effective, owners
from .model import Decision, refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._cluster.model import Cluster
    from .._cluster.owners import Owner
    from .._evidence.evidence import Evidence

    Change = dict[str, Any]

# Kinds of owners that are objects which object_change changes; what others read is not in the API.
_OBJECTS = (owners.INSTALLATION, owners.DAEMON_SET, owners.CONFIG_MAP, "IPPool", "FelixConfiguration")
_OPERATOR = "operator.tigera.io/v1"


def unread(evidence: Evidence) -> str:
    """Which nodes were not read, '' if none: of those nobody knows what a change for all nodes would do."""
    one = next(iter(evidence.missing), None)
    if one is not None:
        more = f" (and {len(evidence.missing) - 1} more)" if len(evidence.missing) > 1 else ""
        return f"{one.name}{more} could not be read: {one.why}"
    if evidence.unlisted:
        return f"{evidence.unlisted[0]} is a node of the cluster and none of the hosts that were read"
    return "" if evidence.nodes else "no node was read"


def foreign(owner: Owner, what: str, lines: Sequence[str]) -> Decision | None:
    """What to say where a change has to go somewhere that is not in the API; None where it is."""
    if owner.kind in _OBJECTS and owner.allowed:
        return None
    if owner.kind == owners.UNKNOWN:
        return refuse(f"it is not known who owns {what}: {owner.why}")
    name = " ".join(filter(None, (owner.kind, owner.name)))
    told = f"{name} owns {what}: {owner.why or 'it'} {owner.reverted}".strip()
    return Decision(says=list(lines), refused=f"{told} Nothing was changed; change it there, as the lines say.")


def installation(cluster: Cluster, **how: Any) -> Change:
    """A change of the Installation. What the operator has filled in there itself it leaves as it is given."""
    found = effective.installation(cluster)
    others = found is not None and any(not owners.is_harmless(one) for one in found.meta.managers)
    return {
        "action": "patch",
        "api_version": _OPERATOR,
        "kind": "Installation",
        "name": found.name if found is not None else "default",
        "despite_owner": not others,
        **how,
    }


def overlaid(cluster: Cluster, *path: str) -> bool:
    """A second Installation sets the field, and goes before the first."""
    first = effective.installation(cluster)
    for one in cluster.installations:
        place: Any = one.spec
        for name in path:
            place = place.get(name) if isinstance(place, dict) else None
        if first is not None and one.name != first.name and place is not None:
            return True
    return False


def variables(cluster: Cluster, values: dict[str, str]) -> Change | None:
    """Variables of calico-node's own container, '' takes one away; None if the DaemonSet is not known."""
    agent = effective.agent(cluster)
    container = effective.container(agent)
    if agent is None or container is None:
        return None
    around = ["spec", "template", "spec", "containers", {"name": container.name}, "env"]
    made: list[Change] = []
    for name, value in values.items():
        if not value:
            made.append({"path": [*around, {"name": name}], "value": None})
        elif name in container.env_from:
            # A value beside the reference would be refused.
            made.append({"path": [*around, {"name": name}], "value": {"name": name, "value": value}})
        else:
            known = container.env.get(name)
            was = {"was": [known]} if known is not None else {"was": [None]}
            made.append({"path": [*around, {"name": name}, "value"], "value": value, **was})
    return daemon_set(cluster, made)


def daemon_set(cluster: Cluster, fields: list[Change]) -> Change | None:
    """Fields of calico-node's DaemonSet; None if it is not known."""
    agent = effective.agent(cluster)
    if agent is None:
        return None
    place = {"api_version": "apps/v1", "kind": "DaemonSet", "namespace": agent.namespace, "name": agent.name}
    return {"action": "patch", **place, "set": fields}


def rolled(cluster: Cluster, what: str, value: str) -> Change | None:
    """A mark on the DaemonSet's pods, so that it replaces them: they read a ConfigMap only when they start."""
    path = ["spec", "template", "metadata", "annotations", f"netmedic.calico/{what}"]
    return daemon_set(cluster, [{"path": path, "value": value}])


def config_map(owner: Owner, key: str, value: str, was: str | None) -> Change:
    """A key of a ConfigMap."""
    place = {"api_version": "v1", "kind": "ConfigMap", "namespace": owner.namespace, "name": owner.name}
    return {"action": "patch", **place, "set": [{"path": ["data", key], "value": value, "was": [was]}]}


def of_calico(kind: str, name: str, spec: dict[str, Any], was: dict[str, list[Any]]) -> Change:
    """Fields of an object of Calico's own, which have one of the values `was` now, None for none."""
    fields = [{"path": ["spec", key], "value": value, "was": was[key]} for key, value in spec.items()]
    return {"action": "patch", "kind": kind, "name": name, "set": fields}
