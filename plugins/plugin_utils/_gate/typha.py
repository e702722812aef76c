# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Typha is meant to be and how it is: wanted by Felix, its Deployment, its pods, its Service's endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import model
from .model import Wrong
from .nodes import short

if TYPE_CHECKING:
    from .._cluster.model import Cluster, Pod, Service, Workload

SERVICE_NAME, NAMESPACE, ADDRESS = "FELIX_TYPHAK8SSERVICENAME", "FELIX_TYPHAK8SNAMESPACE", "FELIX_TYPHAADDR"
DEFAULT_NAMESPACE = "kube-system"
PORT = 5473
_OFF = ("", "none")


@dataclass(frozen=True)
class Typha:
    """Typha in the cluster. wanted: calico-node is told to use it; service: as namespace/name, where told.

    known: Deployments and pods were read, so that there being none means something.
    """

    wanted: bool
    service: str
    known: bool
    workloads: tuple[Workload, ...]
    pods: tuple[Pod, ...]
    services: tuple[Service, ...]

    @property
    def ready(self) -> tuple[Pod, ...]:
        """The Typhas that are ready to serve."""
        return tuple(pod for pod in self.pods if pod.ready and not pod.deleting)

    @property
    def unscheduled(self) -> tuple[Pod, ...]:
        """The Typhas that no node was found for."""
        return tuple(pod for pod in self.pods if is_unscheduled(pod))

    @property
    def addresses(self) -> frozenset[str]:
        """Where Typhas are: their pods' addresses, and the endpoints of their Service."""
        targets = {target[0] for service in self.services for target in service.targets}
        return frozenset(targets | {pod.address for pod in self.pods if pod.address})


def is_unscheduled(pod: Pod) -> bool:
    """No node was found for the pod yet."""
    placed = pod.condition("PodScheduled")
    return not pod.node and pod.phase in ("Pending", "") and (placed is None or placed.status == "False")


def of(cluster: Cluster) -> Typha:
    """Typha as the API's objects tell of it."""
    service = _told_service(cluster)
    workloads = tuple(one for one in cluster.workloads if one.component == "typha")
    pods = cluster.pods_of("typha")
    wanted = bool(service) or bool(cluster.installations) or _told_address(cluster)
    known = bool(workloads or pods) or (cluster.read("deployments") and cluster.read("pods"))
    name = service.rpartition("/")[2]
    services = tuple(one for one in cluster.services if one.name == name or "typha" in one.name)
    return Typha(wanted, service, known, workloads, pods, services)


def wrong(cluster: Cluster) -> Wrong | None:
    """Why calico-node can have no Typha; None where one serves, none is needed, or nothing is known."""
    typha = of(cluster)
    if not (typha.wanted and typha.known) or typha.ready:
        return None
    if not typha.pods:
        if any(one.desired == 0 for one in typha.workloads):
            return Wrong(model.TYPHA, "scaled_to_zero", "Typha's Deployment is scaled to 0", "deployment")
        missing = "Typha's Deployment has no pods" if typha.workloads else "there is no Typha Deployment"
        return Wrong(model.TYPHA, "missing", f"calico-node is told to use Typha, and {missing}", "deployment")
    if len(typha.unscheduled) == len(typha.pods):
        placed = typha.pods[0].condition("PodScheduled")
        why = f" ({short(placed.message)})" if placed and placed.message else ""
        return Wrong(model.TYPHA, "not_scheduled", f"no node was found for any Typha pod{why}", "pods")
    return Wrong(model.TYPHA, "not_ready", f"none of {len(typha.pods)} Typha pods is ready{_troubles(typha)}", "pods")


def _troubles(typha: Typha) -> str:
    reasons = sorted({one.reason for pod in typha.pods for one in pod.containers if one.reason})
    return f" ({', '.join(reasons)})" if reasons else ""


def _told_service(cluster: Cluster) -> str:
    """The Service at which calico-node looks for Typha, by its own environment or the ConfigMap behind that."""
    for agent in cluster.node_agents:
        container = agent.container("calico-node")
        if container is not None:
            name = container.env.get(SERVICE_NAME) or _from_config_map(
                cluster, container.env_from.get(SERVICE_NAME, "")
            )
            if name not in _OFF:
                return f"{container.env.get(NAMESPACE) or DEFAULT_NAMESPACE}/{name}"
    return ""


def _from_config_map(cluster: Cluster, source: str) -> str:
    """The value behind "configmap NAME/KEY"."""
    name, _slash, key = source.rpartition(" ")[2].partition("/")
    return next((one.data.get(key, "") for one in cluster.config_maps if one.name == name), "")


def _told_address(cluster: Cluster) -> bool:
    containers = [agent.container("calico-node") for agent in cluster.node_agents]
    return any(one is not None and one.env.get(ADDRESS, "") not in _OFF for one in containers)
