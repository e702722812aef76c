# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fault of a pod of Calico's that has its node and does not start there: image, configuration, volumes, memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._gate import model as gate
from .._gate import stuck as gate_stuck
from . import api, commands, gate_signals, words
from .model import DECISIVE, MODERATE, STRONG, Fault, Fix, Lookalike, Seen, Signal, Subject
from .scheduling import CONSEQUENCES, calico_runs_all_the_same

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .._evidence.evidence import Evidence
    from .._gate.stuck import Stuck

# So many pods are told one by one.
TOLD = 5
_QUANTITY = re.compile(r"(\d{1,9})([KMGT]i?|)$")
_OBJECT = re.compile(r'(configmap|secret) "([a-z0-9][a-z0-9.-]{0,252})" not found')
_REFUSED = ("401", "403", "nauthorized", "orbidden", "pull access denied", "authentication required", "no basic auth")
_ABSENT = ("not found", "manifest unknown", "no matching manifest", "InvalidImageName")
_LIMITED = ("429", "toomanyrequests", "rate limit")
_FULL = ("no space left",)
_UNTRUSTED = ("x509:", "certificate")
# What a pull is refused for, in the order in which one message may have words of several, and what is done about it.
_PULLS: tuple[tuple[tuple[str, ...], str], ...] = (
    (_LIMITED, "the registry limits anonymous pulls: use a pull secret of an account, or a mirror"),
    (_FULL, "the node's disk is full: make room where the container runtime keeps images"),
    (_UNTRUSTED, "the node does not trust the registry's certificate: give the container runtime its authority"),
    (_REFUSED, "the registry wants other credentials: give the pods a pull secret that it accepts"),
    (_ABSENT, "the registry has no such image or tag, or none for this processor: correct the image's name"),
)
_NO_WAY = "the node does not reach the registry: its DNS, proxy, firewall or route; or load the image there"


def stuck_pods(evidence: Evidence) -> Iterator[Subject]:
    """Pods of Calico's that do not start, by what they are and what keeps them."""
    groups: dict[tuple[str, str, str], list[Stuck]] = {}
    for one in gate_stuck.stuck(evidence):
        # Whether a back-off has begun makes no difference.
        kind = "" if one.wrong.step == gate.IMAGE else one.wrong.kind
        groups.setdefault((one.component, one.wrong.step, kind), []).append(one)
    for (part, _step, _kind), found in groups.items():
        where: Mapping[str, object] = found[0].wrong.where
        nodes = [one.node for one in found if one.node] if part in gate_stuck.AGENTS else []
        yield gate_signals.at(evidence, nodes, found, component=part, **where)


def _pods(subject: Subject, *steps: str, by_events: bool = False) -> list[Seen]:
    found: Iterable[Stuck] = subject.about
    return [
        Seen(one.node, one.wrong.source, f"{one.name}: {one.wrong.says}" if one.name else one.wrong.says)
        for one in found
        if one.wrong.step in steps and one.by_events_only is by_events
    ][:TOLD]


