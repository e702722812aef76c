# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and descriptions that kubectl and calicoctl print, as objects with as many fields as were printed.

Ages ("5d") are no times: when they were printed is not known, so they are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .._texts import (
    calicoctl_nodes,
    calicoctl_pools,
    kubectl_describe,
    kubectl_events,
    kubectl_nodes,
    kubectl_pods,
    tigerastatus,
)
from .components import CALICO_NODE, component

if TYPE_CHECKING:
    from collections.abc import Iterator

_PHASES = frozenset(("Pending", "Running", "Succeeded", "Failed", "Unknown"))
# Words in the column STATUS that are reasons of the pod itself, not of a container.
_OF_POD = frozenset(("Evicted", "NodeLost", "NodeAffinity", "UnexpectedAdmissionError", "Preempting", "Shutdown"))
_ENDED = frozenset(("Error", "OOMKilled", "Completed", "ContainerCannotRun", "DeadlineExceeded", "StartError"))
_NOT_STARTED = frozenset(("ContainerCreating", "PodInitializing"))
_KINDS = {"po": "Pod", "pod": "Pod", "pods": "Pod", "node": "Node", "no": "Node", "nodes": "Node"}
_ROLE = "node-role.kubernetes.io/"
_CALICO_VERSION = "projectcalico.org/v3"


def nodes(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Nodes of `kubectl get nodes`, each with its plural kind."""
    for row in kubectl_nodes.parse(text).value:
        ready = "Unknown" if row.ready is None else str(row.ready)
        pairs = (("InternalIP", row.internal_ip), ("ExternalIP", row.external_ip))
        yield (
            "nodes",
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": row.name, "labels": {f"{_ROLE}{role}": "" for role in row.roles}},
                "spec": {"unschedulable": True} if "SchedulingDisabled" in row.status else {},
                "status": {
                    "addresses": [{"type": kind, "address": address} for kind, address in pairs if address],
                    "conditions": [{"type": "Ready", "status": ready}],
                    "nodeInfo": _filled(kubeletVersion=row.version, osImage=row.os_image, kernelVersion=row.kernel),
                },
            },
        )


def pods(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pods of `kubectl get pods`."""
    for row in kubectl_pods.parse(text).value:
        yield "pods", _pod(row)


def _pod(row: kubectl_pods.KubePod) -> dict[str, Any]:
    ready = row.ready == row.containers and row.containers > 0
    metadata = _filled(name=row.name, namespace=row.namespace)
    if row.status == "Terminating":
        metadata["deletionTimestamp"] = "told"  # that it is being deleted is printed, since when is not
    status: dict[str, Any] = {
        # Where the node is printed, the address is as well: "<none>" is a word of its own then.
        **({"podIP": row.address} if row.address or row.node else {}),
        **_filled(phase=_phase(row.status), reason=row.status if row.status in _OF_POD else ""),
        "conditions": [{"type": "Ready", "status": str(ready)}],
    }
    init, _colon, reason = row.status.rpartition("Init:")
    states = _states(row, reason if _colon else row.status)
    if states:
        status["initContainerStatuses" if _colon and not init else "containerStatuses"] = states
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": _filled(nodeName=row.node),
        "status": status,
    }


def _phase(status: str) -> str:
    if status in _PHASES:
        return status
    if status == "Completed":
        return "Succeeded"
    if status == "Evicted":
        return "Failed"
    return "Pending" if status in _NOT_STARTED or status.startswith("Init:") or "Image" in status else "Running"


def _states(row: kubectl_pods.KubePod, word: str) -> list[dict[str, Any]]:
    """What the row says of containers. Of several, which of them it is about is not printed."""
    state: dict[str, Any] = {}
    if word in _ENDED:
        state = {"terminated": {"reason": word}}
    elif word == "Running":
        state = {"running": {}}
    elif word not in _PHASES and word not in _OF_POD and word != "Terminating" and not re.match(r"\d+/\d+$", word):
        state = {"waiting": {"reason": word}}
    what = component(row.name, {}, ())
    name = what if what == CALICO_NODE and row.containers == 1 else ""
    if row.restarts is None and not state:
        return []
    return [{"name": name, "ready": row.ready == row.containers, "restartCount": row.restarts or 0, "state": state}]


