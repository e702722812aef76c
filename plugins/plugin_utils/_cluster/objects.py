# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the fact C(calico_cluster) of M(netmedic.calico.cluster_info), or of a bundle (see from_bundle), to Cluster.

    {"schema": 1, "reached": true, "via": "...", "why": "", "taken_at": RFC 3339, "version": "v1.29.3",
     "group": "crd.projectcalico.org/v1", "native_v3": false, "sources": [{"source", "status", "detail", "count"}],
     "objects": {"<plural in lower case>": [object, ...]}, "secrets": [{"namespace", "name", "exists", "keys",
     "readable", "why"}], "workload_pods": {node: n}, "service_endpoints": {node: n}, "environment": {name: text}}

Objects may be cut down or whole. None of them is trusted: whatever is malformed is told and left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._cluster import packing
from .._evidence import plain
from . import calico_objects, felix_objects, nodes, pods, surroundings, values, webhooks, workloads
from .given import Complaints
from .model import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

NODES_OF_CALICO = "caliconodes"


def read(fact: Mapping[str, Any]) -> Cluster:
    """Return what the fact tells. It may have any shape: a fact that is none is a cluster that was not reached."""
    told = plain.mapping(fact)
    complaints = Complaints()
    listed = told.get("objects")
    if listed is not None and not isinstance(listed, dict):
        complaints.add("The objects of the cluster are no object by kind.")
    objects = packing.unpacked(listed)
    version, cluster_type, ready = calico_objects.cluster_information(objects.get("clusterinformations"), complaints)
    environment = _environment(told)
    return Cluster(
        reached=told.get("reached") is True,
        via=plain.text(told.get("via")),
        why=plain.text(told.get("why")),
        taken_at=values.moment(plain.text(told.get("taken_at"))),
        kubernetes_version=plain.text(told.get("version")),
        group=plain.text(told.get("group")),
        native_v3=told.get("native_v3") is True,
        calico_version=version or environment.get("calico_version", ""),
        cluster_type=cluster_type,
        datastore_ready=ready,
        sources=tuple(surroundings.sources(told.get("sources"))),
        secrets=tuple(surroundings.secrets(told.get("secrets"))),
        workload_pods=_counts(told.get("workload_pods")),
        service_endpoints=_counts(told.get("service_endpoints")),
        pool_use=_pairs(told.get("pool_use")),
        environment=environment,
        **_running(objects, complaints),
        **_settings(objects, complaints),
        malformed=complaints.found(),
    )


def _running(objects: Mapping[str, Any], complaints: Complaints) -> dict[str, Any]:
    """What runs where: nodes, workloads, pods, and what may keep them from running."""
    kube_nodes, calico_nodes = nodes.read(
        objects.get("nodes"), objects.get(NODES_OF_CALICO), objects.get("leases"), complaints
    )
    found = (
        *workloads.daemon_sets(objects.get("daemonsets"), complaints),
        *workloads.deployments(objects.get("deployments"), complaints),
    )
    running = tuple(pods.read(objects.get("pods"), complaints))
    slices = objects.get("endpointslices")
    hooks = webhooks.read(
        objects.get("mutatingwebhookconfigurations"),
        objects.get("validatingwebhookconfigurations"),
        slices,
        (found, running),
        complaints,
    )
    return {
        "nodes": kube_nodes,
        "calico_nodes": calico_nodes,
        "workloads": found,
        "pods": running,
        "webhooks": tuple(hooks),
        "services": tuple(surroundings.services(objects.get("services"), slices, complaints)),
        "events": tuple(surroundings.events(objects.get("events"), complaints)),
    }


def _settings(objects: Mapping[str, Any], complaints: Complaints) -> dict[str, Any]:
    """What Calico is told to do."""
    bgp = calico_objects.bgp_configurations(objects.get("bgpconfigurations"), complaints)
    felix = felix_objects.felix_configurations(objects.get("felixconfigurations"), complaints)
    policies = felix_objects.policies(
        objects.get("globalnetworkpolicies"), objects.get("stagedglobalnetworkpolicies"), complaints
    )
    return {
        "pools": tuple(calico_objects.pools(objects.get("ippools"), complaints)),
        "bgp_configurations": {one.name: one for one in bgp},
        "bgp_peers": tuple(calico_objects.bgp_peers(objects.get("bgppeers"), complaints)),
        "bgp_filters": calico_objects.bgp_filters(objects.get("bgpfilters"), complaints),
        "felix_configurations": {one.name: one for one in felix},
        "host_endpoints": tuple(felix_objects.host_endpoints(objects.get("hostendpoints"), complaints)),
        "policies": tuple(policies),
        "installations": tuple(surroundings.installations(objects.get("installations"), complaints)),
        "tigera_statuses": tuple(surroundings.tigera_statuses(objects.get("tigerastatuses"), complaints)),
        "kube_controllers": calico_objects.kube_controllers(objects.get("kubecontrollersconfigurations"), complaints),
        "node_statuses": tuple(calico_objects.node_statuses(objects.get("caliconodestatuses"), complaints)),
        "blocks": tuple(calico_objects.affinities(objects.get("blockaffinities"), complaints)),
        "ipam_used": calico_objects.used(objects.get("ipamblocks"), complaints),
        "config_maps": tuple(surroundings.config_maps(objects.get("configmaps"), complaints)),
    }


def _environment(told: Mapping[str, Any]) -> dict[str, str]:
    return {name: plain.text(value) for name, value in plain.mapping(told.get("environment")).items() if value}


def _counts(value: Any) -> dict[str, int]:
    return {name: plain.count(number) for name, number in plain.mapping(value).items()}


def _pairs(value: Any) -> dict[str, tuple[int, int]]:
    pairs = {name: plain.sequence(pair) for name, pair in plain.mapping(value).items()}
    return {name: (plain.count(pair[0]), plain.count(pair[1])) for name, pair in pairs.items() if len(pair) == 2}
