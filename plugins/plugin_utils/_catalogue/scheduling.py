# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that keep calico-node's pod from being on a node: no DaemonSet, kept away, or refused when it is made."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from .._gate import agents
from .._gate import model as gate
from .._gate.gate import gate as gate_of
from . import api, commands, gate_signals, words
from .gate_signals import HINT
from .model import DECISIVE, MODERATE, STRONG, WEAK, Fault, Fix, Lookalike, Seen, Signal, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .._cluster.model import Webhook, Workload
    from .._evidence.evidence import Evidence

BARRIERS = ("selector", "affinity", "taint")
REFUSALS = ("quota", "pod_security", "service_account", "priority_class", "other")
WAITING = ("resources", "pending")
_MANIFESTS = "https://raw.githubusercontent.com/projectcalico/calico/{}/manifests"
_RELEASE = re.compile(r"v\d+\.\d+\.\d+")
# Without calico-node there is no confd either, and what that said before is of the past.
CONSEQUENCES = (
    *("bird_not_running", "peer_bird_not_running", "confd_cannot_render", "undetermined"),
    *("tunnel_device_missing", "routes_missing"),
)


def _agent(evidence: Evidence) -> Workload | None:
    found = evidence.cluster.node_agents if evidence.cluster else ()
    return found[0] if found else None


def _namespaced(evidence: Evidence) -> str:
    agent = _agent(evidence)
    return f"-n {commands.word(agent.namespace, 'NAMESPACE')}" if agent and agent.namespace else "-A"


def _kube_nodes(evidence: Evidence, subject: Subject) -> str:
    return commands.kube_name(evidence, subject.nodes[0]) if subject.nodes else "NODE"


# --- kept away ----------------------------------------------------------------------------------------------------


def nodes_without_a_pod(evidence: Evidence) -> Iterator[Subject]:
    """Nodes without a pod of calico-node, by what keeps it away."""
    yield from gate_signals.by_kind(evidence, gate.NOT_SCHEDULED, (*BARRIERS, *WAITING, "refused_by_kubelet"))
    yield from gate_signals.by_kind(evidence, gate.NOT_CREATED, (*REFUSALS, "untold"))
    unplaced = _refused_somewhere(evidence)
    if unplaced is not None and unplaced.kind in REFUSALS:
        yield gate_signals.at(evidence, (), [(gate.Checked("", "", (unplaced,)), unplaced)], kind=unplaced.kind)
    waits = agents.pending(evidence.cluster) if evidence.cluster and not evidence.cluster.nodes else None
    if waits is not None:
        yield gate_signals.at(evidence, (), [(gate.Checked("", "", (waits,)), waits)], kind=waits.kind)
    if evidence.cluster and not evidence.cluster.nodes:
        for pod, wrong in agents.ended(evidence.cluster):
            checked = gate.Checked(pod.node, pod.node, (wrong,))
            yield gate_signals.at(evidence, [pod.node] if pod.node else (), [(checked, wrong)], kind=wrong.kind)


def _refused_somewhere(evidence: Evidence) -> gate.Wrong | None:
    """The API server's refusal of calico-node's pods, where no Node is on record that would lack one."""
    cluster = evidence.cluster
    return agents.refused_by_name(cluster) if cluster is not None and not cluster.nodes else None


