# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one bad node: which it is, whether it may be taken out of service, and whether it is well afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._catalogue import commands, words
from .._evidence import plain
from . import restart_guards, restart_needs
from .model import Decision, refuse
from .restart_needs import BIRD, POD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._evidence.evidence import Evidence
    from .._evidence.model import Node
    from .model import Given

_ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_ADVICE = (
    "It stays cordoned. If nothing else helps drain it, remove it from the cluster and bring up another machine in its "
    "place; that is a person's decision"
)


def changes(given: Given) -> Decision:
    """What is done with the node, or (stage settled) why it is not well.

    Options: node (its inventory name; '' for the one that the evidence shows), bundle_dir, reboot; of the stage settled
    sessions, replaced, bgp. `more` has node ('' for none), name (its Node's), cordon and restart (changes for
    object_change), sessions and replaced.
    """
    if given.options.get("stage") == "settled":
        return _settled(given)
    evidence = given.evidence
    bad = {name: why for name, node in evidence.nodes.items() if (why := _why_bad(evidence, node))}
    asked = str(given.options.get("node") or "")
    if asked and asked not in given.hosts:
        return _none(evidence, f"node_recovery_node names {asked}, which the inventory does not have")
    name = evidence.aliases.get(asked, asked) or next(iter(bad), "")
    if not name or (asked and name in evidence.nodes and name not in bad):
        return _none(evidence)
    node = evidence.nodes.get(name)
    if node is None:
        why = given.missing.get(name, "it was not asked")
        return _none(
            evidence, f"{name} cannot be read ({why}). Look at its machine; if that is gone, replace it: {_ADVICE}."
        )
    others = sorted(set(bad) - {name})
    if others:
        return _none(
            evidence,
            f"not only {name} is in trouble, but {words.listed(others)}, too: no bad node, then, and several must not "
            "be taken out of service",
        )
    obstacle = _obstacle(given, node)
    return _none(evidence, f"{name}: {obstacle}") if obstacle else _recover(given, node, bad[name])


def _none(evidence: Evidence, refused: str = "") -> Decision:
    reached = evidence.cluster is not None and evidence.cluster.reached
    return Decision(refused=refused, more={"node": "", "api": reached})


def _why_bad(evidence: Evidence, node: Node) -> str:
    """What a new pod, or a reboot, may cure; '' if there is nothing. Blocked packets and the like it does not cure."""
    if node.bird_expected is not False:
        found = [one.why for one in restart_needs.needs(evidence, node) if one.rung in (BIRD, POD)]
        if found:
            return found[0]
    kube = restart_guards.kube_node(evidence, node.name)
    ready = kube.condition("Ready") if kube is not None else None
    if ready is not None and ready.status != "True":
        return "its kubelet is not Ready"
    pod = restart_needs.pod_of(evidence, node.name)
    # Without sessions no pod is Ready; what stops them stops those of a new pod as well.
    has_sessions = any(daemon.established for daemon in node.daemons.values())
    return f"its pod {pod.name} is not Ready" if pod is not None and not pod.ready and has_sessions else ""


def _obstacle(given: Given, node: Node) -> str:
    evidence, reboot = given.evidence, bool(given.options.get("reboot"))
    if not given.options.get("bundle_dir"):
        return "what it tells now is lost afterwards; give node_recovery_bundle_dir a directory on the controller"
    if _is_only_one(evidence, node.name):
        return "it is the only node of the control plane that is Ready; see to it by hand, with rolling_restart first"
    why = restart_guards.of_pod(evidence, node)
    # A kubelet that is not Ready does not stop a reboot, which may be what it wants.
    if why and not (reboot and "kubelet" in why):
        return f"its pod cannot be replaced, for {why}"
    return restart_guards.alone(evidence, node)


def _is_only_one(evidence: Evidence, name: str) -> bool:
    """The node is of the control plane, and no other one of it is Ready."""
    own = commands.kube_name(evidence, name)
    known = evidence.cluster.nodes if evidence.cluster else {}
    plane = [one for one in known.values() if any(role in one.labels for role in _ROLES)]
    ready = [one.name for one in plane if (told := one.condition("Ready")) is not None and told.status == "True"]
    return any(one.name == own for one in plane) and not [one for one in ready if one != own]


def _recover(given: Given, node: Node, why: str) -> Decision:
    evidence = given.evidence
    name = commands.kube_name(evidence, node.name)
    pod = restart_needs.pod_of(evidence, node.name)
    restart: list[Mapping[str, Any]] = []
    if pod is not None and not restart_guards.of_pod(evidence, node):
        restart = [{"action": "restart_pod", "namespace": pod.namespace, "name": pod.name, "uid": pod.uid}]
    kube = restart_guards.kube_node(evidence, node.name)
    says = [f"{node.name}: {why}; it is cordoned, what it tells is saved, and its pod is replaced"]
    if kube is not None and kube.unschedulable:
        says.append(f"{node.name} is cordoned already, and stays so: somebody else did it")
    if given.options.get("reboot"):
        says.append(f"{node.name} is rebooted if that does not help, and all pods on it with it")
    more = {
        "node": node.name,
        "name": name,
        "cordon": [{"action": "cordon", "name": name}],
        "uncordon": [{"action": "uncordon", "name": name}],
        "restart": restart,
        "sessions": restart_needs.expected(evidence, node),
        "replaced": restart_needs.processes(given.own or given.facts.get(node.name, {})),
        "api": True,
    }
    return Decision(says=says, more=more)


def _settled(given: Given) -> Decision:
    bgp = plain.mapping(given.options.get("bgp")) or plain.mapping(given.own.get("calico_bgp"))
    replaced = plain.mapping(given.options.get("replaced"))
    lacks = restart_needs.missing(bgp, plain.texts(given.options.get("sessions")), replaced)
    if not lacks:
        return Decision()
    then = (
        ""
        if given.options.get("reboot")
        else " A reboot may help (node_recovery_reboot=true); it ends all pods on the node."
    )
    return refuse(f"{given.host} is not well yet: {'; '.join(lacks)}.{then} {_ADVICE}.")