def events(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of `kubectl get events`, or of the end of a description."""
    for one in kubectl_events.parse(text).value:
        yield "events", _event(one)


def _event(one: kubectl_events.Event, kind: str = "", name: str = "", namespace: str = "") -> dict[str, Any]:
    word, _slash, target = one.object.partition("/")
    about = _filled(
        kind=_KINDS.get(word, word) if target else kind,
        name=target or name,
        namespace=one.namespace or namespace,
    )
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": about,
        **_filled(type=one.type, reason=one.reason, message=one.message),
        "count": one.times,
        "source": _filled(host=one.node),
    }


def described(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the nodes and pods of `kubectl describe`, and their events."""
    for one in kubectl_describe.parse(text).value:
        is_node = one.kind == "node"
        yield ("nodes", _described_node(one)) if is_node else ("pods", _described_pod(one))
        for event in one.events:
            yield "events", _event(event, "Node" if is_node else "Pod", one.name, one.namespace)


def _described_node(one: kubectl_describe.Described) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": one.name, "annotations": dict(one.annotations)},
        "status": {
            "addresses": [{"type": kind, "address": address} for kind, address in one.addresses.items()],
            "conditions": _conditions(one),
        },
    }


def _described_pod(one: kubectl_describe.Described) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _filled(name=one.name, namespace=one.namespace),
        "spec": {
            **_filled(nodeName=one.node),
            "containers": [_filled(name=container.name, image=container.image) for container in one.containers],
        },
        "status": {
            **_filled(podIP=one.addresses.get("IP", "")),
            "conditions": _conditions(one),
            "containerStatuses": [_container(container) for container in one.containers],
        },
    }


def _container(one: kubectl_describe.Container) -> dict[str, Any]:
    state = {"Running": "running", "Waiting": "waiting", "Terminated": "terminated"}.get(one.state, "")
    told = _filled(reason=one.reason)
    found: dict[str, Any] = {"name": one.name, "ready": one.ready, "restartCount": one.restarts}
    if state:
        found["state"] = {state: {} if state == "running" else told}
    if told and state in ("running", ""):
        found["lastState"] = {"terminated": told}
    return found


def _conditions(one: kubectl_describe.Described) -> list[dict[str, str]]:
    return [
        {"type": found.type, "status": found.status, **_filled(reason=found.reason, message=found.message)}
        for found in one.conditions
    ]


def calico_nodes(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield Calico's nodes of `calicoctl get nodes`. AS numbers in brackets are the cluster's, not the node's."""
    for row in calicoctl_nodes.parse(text).value:
        bgp: dict[str, Any] = _filled(ipv4Address=row.ipv4, ipv6Address=row.ipv6)
        if row.as_number is not None and not row.inherited:
            bgp["asNumber"] = row.as_number
        yield (
            "caliconodes",
            {"apiVersion": _CALICO_VERSION, "kind": "Node", "metadata": {"name": row.name}, "spec": {"bgp": bgp}},
        )


def ip_pools(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pools of `calicoctl get ippools`; their modes only where they are printed."""
    for row in calicoctl_pools.parse(text).value:
        spec: dict[str, Any] = _filled(cidr=row.cidr, ipipMode=row.ipip, vxlanMode=row.vxlan, nodeSelector=row.selector)
        flags = {"natOutgoing": row.nat, "disabled": row.disabled}
        spec.update({name: told for name, told in flags.items() if told is not None})
        yield (
            "ippools",
            {"apiVersion": _CALICO_VERSION, "kind": "IPPool", "metadata": {"name": row.name}, "spec": spec},
        )


def tigera_statuses(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the components of `kubectl get tigerastatus`."""
    for row in tigerastatus.parse(text).value:
        told = (("Available", row.available), ("Progressing", row.progressing), ("Degraded", row.degraded))
        conditions = [{"type": kind, "status": str(value)} for kind, value in told if value is not None]
        for one in conditions:
            if one["type"] == "Degraded" and row.message:
                one["message"] = row.message
        yield (
            "tigerastatuses",
            {"kind": "TigeraStatus", "metadata": {"name": row.name}, "status": {"conditions": conditions}},
        )


def _filled(**fields: str) -> dict[str, Any]:
    """The fields that are not empty."""
    return {name: value for name, value in fields.items() if value}


READERS = {
    "nodes": nodes,
    "pods": pods,
    "events": events,
    "describe": described,
    "calicoctl-get-nodes": calico_nodes,
    "calicoctl-get-ippools": ip_pools,
    "tigerastatus": tigera_statuses,
}