def image_cannot_be_had(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet cannot get the image of a container."""
    return _pods(subject, gate.IMAGE)


def pod_cannot_be_set_up(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet cannot make a container or the pod's volumes: something that they need is not there."""
    return _pods(subject, gate.NOT_STARTING)


def killed_for_memory(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kernel kills a container for want of memory, again and again."""
    return _pods(subject, gate.CRASHING)


def no_node_is_found(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The scheduler finds no node for the pod."""
    return _pods(subject, gate.NOT_SCHEDULED)


def events_tell(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet's warnings tell that a pod could not be started; whether it still is so they do not tell."""
    return _pods(subject, gate.IMAGE, gate.NOT_STARTING, by_events=True)


def runs_all_the_same(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico runs on the node: what was read of its pods is old. What is killed again and again runs in between."""
    first: Stuck = subject.about[0]
    return [] if first.wrong.step == gate.CRASHING else calico_runs_all_the_same(evidence, subject)


def _summary(evidence: Evidence, subject: Subject) -> str:
    first: Stuck = subject.about[0]
    where = f" on {gate_signals.show_nodes(subject)}" if subject.nodes else ""
    part = "calico-node" if first.component in gate_stuck.AGENTS else _called(first)
    ends = first.wrong.step == gate.CRASHING
    limit = f" (its limit is {first.memory_limit})" if ends and first.memory_limit else ""
    more = f", and {words.plural(len(subject.about) - 1, 'more pod')} likewise" if len(subject.about) > 1 else ""
    return f"{part} does not {'stay up' if ends else 'start'}{where}: {first.wrong.says}{limit}{more}."


def _called(one: Stuck) -> str:
    return one.name or one.component


def _severity(evidence: Evidence, subject: Subject) -> str:
    """minor where only its controllers or servers do not start, critical where calico-node does on no node, else
    major."""
    first: Stuck = subject.about[0]
    if first.component not in (*gate_stuck.AGENTS, "typha"):
        return "minor"
    return gate_signals.worst_if_everywhere(evidence, subject) if subject.nodes else "major"


def _role(evidence: Evidence, subject: Subject) -> str:
    """What does the work on nodes is a cause; the controllers beside it are not."""
    first: Stuck = subject.about[0]
    return "cause" if first.component in (*gate_stuck.AGENTS, "typha") else "contributing"


def _commands(evidence: Evidence, subject: Subject) -> list[str]:
    first: Stuck = subject.about[0]
    show = f"kubectl describe {_pod(first)}"
    return [show, *_BY_STEP[first.wrong.step](evidence, first)]


def _pod(one: Stuck) -> str:
    space = f"-n {commands.word(one.namespace, commands.NAMESPACE)} " if one.namespace else ""
    if one.name and not space:
        return f"$(kubectl get pod -A --field-selector metadata.name={commands.word(one.name, 'POD')} -o {_FOUND})"
    return f"{space}pod/{commands.word(one.name, 'POD')}"


_FOUND = "'jsonpath=-n {.items[0].metadata.namespace} pod/{.items[0].metadata.name}'"


def _of_image(evidence: Evidence, one: Stuck) -> list[str]:
    told = one.wrong.says
    image = commands.word(one.wrong.where.get("image", ""), "IMAGE")
    advice = next((what for some, what in _PULLS if any(word in told for word in some)), "")
    tried = f"crictl pull {image}   # what the registry answers there; {advice or _NO_WAY}"
    lines = [f"on {one.node or 'the node'}: {tried}"]
    if advice.endswith(("accepts", "mirror")):
        space = commands.word(one.namespace, commands.NAMESPACE)
        secret = f"kubectl create secret generic calico-pull -n {space} --type=kubernetes.io/dockerconfigjson"
        lines.append(f"{secret} --from-file=.dockerconfigjson=FILE   # FILE: the config.json that a login there makes")
        lines += _use_secret(evidence, one)
    elif advice.startswith("the registry has"):
        lines.append(f"kubectl get {_owner_of(evidence, one)} -o wide   # IMAGES")
    return lines


def _use_secret(evidence: Evidence, one: Stuck) -> list[str]:
    patch = '{"spec":{"template":{"spec":{"imagePullSecrets":[{"name":"calico-pull"}]}}}}'
    plain = [f"kubectl patch {_owner_of(evidence, one)} --type strategic -p '{patch}'"]
    if one.component not in gate_stuck.AGENTS:
        return plain
    chosen = {"imagePullSecrets": [{"name": "calico-pull"}]}
    return api.at_owner(evidence, "env/imagePullSecrets", plain, chosen, "calico-pull")


def _owner_of(evidence: Evidence, one: Stuck) -> str:
    if one.component in gate_stuck.AGENTS:
        return api.daemonset(evidence)
    name = one.name.rsplit("-", 2)[0] if one.name.count("-") > 1 else one.component
    return f"-n {commands.word(one.namespace, commands.NAMESPACE)} deployment/{commands.word(name, 'NAME')}"


def _of_setup(evidence: Evidence, one: Stuck) -> list[str]:
    lacking = _OBJECT.search(one.wrong.says)
    if lacking is not None:
        kind, name = lacking.groups()
        space = commands.word(one.namespace, commands.NAMESPACE)
        return [f"kubectl get {kind}s -n {space}   # {name} is missing: apply what Calico was installed from once more"]
    if "key" in one.wrong.says and "in ConfigMap" in one.wrong.says:
        space = commands.word(one.namespace, commands.NAMESPACE)
        return [f"kubectl get configmaps -n {space} -o yaml   # the key that the message names is missing"]
    return [
        f"on {one.node or 'the node'}: df -h; mount; ls -ld /var/run /var/lib /opt/cni/bin   # what the message names"
    ]


def _of_memory(evidence: Evidence, one: Stuck) -> list[str]:
    container = str(one.wrong.where.get("container", "calico-node"))
    if not one.memory_limit:
        node = commands.node_word(one.node) if one.node else "NODE"
        return [
            f"kubectl describe node {node}   # MemoryPressure, Allocated resources: the machine itself may lack memory",
            f"kubectl get {_owner_of(evidence, one)} -o yaml | grep -A4 limits",
        ]
    limit = twice(one.memory_limit)
    plain = [f"kubectl set resources {_owner_of(evidence, one)} -c {container} --limits=memory={limit}"]
    if one.component not in gate_stuck.AGENTS:
        return [f"{plain[0]}   # now {one.memory_limit}"]
    held = {"name": container, "resources": {"limits": {"memory": limit}}}
    pod = {"spec": {"containers": [held]}}
    chosen = {"calicoNodeDaemonSet": {"spec": {"template": pod}}}
    return api.at_owner(evidence, "env/resources", plain, chosen, f"limits.memory {limit}, now {one.memory_limit}")


def twice(quantity: str) -> str:
    """Twice an amount of memory as Kubernetes writes it; a placeholder for what is written otherwise."""
    found = _QUANTITY.match(quantity)
    return f"{2 * int(found.group(1))}{found.group(2)}" if found else "MEMORY"


def _of_room(evidence: Evidence, one: Stuck) -> list[str]:
    return [
        "kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints",
        f"kubectl get {_owner_of(evidence, one)} -o yaml   # tolerations, nodeSelector, resources",
    ]


_BY_STEP = {
    gate.IMAGE: _of_image,
    gate.NOT_STARTING: _of_setup,
    gate.CRASHING: _of_memory,
    gate.NOT_SCHEDULED: _of_room,
}


CALICO_POD_NOT_STARTING = Fault(
    id="calico_pod_not_starting",
    family="membership",
    title="A pod of Calico's does not start",
    severity="major",
    role="cause",
    means=(
        "The pod is there and its program does not come to run: its image cannot be pulled, a ConfigMap, Secret or "
        "volume is missing, or the kernel kills it for want of memory. On a node without calico-node nobody sets up "
        "pods' networks, and routes stay as they were or go."
    ),
    subjects=stuck_pods,
    signals=(
        Signal(image_cannot_be_had, DECISIVE, required=True),
        Signal(pod_cannot_be_set_up, DECISIVE, required=True),
        Signal(killed_for_memory, DECISIVE, required=True),
        Signal(no_node_is_found, DECISIVE, required=True),
        Signal(events_tell, STRONG, required=True),
        Signal(gate_signals.scope_tells, gate_signals.HINT),
        Signal(runs_all_the_same, -STRONG - MODERATE),
    ),
    summary=_summary,
    severity_rule=_severity,
    role_rule=_role,
    fix=Fix(
        action="let_pod_start",
        text=(
            "Do what the kubelet's message asks for: a pull secret, mirror or right image name; the ConfigMap, Secret "
            "or folder that is missing; a higher memory limit; room or tolerations. Change it at the owner of the "
            "DaemonSet or Deployment. The kubelet tries again by itself."
        ),
        risk="low",
        disrupts="nothing on the nodes concerned; a changed DaemonSet restarts calico-node on all nodes, one by one",
        commands=_commands,
    ),
    verify="The pod is Running and Ready, and no new Warning event names it.",
    lookalikes=(
        Lookalike("calico_node_not_scheduled", "there is no pod on the node, or no node for the pod"),
        Lookalike("felix_crash_loop", "the program runs and ends by itself; its log tells why"),
        Lookalike("typha_down", "Typha's pods run and do not serve"),
    ),
    explains=(*CONSEQUENCES, "typha_down", "felix_crash_loop"),
)

FAULTS = (CALICO_POD_NOT_STARTING,)
