# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Felix and Typha. The lab has neither: the injection adds stand-ins (see `standins`) and Typha's objects.

The target is Typha's host; Felix' stand-in runs on all nodes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import cluster, standins
from .model import Case, Fault, Variant, listener
from .standins import FELIX, TYPHA

if TYPE_CHECKING:
    from .cluster import Object

_PORT = 5473
_SERVICE, _WRONG_SERVICE = "calico-typha", "typha"
_ABSENT_HOST = 178
_LABELS = {"k8s-app": "calico-typha"}
_SLICES = "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"
_RULE = "INPUT -p tcp --dport 5473 -j DROP"
_RUNS, _NO_NODE, _NONE = "runs", "no-node", "none"


def _absent(case: Case) -> str:
    return case.node.subnet.host(_ABSENT_HOST)


def _set_up(case: Case, how: str = _RUNS, service: str = _SERVICE) -> None:
    """Typha, and a calico-node that is told to look for it."""
    install(case, case.target if how == _RUNS else "typha-only", int(how != _NONE), service)
    if how == _RUNS:
        standins.typha(case, case.machine, _PORT)


def install(case: Case, host: str, replicas: int = 1, service: str = _SERVICE) -> None:
    """Typha's Service and Deployment, which is for one host, and a calico-node that is told to look for Typha."""
    spec = {"selector": _LABELS, "ports": [{"name": "calico-typha", "port": _PORT, "targetPort": _PORT}]}
    cluster.create(case, cluster.SERVICES, cluster.named("v1", "Service", _SERVICE, "kube-system", spec=spec))
    cluster.create(case, cluster.DEPLOYMENTS, _deployment(host, replicas))
    cluster.set_variables(case, FELIX_TYPHAK8SSERVICENAME=service)


