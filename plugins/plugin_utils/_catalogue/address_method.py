# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repair of what autodetection takes wrongly or does not find: a method that is right on every node."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .._address import methods
from .._cluster import effective
from . import address_truth, agent_pod, api, commands, internal_ip
from .address_claims import claim_of
from .model import Remedy

if TYPE_CHECKING:
    from .._evidence.evidence import Evidence
    from .address_claims import Claim
    from .model import Subject

_FEW = 2


def choose_better(evidence: Evidence, subject: Subject) -> list[str]:
    """Commands that make autodetection choose right, by a method that was tried on every node that was read."""
    claim = claim_of(subject)
    found = address_truth.fitting_methods(evidence, claim.family)
    wrong = _wrong_internal_ips(evidence, claim)
    usual = "cidr=SUBNET" if wrong else "kubernetes-internal-ip"
    lines = api.set_detection(evidence, claim.family, found[0] if found else usual)
    if _keeps_old_pods(evidence):
        lines.append(f"{agent_pod.delete(evidence, claim.name)}   # its DaemonSet replaces no pod by itself")
    lines += [line for name in wrong[:_FEW] for line in internal_ip.tell_kubelet(evidence, name)]
    look = commands.show_annotation(evidence, claim.name, api.ADDRESS_KEYS[claim.family])
    return [look, *lines]


def _wrong_internal_ips(evidence: Evidence, claim: Claim) -> list[str]:
    """The nodes whose InternalIP is the wrong address itself, or one that several have: no method mends that."""
    nodes = evidence.cluster.nodes.values() if evidence.cluster else ()
    held = Counter(address for kube in nodes for address in set(kube.internal_addresses))
    names = {one.record: one.name for one in evidence.registered}
    return [
        names.get(kube.name, kube.name)
        for kube in nodes
        for address in kube.internal_addresses
        if claim.is_of_family(address)
        and (address == claim.address or held[address] > 1 or address_truth.is_alike_everywhere(evidence, address))
    ]


def remedy(evidence: Evidence, subject: Subject) -> Remedy | None:
    """The role that sets the method; None where no method is right on every node, or the one that is set is, or where
    pods with another method come only when somebody deletes the old ones."""
    claim = claim_of(subject)
    detection = claim.node.own.detection.get(claim.family) if claim.node else None
    if evidence.missing or evidence.cluster is None or detection is None or not detection.detects:
        return None
    if _keeps_old_pods(evidence):
        return None
    nodes = address_truth.all_addresses(evidence, claim.family)
    fitting = address_truth.fitting_methods(evidence, claim.family)
    if not fitting or not all(methods.evaluate(fitting[0], [one]).fits for one in nodes):
        return None
    if methods.evaluate(_method_set(evidence, claim.family) or detection.method or "first-found", nodes).fits:
        return None
    variables = {"ip_autodetection_family": claim.family, "ip_autodetection_method": fitting[0]}
    return Remedy("ip_autodetection", variables)


def _keeps_old_pods(evidence: Evidence) -> bool:
    agent = api.agent(evidence)
    return agent is not None and agent.strategy == "OnDelete"


def _method_set(evidence: Evidence, family: str) -> str:
    """The method that calico-node's next start gets; '' where the API does not tell. A node on which it ended tells of
    an earlier start, if of any."""
    if evidence.cluster is None:
        return ""
    return effective.variable(evidence.cluster, api.agent(evidence), api.DETECTION_VARIABLE[family]).value
