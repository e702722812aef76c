# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a whole Kubernetes object to what is kept of it: the same shape with fewer fields.

Used on what the API answers and on objects in bundles alike, so that one reader reads both. Nothing here raises,
whatever an object looks like; and what is pruned already comes out as it went in.
"""

from __future__ import annotations

from . import prune_nodes, prune_settings, prune_workloads
from .shapes import metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

BY_KIND: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "nodes": prune_nodes.node,
    "pods": prune_nodes.pod,
    "events": prune_nodes.event,
    "leases": prune_nodes.lease,
    "daemonsets": prune_workloads.workload,
    "deployments": prune_workloads.workload,
    "services": prune_workloads.service,
    "endpointslices": prune_workloads.endpoint_slice,
    "configmaps": prune_workloads.config_map,
    "ippools": prune_settings.setting,
    "bgpconfigurations": prune_settings.bgp_configuration,
    "bgppeers": prune_settings.peer,
    "bgpfilters": prune_settings.setting,
    "felixconfigurations": prune_settings.setting,
    "hostendpoints": prune_settings.bare_setting,
    "globalnetworkpolicies": prune_settings.bare_setting,
    "caliconodestatuses": prune_settings.node_status,
    "blockaffinities": prune_settings.block_affinity,
    "ipamblocks": prune_settings.ipam_block,
    "kubecontrollersconfigurations": prune_settings.status_and_spec,
    "clusterinformations": prune_settings.status_and_spec,
    "installations": prune_settings.installation,
    "tigerastatuses": prune_settings.status_only,
    "mutatingwebhookconfigurations": prune_settings.webhook_configuration,
    "validatingwebhookconfigurations": prune_settings.webhook_configuration,
    "apiservices": prune_settings.api_service,
    "customresourcedefinitions": prune_settings.name_only,
}


def prune(plural: str, found: Any) -> dict[str, Any]:
    """Return what is kept of an object of this kind (lower-case plural, as in the fact C(calico_cluster)).

    Of a kind that is not known here (a secret, say) only the metadata's names stay; what is no object becomes {}.
    """
    kept = BY_KIND.get(plural, metadata)(found) if isinstance(found, dict) else {}
    return {name: item for name, item in kept.items() if item is not None}
