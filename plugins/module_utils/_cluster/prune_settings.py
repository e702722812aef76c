# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's and its operator's own objects, and what of the API's own machinery bears on them."""

from __future__ import annotations

from . import redact
from .managed import reduced
from .shapes import conditions, fields, is_of_calico, mapping, metadata, part, parts, put, scalar, sequence, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LABEL_ANY_ANNOTATION = ("labels", "ownerReferences", "creationTimestamp")
_COUNTS = ("numberEstablishedV4", "numberNotEstablishedV4", "numberEstablishedV6", "numberNotEstablishedV6")
# Up to so many peers of a node are told one by one, of more only those that are not established.
_MOST_PEERS = 50


def setting(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an object whose spec is settings (IPPool, BGPPeer …): the spec stays, but for secrets' values."""
    kept = fields(found, ("apiVersion",))
    kept.update(metadata(found, *_LABEL_ANY_ANNOTATION, annotations=is_of_calico))
    meta = kept.get("metadata")
    if isinstance(meta, dict):
        put(meta, "managedFields", reduced(found))
    part(kept, found, "spec", redact.value)
    part(kept, found, "status", lambda status: {"conditions": conditions(status)} if "conditions" in status else {})
    return kept


def peer(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a BGPPeer; of its password only the reference stays."""
    return _with_references(found, ("password",))


def bgp_configuration(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a BGPConfiguration; of the mesh's password only the reference stays."""
    return _with_references(found, ("nodeMeshPassword",))


def _with_references(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = setting(found)
    spec, written = kept.get("spec"), mapping(found.get("spec"))
    if isinstance(spec, dict):
        for name in names:
            if written.get(name) is not None:
                spec[name] = redact.references(written[name])
    return kept


def bare_setting(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an object of which there are many (HostEndpoints, policies): like a setting, without writers."""
    kept = metadata(found, "labels", annotations=is_of_calico)
    part(kept, found, "spec", redact.value)
    return kept


def block_affinity(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a BlockAffinity."""
    kept = metadata(found)
    part(kept, found, "spec", lambda spec: _without_no(fields(spec, ("cidr", "node", "state", "type", "deleted"))))
    return kept


def _without_no(spec: dict[str, Any]) -> dict[str, Any]:
    usual = {"deleted": ("false", False), "type": ("host", "")}
    return {name: item for name, item in spec.items() if item not in usual.get(name, ())}


def ipam_block(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an IPAMBlock to its prefix, the node that holds it, and how many of its addresses are in use."""
    kept = metadata(found)
    part(kept, found, "spec", lambda spec: fields(spec, ("cidr", "affinity")))
    allocations = mapping(found.get("spec")).get("allocations")
    if isinstance(allocations, list):
        kept["used"] = sum(one is not None for one in allocations)
    else:
        kept.update(fields(found, ("used",)))  # pruned already
    return kept


def installation(found: dict[str, Any]) -> dict[str, Any]:
    """Prune the operator's Installation: spec, what the operator made of it, conditions."""
    kept = setting(found)
    part(kept, found, "status", _installation_status)
    return kept


def _installation_status(status: dict[str, Any]) -> dict[str, Any]:
    kept = fields(status, ("variant", "mtu", "calicoVersion"))
    part(kept, status, "computed", redact.value)
    put(kept, "conditions", conditions(status))
    return kept


def status_only(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an object of which only the conditions count (TigeraStatus)."""
    kept = metadata(found)
    part(kept, found, "status", lambda status: {"conditions": conditions(status)})
    return kept


def node_status(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a CalicoNodeStatus: BIRD's state and the peers, without routes."""
    kept = metadata(found)
    part(kept, found, "spec", lambda spec: {**fields(spec, ("node", "updatePeriodSeconds")), **_classes(spec)})
    part(kept, found, "status", _reported)
    return kept


def _classes(spec: dict[str, Any]) -> dict[str, Any]:
    found = spec.get("classes")
    return {"classes": [scalar(one) for one in found[:8]]} if isinstance(found, list) else {}


def _reported(status: dict[str, Any]) -> dict[str, Any]:
    kept = fields(status, ("lastUpdated",))
    part(kept, status, "agent", redact.value)
    part(kept, status, "bgp", _sessions)
    return kept


def _sessions(bgp: dict[str, Any]) -> dict[str, Any]:
    kept = fields(bgp, _COUNTS)
    for name in ("peersV4", "peersV6"):
        few = len(sequence(bgp.get(name))) <= _MOST_PEERS
        parts(kept, bgp, name, lambda one, all_of_them=few: _session(one, all_of_them))  # type: ignore[misc]
    return kept


def _session(one: dict[str, Any], wanted: bool) -> dict[str, Any]:
    wanted = wanted or one.get("state") != "Established"
    return fields(one, ("peerIP", "type", "state", "since")) if wanted else {}


def status_and_spec(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a KubeControllersConfiguration or ClusterInformation."""
    kept = setting(found)
    part(kept, found, "status", redact.value)
    return kept


def api_service(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an APIService: who serves the group, and whether that works."""
    kept = metadata(found)
    part(
        kept, found, "spec", lambda spec: {"service": redact.value(spec.get("service"))} if spec.get("service") else {}
    )
    part(kept, found, "status", lambda status: {"conditions": conditions(status)})
    return kept


def name_only(found: dict[str, Any]) -> dict[str, Any]:
    """Prune an object of which only the name counts."""
    return metadata(found)


def webhook_configuration(found: dict[str, Any]) -> dict[str, Any]:
    """Prune a configuration of admission webhooks, without certificates."""
    kept = metadata(found, "labels", "ownerReferences", "creationTimestamp")
    parts(kept, found, "webhooks", _webhook)
    return kept


def _webhook(found: dict[str, Any]) -> dict[str, Any]:
    kept = fields(found, ("name", "failurePolicy", "timeoutSeconds", "matchPolicy", "reinvocationPolicy"))
    for name in ("namespaceSelector", "objectSelector"):
        part(kept, found, name, redact.value)
    for name in ("rules", "matchConditions"):
        parts(kept, found, name, redact.value)
    part(kept, found, "clientConfig", _client)
    return kept


def _client(config: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    part(kept, config, "service", lambda one: fields(one, ("namespace", "name", "port", "endpointsReady")))
    url = word(config.get("url"))
    if url:
        # The host says who is asked; a path may hold a key.
        scheme, _sep, rest = redact.text(url, 2000).partition("://")
        kept["url"] = f"{scheme}://{rest.partition('/')[0].partition('?')[0]}"
    return kept
