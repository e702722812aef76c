# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines on the pod of calico-node of one node, by its name where the API told it.

Where nobody told it the line looks for the pod itself, in whatever namespace it is, so that nothing is left open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...module_utils._inet import is_address
from . import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._cluster.model import Pod
    from .._evidence.evidence import Evidence

# So many nodes are told one by one; the others want the same.
FEW = 5
AGENT, FLANNEL = "calico-node", "kube-flannel"
SOCKET = "/var/run/calico/bird.ctl"
RELOAD = f"birdcl -s {SOCKET} configure"
_DIALLED = re.compile(r"dial unix (/[\w./-]{1,200}/bird\.ctl)")
_COMPONENTS = (AGENT, "canal")
_LABELS = {AGENT: "'k8s-app in (calico-node,canal)'", FLANNEL: "'app in (flannel,canal,rke2-canal)'"}
_FOUND = "'jsonpath=-n {.items[0].metadata.namespace} {.items[0].metadata.name}'"


def pod_of(evidence: Evidence, name: str) -> Pod | None:
    """The pod of calico-node on a node, None if it was not read, or if there are several."""
    kube = commands.kube_name(evidence, name)
    found = evidence.cluster.pods_of(*_COMPONENTS) if evidence.cluster else ()
    here = [pod for pod in found if pod.node == kube and pod.namespace and not pod.deleting]
    return here[0] if len(here) == 1 else None


def namespace(evidence: Evidence) -> str:
    """The namespace of calico-node as a word of a command line, its placeholder where it is not known."""
    spaces = {one.namespace for one in evidence.cluster.node_agents} if evidence.cluster else set()
    if not spaces and evidence.cluster:
        spaces = {pod.namespace for pod in evidence.cluster.pods_of(*_COMPONENTS)}
    known = sorted(spaces - {""})
    return commands.word(known[0], commands.NAMESPACE) if len(known) == 1 else commands.NAMESPACE


def which(evidence: Evidence, name: str, container: str = AGENT) -> str:
    """The words by which kubectl finds the pod: those of a pod that is known, else a search for it."""
    pod = pod_of(evidence, name)
    # Flannel may have pods of its own, of which nothing is read.
    if pod is not None and (container == AGENT or any(one.name == container for one in pod.containers)):
        return f"-n {commands.word(pod.namespace, commands.NAMESPACE)} {commands.word(pod.name, 'POD')}"
    # Its pods use the host's network: where a node is known by its address only, that is the pod's, too.
    told = f"status.podIP={name}" if is_address(name) else f"spec.nodeName={commands.kube_name(evidence, name)}"
    where = f"-l {_LABELS.get(container, _LABELS[AGENT])} --field-selector {told}"
    return f"$(kubectl get pods -A {where} -o {_FOUND})"


def run(evidence: Evidence, name: str, line: str) -> str:
    """Run a line in the container calico-node."""
    return f"kubectl exec {which(evidence, name)} -c {AGENT} -- {line}"


def sessions(evidence: Evidence, name: str) -> str:
    """Show what BIRD says of its sessions; its client is in the container only."""
    return run(evidence, name, f"birdcl -r -s {_socket(evidence)} show protocols all")


def _socket(evidence: Evidence) -> str:
    """BIRD's control socket as a probe's message calls it, else where Calico has it."""
    told = (_DIALLED.search(event.message) for event in (evidence.cluster.events if evidence.cluster else ()))
    return next((commands.word(match.group(1), SOCKET) for match in told if match), SOCKET)


def logs(evidence: Evidence, name: str, options: str, container: str = AGENT) -> str:
    """Show what a container of the pod has written."""
    return f"kubectl logs {which(evidence, name, container)} -c {container} {options}"


def delete(evidence: Evidence, name: str, container: str = AGENT) -> str:
    """Have the pod made anew; BGP's peers keep the node's routes meanwhile."""
    return f"kubectl delete pod {which(evidence, name, container)}"


def delete_each(evidence: Evidence, names: Sequence[str]) -> list[str]:
    """Have the pods of some nodes made anew, one after the other."""
    lines = [delete(evidence, name) for name in names[:FEW]]
    more = f"   # then likewise on {len(names) - FEW} more, one at a time" if len(names) > FEW else ""
    return [*lines[:-1], f"{lines[-1]}{more}"] if lines else []