def _deployment(host: str, replicas: int) -> Object:
    selector = {"kubernetes.io/hostname": host}
    container = {"name": "calico-typha", "image": "docker.io/calico/typha:v3.29.4"}
    container_ports = [{"containerPort": _PORT, "name": "calico-typha", "protocol": "TCP"}]
    pod = {
        "hostNetwork": True,
        "nodeSelector": selector,
        "tolerations": [{"operator": "Exists"}],
        "serviceAccountName": "calico-node",
        "containers": [{**container, "ports": container_ports}],
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
    return cluster.named("apps/v1", "Deployment", "calico-typha", "kube-system", spec=spec)


def _dial(case: Case, address: str, **environment: str) -> None:
    """Felix' stand-in on every node."""
    variables = {"FELIX_TYPHAK8SSERVICENAME": _SERVICE, **environment}
    for node in case.lab.nodes:
        standins.felix(case, case.lab.machine(node.name), variables, address, _PORT)


def _heal(case: Case) -> None:
    case.try_run(["iptables-nft", *f"-D {_RULE}".split()])
    for node in case.lab.nodes:
        standins.stop(case, case.lab.machine(node.name), FELIX)
    standins.stop(case, case.machine, TYPHA)
    standins.forget_log(case)
    cluster.undo(case)


def pods(case: Case) -> list[Object]:
    """Typha's pods."""
    found: list[Object] = case.lab.api().get(f"{cluster.PODS}?labelSelector=k8s-app%3Dcalico-typha")["items"]
    return found


def _not_dialling(case: Case) -> str:
    silent = [node.name for node in case.lab.nodes if not standins.running(case.lab.machine(node.name), FELIX)]
    return f"no Felix on {silent[0]}" if silent else not_ready(case)


def not_ready(case: Case) -> str:
    """Words while no pod of Typha is ready."""
    found = cluster.find(case.lab.api(), f"{cluster.DEPLOYMENTS}/calico-typha") or {}
    return "" if (found.get("status") or {}).get("readyReplicas") else "no Typha is ready"


def _block(case: Case) -> None:
    _set_up(case)
    case.run(["iptables-nft", *f"-A {_RULE}".split()])
    _dial(case, case.node.address)


def _dial_the_past(case: Case) -> None:
    _set_up(case)
    address = _absent(case)
    old = cluster.named("discovery.k8s.io/v1", "EndpointSlice", "calico-typha-x7k2p", "kube-system")
    old["metadata"]["labels"] = {"kubernetes.io/service-name": _SERVICE}
    old["addressType"] = "IPv4"
    old["endpoints"] = [{"addresses": [address], "conditions": {"ready": True}}]
    old["ports"] = [{"name": "calico-typha", "port": _PORT, "protocol": "TCP"}]
    cluster.create(case, _SLICES, old)
    _dial(case, address)
    words = "%t [WARNING][65] felix/sync_client.go 190: Failed to connect to typha endpoint"
    why = f"dial tcp {address}:{_PORT}: connect: no route to host"
    for node in case.lab.nodes:
        standins.felix_says(
            case, node.name, f"{words} {address}:{_PORT}.  Will try other endpoints if present error={why}"
        )


def _look_elsewhere(case: Case) -> None:
    _set_up(case, service=_WRONG_SERVICE)
    told = {"FELIX_TYPHAK8SSERVICENAME": _WRONG_SERVICE}
    for node in case.lab.nodes:
        # It dials nobody: it finds no address to dial.
        standins.felix(case, case.lab.machine(node.name), told)
        words = "Unable to get Typha service endpoints from Kubernetes"
        why = f'endpoints "{_WRONG_SERVICE}" not found'
        standins.felix_says(case, node.name, f"%t [ERROR][65] felix/discovery.go 180: {words} error={why}")


def _without_node(case: Case) -> None:
    _set_up(case, _NO_NODE)
    _dial(case, case.node.address)


def _not_pending(case: Case) -> str:
    told = [
        each
        for pod in pods(case)
        for each in (pod.get("status") or {}).get("conditions") or []
        if each["type"] == "PodScheduled" and each["status"] == "False"
    ]
    return "" if told else "no Typha pod is Pending"


def _without_typha(case: Case) -> None:
    _set_up(case, _NONE)
    _dial(case, case.node.address)


def _not_down(case: Case) -> str:
    return "" if not_ready(case) else "Typha is ready"


PORT_BLOCKED = Fault(
    id="typha_port_blocked",
    description="the firewall of Typha's host drops TCP 5473 (stand-ins for Typha and Felix)",
    inject=_block,
    heal=_heal,
    missing=_not_dialling,
    default=listener,
    variants=(Variant("host-firewall", "iptables (nft backend), DROP"),),
    breaks_sessions=False,
)

STALE_ENDPOINT = Fault(
    id="typha_stale_endpoint",
    description="a stale EndpointSlice leads Felix to a Typha that is gone (stand-ins for Typha and Felix)",
    inject=_dial_the_past,
    heal=_heal,
    missing=_not_dialling,
    default=listener,
    variants=(Variant("slice", f"host number {_ABSENT_HOST}, which nobody has"),),
    breaks_sessions=False,
)

DISCOVERY = Fault(
    id="typha_discovery_misconfigured",
    description="Felix looks for Typha at a Service that does not exist (stand-ins for Typha and Felix)",
    inject=_look_elsewhere,
    heal=_heal,
    missing=_not_dialling,
    default=listener,
    variants=(Variant("name", f"{_WRONG_SERVICE} in place of {_SERVICE}"),),
    breaks_sessions=False,
)

NOT_SCHEDULED = Fault(
    id="typha_not_scheduled",
    description="Typha's pod finds no node (a stand-in for Felix)",
    inject=_without_node,
    heal=_heal,
    missing=_not_pending,
    default=listener,
    variants=(Variant("selector", "no node has the label that its Deployment asks for"),),
    breaks_sessions=False,
)

DOWN = Fault(
    id="typha_down",
    description="Typha is wanted and its Deployment is scaled to 0 (a stand-in for Felix)",
    inject=_without_typha,
    heal=_heal,
    missing=_not_down,
    default=listener,
    variants=(Variant("scaled", "replicas: 0"),),
    breaks_sessions=False,
)