def not_told_whose_pods(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The event does not say of which DaemonSet the pods are that are refused."""
    unplaced = _refused_somewhere(evidence) if not subject.nodes else None
    told = unplaced is None or evidence.cluster is None or agents.whose_is_told(evidence.cluster)
    return [] if told or unplaced is None else [Seen("", unplaced.source, unplaced.says)]


def daemonset_wants_no_pod_there(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The DaemonSet's own rules keep its pod off the node."""
    return gate_signals.seen_by_gate(subject, BARRIERS)


def pod_waits_for_a_node(evidence: Evidence, subject: Subject) -> list[Seen]:
    """A pod was made, and the scheduler finds no room for it."""
    return gate_signals.seen_by_gate(subject, WAITING)


def kubelet_refused_the_pod(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet did not take the pod, or ended it."""
    return gate_signals.seen_by_gate(subject, ("refused_by_kubelet",))


def pod_is_refused(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server refuses the pod when the DaemonSet controller wants to make it."""
    return gate_signals.seen_by_gate(subject, REFUSALS)


def no_pod_for_no_told_reason(evidence: Evidence, subject: Subject) -> list[Seen]:
    """There is a DaemonSet, and no pod of it on the node."""
    return gate_signals.seen_by_gate(subject, ("untold",))


def tolerates_named_taints_only(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The DaemonSet tolerates some taints by name only, where Calico's own tolerates all of them."""
    agent = _agent(evidence)
    kind = subject.where.get("kind")
    # Not every way to be told of a DaemonSet tells its tolerations; room and taken pods have nothing to do with them.
    if kind in (*WAITING, "refused_by_kubelet") and not (kind == "pending" and agent and agent.tolerations):
        return []
    if agent is None or any(not one.get("key") and one.get("operator") == "Exists" for one in agent.tolerations):
        return []
    listed = words.listed(str(one.get("key", "")) for one in agent.tolerations)
    return [Seen("", "daemonset", f"{agents.shown(agent)} tolerates {listed}")]


def kubelet_misses_cni(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The kubelet reports that no network plugin is set up there."""
    return [
        Seen(checked.name, wrong.source, str(wrong.where.get("message", wrong.says)))
        for checked, wrong in gate_signals.stopped_at(evidence, gate.CNI)
        if checked.name in subject.nodes
    ]


def nothing_of_calico_runs(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No process of Calico's runs on the node."""
    return [
        Seen(node.name, "processes", "neither BIRD nor Felix")
        for node in gate_signals.nodes_of(evidence, subject)
        if not node.control.felix.state and not any(daemon.running for daemon in node.daemons.values())
    ]


def calico_runs_all_the_same(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Calico runs on the node: what was read of its pods is old or incomplete."""
    return [
        Seen(node.name, "processes", "BIRD runs and answers")
        for node in gate_signals.nodes_of(evidence, subject)
        if any(daemon.socket_state == "answers" for daemon in node.daemons.values())
    ]


def the_node_itself_is_not_well(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The node's kubelet is silent or unwell, which comes first."""
    return [
        Seen(checked.name, wrong.source, wrong.says)
        for checked, wrong in gate_signals.stopped_at(evidence, gate.HOST)
        if checked.name in subject.nodes
    ]


def _not_scheduled_summary(evidence: Evidence, subject: Subject) -> str:
    narrow = tolerates_named_taints_only(evidence, subject) if subject.where.get("kind") == "untold" else []
    hint = f"; {narrow[0].detail} only, so look at the node's taints" if narrow else ""
    if not subject.nodes:
        return f"calico-node does not run: {subject.about[0][1].says}."
    return f"calico-node does not run on {gate_signals.show_nodes(subject)}: {subject.about[0][1].says}{hint}."


def _not_scheduled_commands(evidence: Evidence, subject: Subject) -> list[str]:
    node = _kube_nodes(evidence, subject)
    kind = str(subject.where.get("kind", ""))
    wrong = subject.about[0][1]
    what = commands.word(wrong.where.get(kind, ""), "WHAT")
    shows = [f"kubectl describe {api.daemonset(evidence)}"]
    if kind == "taint":
        shows.append(f"kubectl taint node {node} {what}-   # if the taint is not wanted; else tolerate it:")
        shows += _tolerate(evidence)
    elif kind == "selector":
        shows.append(f"kubectl label node {node} {what}   # or take it out of the nodeSelector")
    elif kind == "refused_by_kubelet":
        shows.append(f"kubectl describe node {node}   # Conditions (DiskPressure, MemoryPressure …); make room there")
    elif kind == "pending" and "taint" in wrong.says:
        shows.append("kubectl get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints")
        shows.append("kubectl taint node NODE KEY-   # KEY: the taint's, if it is not wanted; else tolerate it:")
        shows += _tolerate(evidence)
    elif kind in WAITING:
        shows.append(f"kubectl describe node {node}   # Allocated resources; make room there")
    else:
        shows.append(f"kubectl get node {node} -o yaml   # taints and labels")
    return shows


def _tolerate(evidence: Evidence) -> list[str]:
    """Have the DaemonSet tolerate every taint, as that of Calico's own manifest does."""
    agent, everything = _agent(evidence), {"operator": "Exists"}
    add = '{"op":"add","path":"/spec/template/spec/tolerations/-","value":{"operator":"Exists"}}'
    if agent is not None and not agent.tolerations:
        add = '{"op":"add","path":"/spec/template/spec/tolerations","value":[{"operator":"Exists"}]}'
    plain = f"kubectl patch {api.daemonset(evidence)} --type=json -p '[{add}]'"
    pod = {"spec": {"tolerations": [everything]}}
    return api.at_owner(
        evidence, "env/tolerations", [plain], {"calicoNodeDaemonSet": {"spec": {"template": pod}}}, "operator: Exists"
    )


CALICO_NODE_NOT_SCHEDULED = Fault(
    id="calico_node_not_scheduled",
    family="membership",
    title="No calico-node pod on the node",
    severity="major",
    role="cause",
    means=(
        "The DaemonSet has no pod on this node: a taint that it does not tolerate, a label that it asks for, no room, "
        "or a quota or policy that forbids it. Without the pod there are no routes, no policy and no CNI on the node, "
        "and its pods stay in ContainerCreating."
    ),
    subjects=nodes_without_a_pod,
    signals=(
        Signal(daemonset_wants_no_pod_there, DECISIVE, required=True),
        Signal(pod_is_refused, DECISIVE, required=True),
        Signal(pod_waits_for_a_node, STRONG + MODERATE, required=True),
        Signal(kubelet_refused_the_pod, STRONG + MODERATE, required=True),
        Signal(no_pod_for_no_told_reason, STRONG, required=True),
        Signal(not_told_whose_pods, -STRONG),
        Signal(tolerates_named_taints_only, WEAK),
        Signal(kubelet_misses_cni, MODERATE),
        Signal(nothing_of_calico_runs, WEAK),
        Signal(gate_signals.scope_tells, HINT),
        Signal(calico_runs_all_the_same, -DECISIVE),
        Signal(the_node_itself_is_not_well, -WEAK),
    ),
    summary=_not_scheduled_summary,
    severity_rule=gate_signals.worst_if_everywhere,
    fix=Fix(
        action="let_pod_be_scheduled",
        text=(
            "Let the DaemonSet's pod onto the node: tolerate or remove the taint, give the node the label, make room, "
            "or lift what forbids the pod. Calico's own manifests tolerate every taint."
        ),
        risk="low",
        disrupts="nothing; a changed DaemonSet restarts calico-node on all nodes, one by one",
        commands=_not_scheduled_commands,
    ),
    verify="The node has a calico-node pod, which is Ready, and the node is Ready.",
    lookalikes=(
        Lookalike("kubelet_not_ready", "the kubelet is silent, or gives another reason than the network plugin"),
        Lookalike("admission_webhook_blocks_pods", "events of the DaemonSet name a webhook"),
        Lookalike("operator_migration_stuck", "two DaemonSets, and the label operator-node-migration decides"),
    ),
    explains=CONSEQUENCES,
)


# --- no DaemonSet -------------------------------------------------------------------------------------------------


def missing_daemonset(evidence: Evidence) -> Iterator[Subject]:
    """A cluster with Calico and without its DaemonSet."""
    wrong = gate_of(evidence).cluster_wide(gate.DAEMONSET)
    if wrong is not None:
        concerned = [checked.name for checked, _wrong in gate_signals.stopped_at(evidence, gate.DAEMONSET)]
        yield gate_signals.at(evidence, concerned, wrong, kind=wrong.kind)


def no_daemonset_exists(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server knows no DaemonSet that runs calico-node, or is deleting it."""
    return [Seen("", subject.about.source, subject.about.says)]


def no_pod_is_left(evidence: Evidence, subject: Subject) -> list[Seen]:
    """No calico-node pod is left on any node."""
    cluster = evidence.cluster
    none = cluster is not None and cluster.read("pods") and not cluster.pods_of(*agents.COMPONENTS)
    return [Seen("", "pods", "none, in any namespace")] if none else []


def operator_complains(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The operator reports Calico as degraded."""
    cluster = evidence.cluster
    return [
        Seen("", "tigerastatus", f"{one.name}: {' '.join(condition.message.split())[:200] or condition.reason}")
        for one in (cluster.tigera_statuses if cluster else ())
        for condition in one.conditions
        if condition.type == "Degraded" and condition.status == "True"
    ]


def _make_daemonset(evidence: Evidence, subject: Subject) -> list[str]:
    if evidence.cluster and evidence.cluster.installations:
        return [
            "kubectl get tigerastatus calico -o yaml",
            "kubectl get pods -n tigera-operator -o wide",
            "kubectl logs -n tigera-operator deployment/tigera-operator --tail=100",
            "kubectl rollout restart -n tigera-operator deployment/tigera-operator   # it makes the DaemonSet anew",
        ]
    release = evidence.cluster.calico_version if evidence.cluster else ""
    manifest = f"{_MANIFESTS.format(release)}/{_manifest(evidence)}" if _RELEASE.fullmatch(release) else "MANIFEST"
    told = f"{release} runs here" if release else "kubectl get clusterinformation default -o yaml tells the release"
    return [
        "kubectl get daemonsets -A",
        f"kubectl diff -f {manifest}   # {told}; MANIFEST: what it was installed from",
        f"kubectl apply -f {manifest}   # with your own settings in it; other installers: run them again",
    ]


def _manifest(evidence: Evidence) -> str:
    return "canal.yaml" if evidence.flavour.kind == "canal" else "calico.yaml"


DAEMONSET_MISSING = Fault(
    id="daemonset_missing",
    family="membership",
    title="The calico-node DaemonSet does not exist",
    severity="critical",
    role="cause",
    means=(
        "Calico's resources are there and the DaemonSet that runs it is not: it was deleted, or an upgrade stopped "
        "half way. On no node will calico-node be started again."
    ),
    subjects=missing_daemonset,
    signals=(
        Signal(no_daemonset_exists, DECISIVE, required=True),
        Signal(no_pod_is_left, MODERATE),
        Signal(nothing_of_calico_runs, WEAK),
        Signal(operator_complains, MODERATE),
    ),
    summary=lambda evidence, subject: f"{subject.about.says[0].upper()}{subject.about.says[1:]}.",
    fix=Fix(
        action="recreate_daemonset",
        text=(
            "Have the installer make it again: the operator, Helm, kubespray, or the manifest of the same release. On "
            "a managed cluster use the provider's repair (IBM Cloud: ibmcloud ks cluster master refresh)."
        ),
        risk="medium",
        disrupts="nothing that works now",
        commands=_make_daemonset,
    ),
    verify="The DaemonSet exists and has one Ready pod on every Linux node.",
    lookalikes=(Lookalike("bird_not_expected", "another plugin does the networking here and Calico is a leftover"),),
    explains=(*CONSEQUENCES, "calico_node_not_scheduled", "typha_down"),
)


# --- webhooks -----------------------------------------------------------------------------------------------------


def blocking_webhooks(evidence: Evidence) -> Iterator[Subject]:
    """Webhooks that stop the pods, by name; and those that would at the next restart."""
    groups: dict[str, list[str]] = {}
    for checked, wrong in gate_signals.stopped_at(evidence, gate.NOT_CREATED, ("webhook",)):
        groups.setdefault(str(wrong.where.get("webhook", "")), []).append(checked.name)
    unplaced = _refused_somewhere(evidence)
    if unplaced is not None and unplaced.kind == "webhook":
        groups.setdefault(str(unplaced.where.get("webhook", "")), [])
    untold = [checked.name for checked, _wrong in gate_signals.stopped_at(evidence, gate.NOT_CREATED, ("untold",))]
    for dead in _dead_webhooks(evidence):
        groups.setdefault(dead.name, []).extend(untold)
    for name, nodes in groups.items():
        hook = next((one for one in _webhooks(evidence) if one.name == name), None)
        where = {"webhook": name, "configuration": hook.configuration if hook else ""}
        yield gate_signals.at(evidence, nodes, hook, **where)


def _webhooks(evidence: Evidence) -> tuple[Webhook, ...]:
    return evidence.cluster.webhooks if evidence.cluster else ()


def _dead_webhooks(evidence: Evidence) -> list[Webhook]:
    return [one for one in _webhooks(evidence) if one.policy == "Fail" and one.service and one.endpoints_ready == 0]


def webhook_refuses_pods(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The API server names the webhook when it refuses calico-node's pod."""
    name = subject.where["webhook"]
    unplaced = _refused_somewhere(evidence)
    if unplaced is not None and unplaced.kind == "webhook" and unplaced.where.get("webhook", "") == name:
        return [Seen("", unplaced.source, unplaced.says)]
    return [
        Seen(checked.name, wrong.source, wrong.says)
        for checked, wrong in gate_signals.stopped_at(evidence, gate.NOT_CREATED, ("webhook",))
        if wrong.where.get("webhook", "") == name
    ][:4]


def webhook_answers_nobody(evidence: Evidence, subject: Subject) -> list[Seen]:
    """The webhook must agree to every calico-node pod (failurePolicy Fail), and nobody is there to answer."""
    return [
        Seen(
            "", "webhook configuration", f"{one.configuration}/{one.name}: Service {one.service} has no ready endpoint"
        )
        for one in _dead_webhooks(evidence)
        if one.name == subject.where["webhook"]
    ]


def webhook_may_be_passed_over(evidence: Evidence, subject: Subject) -> list[Seen]:
    """Its failurePolicy is Ignore: when it does not answer, pods are made all the same."""
    hook: Webhook | None = subject.about
    return [Seen("", "webhook configuration", hook.configuration)] if hook and hook.policy == "Ignore" else []


def _webhook_summary(evidence: Evidence, subject: Subject) -> str:
    name = subject.where["webhook"] or "an admission webhook"
    if subject.nodes:
        return f"The admission webhook {name} keeps calico-node's pod off {gate_signals.show_nodes(subject)}."
    if webhook_refuses_pods(evidence, subject):
        return f"The admission webhook {name} keeps calico-node's pods from being made."
    return (
        f"The admission webhook {name} answers nobody and must agree to every pod of calico-node: none will come back "
        "after a restart."
    )


def _webhook_commands(evidence: Evidence, subject: Subject) -> list[str]:
    hook: Webhook | None = subject.about
    kind = "mutatingwebhookconfiguration" if hook and "utating" in hook.kind else "validatingwebhookconfiguration"
    name = commands.word(hook.configuration, "NAME") if hook else "NAME"
    space, _slash, service = (hook.service if hook else "").partition("/")
    behind = commands.word(space, "NAMESPACE"), commands.word(service.partition(":")[0], "SERVICE")
    return [
        f"kubectl get {kind} {name} -o yaml",
        f"kubectl get endpointslices -n {behind[0]} -l kubernetes.io/service-name={behind[1]}",
        f"kubectl get events {_namespaced(evidence)} --field-selector reason=FailedCreate",
        *([_let_pass(kind, name, hook)] if hook and hook.name else []),
    ]


def _let_pass(kind: str, configuration: str, hook: Webhook) -> str:
    """Have the API server go on without the webhook's answer; items of a webhook's list go by their names."""
    patch = shlex.quote(json.dumps({"webhooks": [{"name": hook.name, "failurePolicy": "Ignore"}]}))
    change = f"kubectl patch {kind} {configuration} --type strategic -p {patch}"
    return f"{change}   # where it does not answer; back to Fail when its own pods run"


def _webhook_severity(evidence: Evidence, subject: Subject) -> str:
    """critical where it refuses pods, or nodes are without one because of it, else minor."""
    return "critical" if subject.nodes or webhook_refuses_pods(evidence, subject) else "minor"


ADMISSION_WEBHOOK_BLOCKS_PODS = Fault(
    id="admission_webhook_blocks_pods",
    family="membership",
    title="An admission webhook blocks calico-node's pods",
    severity="critical",
    role="cause",
    means=(
        "The API server asks a webhook before it takes a pod of calico-node, and the webhook refuses or does not "
        "answer. Often its own pods wait for the network that calico-node is to bring: nothing starts any more."
    ),
    subjects=blocking_webhooks,
    signals=(
        Signal(webhook_refuses_pods, DECISIVE + WEAK, required=True),
        Signal(webhook_answers_nobody, STRONG, required=True),
        Signal(not_told_whose_pods, -STRONG),
        Signal(gate_signals.scope_tells, HINT),
        Signal(webhook_may_be_passed_over, -MODERATE),
    ),
    summary=_webhook_summary,
    severity_rule=_webhook_severity,
    fix=Fix(
        action="unblock_webhook",
        text=(
            "Make the webhook's Service answer, or have its owner exempt Calico's namespace (namespaceSelector). Only "
            "if neither is possible now, save the configuration, delete it, and apply it again when Calico runs."
        ),
        risk="medium",
        disrupts="what the webhook checks is not checked while it is exempted or gone",
        commands=_webhook_commands,
    ),
    verify="The DaemonSet has all its pods and no new FailedCreate event.",
    lookalikes=(
        Lookalike("calico_node_not_scheduled", "a quota or a policy for pods refuses, or a taint keeps it away"),
    ),
    explains=(*CONSEQUENCES, "calico_node_not_scheduled"),
)

FAULTS = (DAEMONSET_MISSING, ADMISSION_WEBHOOK_BLOCKS_PODS, CALICO_NODE_NOT_SCHEDULED)
