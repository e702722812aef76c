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
    kubectl_daemonsets,
    kubectl_describe,
    kubectl_events,
    kubectl_nodes,
    kubectl_pods,
    lines,
    tigerastatus,
)
from .components import CALICO_NODE, CANAL, component

if TYPE_CHECKING:
    from collections.abc import Iterator

_PHASES = frozenset(("Pending", "Running", "Succeeded", "Failed", "Unknown"))
# Words in the column STATUS that are reasons of the pod itself, not of a container.
_OF_POD = frozenset(("Evicted", "NodeLost", "NodeAffinity", "UnexpectedAdmissionError", "Preempting", "Shutdown"))
_ENDED = frozenset(("Error", "OOMKilled", "Completed", "ContainerCannotRun", "DeadlineExceeded", "StartError"))
_NOT_STARTED = frozenset(("ContainerCreating", "PodInitializing"))
_KINDS = {
    **dict.fromkeys(("po", "pod", "pods"), "Pod"),
    **dict.fromkeys(("no", "node", "nodes"), "Node"),
    **dict.fromkeys(("ds", "daemonset", "daemonsets"), "DaemonSet"),
}
# Who shows an event without the object that it is about: these speak of objects of one kind only.
_SPEAK_OF = {"daemonset-controller": "DaemonSet"}
# With the options where people put them; a name begins with no sign but a letter or a number.
_DESCRIBE = re.compile(r"\bdescribe (?:-\S+ (?:[^\s-]\S* )??)*([a-z]+)(?:\.apps)?[ /]([a-z0-9][\w.-]{0,252})\b")
_ROLE = "node-role.kubernetes.io/"
_CALICO_VERSION = "projectcalico.org/v3"


def nodes(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Nodes of `kubectl get nodes`, each with its plural kind."""
    for row in kubectl_nodes.parse(text).value:
        ready = "Unknown" if row.ready is None else str(row.ready)
        pairs = (("InternalIP", row.internal_ip), ("ExternalIP", row.external_ip))
        labels = {**{f"{_ROLE}{role}": "" for role in row.roles}, **row.labels}
        yield (
            "nodes",
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": row.name, "labels": labels},
                "spec": {"unschedulable": True} if "SchedulingDisabled" in row.status else {},
                "status": {
                    "addresses": [{"type": kind, "address": address} for kind, address in pairs if address],
                    "conditions": [{"type": "Ready", "status": ready}],
                    "nodeInfo": _filled(kubeletVersion=row.version, osImage=row.os_image, kernelVersion=row.kernel),
                },
            },
        )


# The namespace that was asked for, of which the table says nothing.
_ASKED = re.compile(
    r"\bkubectl\b[^|;&]{0,200}?\sget\s[^|;&]{0,200}?(?<=\s)(?:-n[ =]?|--namespace[ =])([a-z0-9][a-z0-9-]{0,62})(?!\S)"
)


def pods(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the pods of `kubectl get pods`."""
    asked = {found[1] for typed in lines.commands(text) if (found := _ASKED.search(typed))}
    space = asked.pop() if len(asked) == 1 else ""
    for row in kubectl_pods.parse(text).value:
        yield "pods", _pod(row if row.namespace or not space else row._replace(namespace=space))
    # `kubectl get pods,daemonsets` prints one table below the other.
    yield from daemon_sets(text)


def daemon_sets(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the DaemonSets of `kubectl get daemonsets`."""
    for row in kubectl_daemonsets.parse(text).value:
        counts = {
            "desiredNumberScheduled": row.desired,
            "currentNumberScheduled": row.current,
            "numberReady": row.ready,
            "numberAvailable": row.available,
            "updatedNumberScheduled": row.updated,
        }
        pod = {"spec": {"nodeSelector": row.node_selector} if row.node_selector else {}}
        yield (
            "daemonsets",
            {
                "kind": "DaemonSet",
                "metadata": _filled(name=row.name, namespace=row.namespace),
                "spec": {"template": pod},
                "status": {name: number for name, number in counts.items() if number is not None},
            },
        )


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
    kind, name = _asked_for(lines.command(text.lstrip().partition("\n")[0]) or "")
    for one in kubectl_events.current(kubectl_events.parse(text).value, of_one=bool(name)):
        yield "events", _event(one, kind, name)


def _asked_for(command: str) -> tuple[str, str]:
    """Return kind and name of the object whose description was asked for; '' and '' if not one by its name was."""
    match = _DESCRIBE.search(command)
    kind = _KINDS.get(match.group(1).lower(), "") if match is not None else ""
    return (kind, match.group(2)) if match is not None and kind else ("", "")


def _event(one: kubectl_events.Event, kind: str = "", name: str = "", namespace: str = "") -> dict[str, Any]:
    word, _slash, target = one.object.partition("/")
    about = _filled(
        kind=_KINDS.get(word, word) if target else kind or _SPEAK_OF.get(one.source, ""),
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
    """Yield the nodes, pods and DaemonSets of `kubectl describe`, and their events; of a pod also the DaemonSet that
    made it, whose template a pod's containers are."""
    if tigerastatus.KIND in text:
        yield from _tigera_statuses(tigerastatus.parse_described(text))
    for one in kubectl_describe.parse(text).value:
        if one.kind == "node":
            yield "nodes", _described_node(one)
        elif one.kind == "daemonset":
            yield "daemonsets", _described_set(one, one.name)
        else:
            yield "pods", _described_pod(one)
            name = _maker(one)
            if name and any(container.env for container in one.containers):
                yield "daemonsets", _described_set(one, name)
        for event in kubectl_events.current(one.events, of_one=True):
            yield "events", _event(event, _KINDS[one.kind], one.name, one.namespace)


def _maker(one: kubectl_describe.Described) -> str:
    """Return the name of the DaemonSet that made a pod; where the line of its owner is cut off, by the pod's name."""
    owner, _slash, name = one.owner.partition("/")
    if owner:
        return name if owner == "DaemonSet" else ""
    return one.name.rpartition("-")[0] if component(one.name, {}, ()) in (CALICO_NODE, CANAL) else ""


def _described_set(one: kubectl_describe.Described, name: str) -> dict[str, Any]:
    pod = {
        "nodeSelector": dict(one.selector),
        "containers": [_made(container) for container in one.containers if not container.init],
        "initContainers": [_made(container) for container in one.containers if container.init],
        "tolerations": [dict(toleration) for toleration in one.tolerations],
    }
    return {
        "kind": "DaemonSet",
        "metadata": _filled(name=name, namespace=one.namespace),
        "spec": {"template": {"spec": {key: value for key, value in pod.items() if value}}},
        **({"status": dict(one.counts)} if one.counts else {}),
    }


def _made(one: kubectl_describe.Container) -> dict[str, Any]:
    probes = {
        f"{kind.lower()}Probe": {"exec": {"command": command.split()}} for kind, command in sorted(one.probes.items())
    }
    env = [{"name": name, "value": value} for name, value in one.env.items()]
    return {**_filled(name=one.name, image=one.image), **({"env": env} if env else {}), **probes}


def _described_node(one: kubectl_describe.Described) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": one.name, "annotations": dict(one.annotations), "labels": dict(one.labels)},
        "spec": {"taints": [{"key": key, "value": value, "effect": effect} for key, value, effect in one.taints]},
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
            "containers": [_in_spec(container) for container in one.containers if not container.init],
        },
        "status": {
            **_filled(podIP=one.addresses.get("IP", ""), phase=one.phase if one.phase in _PHASES else ""),
            **_filled(reason=one.reason, message=one.message),
            "conditions": _why_unplaced(_conditions(one), one.events),
            "initContainerStatuses": [_container(container) for container in one.containers if container.init],
            "containerStatuses": [_container(container) for container in one.containers if not container.init],
        },
    }


