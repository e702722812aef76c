# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules and objects of a lab at a moment. What an injection changes of them is where the fault must be found."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from lab import Lab

_SAVES = ("iptables-nft-save", "iptables-legacy-save", "ip6tables-nft-save", "ip6tables-legacy-save")
_CALICO = "/apis/crd.projectcalico.org/v1"
_SYSTEM = "namespaces/kube-system"
_LISTS = {
    "Node": "/api/v1/nodes",
    "ConfigMap": f"/api/v1/{_SYSTEM}/configmaps",
    "Secret": f"/api/v1/{_SYSTEM}/secrets",
    "Role": f"/apis/rbac.authorization.k8s.io/v1/{_SYSTEM}/roles",
    "RoleBinding": f"/apis/rbac.authorization.k8s.io/v1/{_SYSTEM}/rolebindings",
    "DaemonSet": f"/apis/apps/v1/{_SYSTEM}/daemonsets",
    "Deployment": f"/apis/apps/v1/{_SYSTEM}/deployments",
    "ValidatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "IPPool": f"{_CALICO}/ippools",
    "BGPConfiguration": f"{_CALICO}/bgpconfigurations",
    "BGPPeer": f"{_CALICO}/bgppeers",
    "FelixConfiguration": f"{_CALICO}/felixconfigurations",
    "HostEndpoint": f"{_CALICO}/hostendpoints",
    "GlobalNetworkPolicy": f"{_CALICO}/globalnetworkpolicies",
    "Installation": "/apis/operator.tigera.io/v1/installations",
}
# What is written again and again without anybody's wish.
_RESTLESS = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp")


class Places(NamedTuple):
    """By node the texts of its rules, words separated by single blanks; by "Kind/name" what the object says."""

    rules: dict[str, frozenset[str]]
    objects: dict[str, str]


def look(lab: Lab) -> Places:
    """The rules of all machines that run, and the objects that carry settings."""
    running = [node.name for node in lab.nodes if lab.machine(node.name).running]
    return Places({name: _rules(lab, name) for name in running}, _objects(lab))


def named_rightly(
    before: Places, after: Places, where: Mapping[str, Any], outdated: Collection[str] = ()
) -> bool | None:
    """Whether a finding's `where` is a rule or an object that is new or another one; None if it names neither.

    A finding may name a rule's text, or an object's kind and name. What is gone can only be named by its kind.
    outdated: objects that are at fault although nobody has changed them.
    """
    if where.get("text"):
        new = after.rules.get(where.get("node", ""), frozenset()) - before.rules.get(where.get("node", ""), frozenset())
        return _plain(where["text"]) in new
    if "/" in str(where.get("object", "")):
        return where["object"] in outdated or where["object"] in changed(before, after)
    return None


def changed(before: Places, after: Places) -> set[str]:
    """The objects that are new, gone or another."""
    names = {*before.objects, *after.objects}
    return {name for name in names if before.objects.get(name) != after.objects.get(name)}


def _rules(lab: Lab, name: str) -> frozenset[str]:
    text = "\n".join(lab.exec(name, [command]).stdout for command in _SAVES)
    text += lab.exec(name, ["nft", "list", "ruleset"]).stdout
    return frozenset(_plain(line) for line in text.splitlines() if line.strip())


def _plain(line: str) -> str:
    """A rule without its counters; a policy as iptables writes it on the command line, or nft at a chain's head."""
    policy = re.match(r":(\S+) (ACCEPT|DROP)\b", line)
    of_nft = re.search(r"\bhook \S+.*; (policy \w+);", line)
    if of_nft:
        return of_nft[1]
    return f"-P {policy[1]} {policy[2]}" if policy else " ".join(re.sub(r"\[\d+:\d+\]", "", line).split())


def _objects(lab: Lab) -> dict[str, str]:
    try:
        client = lab.api()
    except LabError:
        return {}
    found = {}
    for kind, path in _LISTS.items():
        try:
            items = client.get(path)["items"]
        except LabError:
            continue
        found.update({f"{kind}/{item['metadata']['name']}": _settings(kind, item) for item in items})
    return found


def _settings(kind: str, item: dict[str, Any]) -> str:
    """What somebody wants of an object: all but its status and what the API server keeps; a Node with its addresses."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in _RESTLESS}
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    addresses = item.get("status", {}).get("addresses") if kind == "Node" else None
    if kind == "Node":
        rest["spec"] = {**rest.get("spec", {}), "taints": _wanted_taints(item)}
    return json.dumps([metadata, rest, addresses], sort_keys=True)


def _wanted_taints(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A Node's taints without those that controllers set by its conditions."""
    taints = node.get("spec", {}).get("taints") or []
    return [one for one in taints if not one["key"].startswith("node.kubernetes.io/")]