def _in_spec(one: kubectl_describe.Container) -> dict[str, Any]:
    limit = {"resources": {"limits": {"memory": one.memory}}} if one.memory else {}
    return {**_filled(name=one.name, image=one.image), **limit}


def _container(one: kubectl_describe.Container) -> dict[str, Any]:
    state = {"Running": "running", "Waiting": "waiting", "Terminated": "terminated"}.get(one.state, "")
    found: dict[str, Any] = {"name": one.name, "ready": one.ready, "restartCount": one.restarts}
    found.update(_filled(image=one.image))
    if state:
        found["state"] = {state: {} if state == "running" else _state(one.reason, one.message, one.exit_code)}
    if one.last is not None:
        found["lastState"] = {"terminated": _state(*one.last)}
    return found


def _state(reason: str, message: str, exit_code: int | None) -> dict[str, Any]:
    return {**_filled(reason=reason, message=message), **({"exitCode": exit_code} if exit_code is not None else {})}


def _why_unplaced(conditions: list[dict[str, str]], events: tuple[kubectl_events.Event, ...]) -> list[dict[str, str]]:
    """The conditions of a pod, which are described without their messages, with what the scheduler says in events."""
    told = next((event.message for event in reversed(events) if event.reason == "FailedScheduling"), "")
    return [
        {**one, "message": told} if told and one["type"] == "PodScheduled" and one["status"] == "False" else one
        for one in conditions
    ]


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
    yield from _tigera_statuses(tigerastatus.parse(text).value)


def _tigera_statuses(found: tuple[tigerastatus.Component, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in found:
        told = (("Available", row.available), ("Progressing", row.progressing), ("Degraded", row.degraded))
        conditions = [{"type": kind, "status": str(value)} for kind, value in told if value is not None]
        for one in conditions:
            if one["type"] == "Degraded":
                one.update(_filled(message=row.message, reason=row.reason))
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
    "daemonsets": daemon_sets,
    "events": events,
    "describe": described,
    "calicoctl-get-nodes": calico_nodes,
    "calicoctl-get-ippools": ip_pools,
    "tigerastatus": tigera_statuses,
}
