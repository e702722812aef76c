# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Circumstances that make some faults likelier than they are elsewhere."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING

from . import kube_symptoms
from . import symptoms as kinds
from .dataplane_table import DATAPLANE_CONTEXTS
from .model import Context

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._evidence.evidence import Evidence
    from .model import Symptom

_CLOUDS = ("aws", "gcp", "google", "azure", "openstack", "ibm", "alibaba", "digitalocean", "oracle", "hetzner")
_TWO_NETWORKS = ("virtualbox", "vagrant")
# From 3.0 on confd itself watches the datastore (Typha or API); before, it asked from time to time and missed things.
_OLD = ("1.", "2.")


def _provider(*names: str) -> Callable[[Evidence, Symptom], str]:
    def holds(evidence: Evidence, symptom: Symptom) -> str:
        told = (evidence.cluster.environment.get("provider", "") if evidence.cluster else "").lower()
        return f"the provider is {told}" if any(name in told for name in names) else ""

    return holds


def _old_release(evidence: Evidence, symptom: Symptom) -> str:
    told = evidence.cluster.environment.get("calico_version", "") if evidence.cluster else ""
    return f"Calico {told} is very old" if told.lstrip("v").startswith(_OLD) else ""


def _peers(symptom: Symptom) -> list[str]:
    return [session.other(side).address for session in symptom.sessions for side, _o in session.sides() if side.node]


def _peer_is_public(evidence: Evidence, symptom: Symptom) -> str:
    """Mesh peers seldom speak with each other over the Internet: one of them has taken a public address."""
    public = [address for address in _peers(symptom) if _is_public(address)]
    return f"the peer's address {public[0]} is a public one" if public else ""


@lru_cache(maxsize=4096)
def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_global
    except ValueError:
        return False


def _all_alike(evidence: Evidence, symptom: Symptom) -> str:
    """Several peers treat one node alike: it is the node that is odd, not each of them."""
    several = len(symptom.sessions) > 1 and symptom.kind in (kinds.RESET, kinds.CLOSED)
    return f"all {len(symptom.sessions)} peers end it in the same way" if several else ""


def _others_answer(evidence: Evidence, symptom: Symptom) -> str:
    """A node that has sessions with some can call and be called: each that is silent to it has a reason of its own."""
    if symptom.kind not in (kinds.SILENT, kinds.UNREACHABLE) or len(symptom.sessions) < 2:
        return ""
    nodes = [evidence.nodes[name] for name in symptom.here if name in evidence.nodes]
    up = sum(len(daemon.established) for node in nodes for daemon in node.daemons.values())
    return f"{len(symptom.sessions)} peers are silent and {up} others are not" if up else ""


def _peer_has_no_calico(evidence: Evidence, symptom: Symptom) -> str:
    """calicoctl on the other end's node says that Calico does not run there; a node may be told without its address."""
    if not symptom.sessions:
        return ""
    for node in kube_symptoms.silent_nodes(evidence):
        nameless = not node.addresses and not node.bgp_addresses
        unread = any(name not in evidence.nodes for name in symptom.there)
        if node.name in symptom.there or (nameless and unread):
            return f"calicoctl finds no process of Calico's on {node.name}"
    return ""


CONTEXTS = (
    *DATAPLANE_CONTEXTS,
    Context(
        "cloud",
        _provider(*_CLOUDS),
        {"tcp179_blocked_network": 2, "tcp179_blocked_host_firewall": 0.7, "cloud_source_dest_check": 3},
    ),
    Context("two networks", _provider(*_TWO_NETWORKS), {"wrong_ip_autodetection": 4}),
    Context("old release", _old_release, {"bird_reload_stuck": 2}),
    Context("public peer", _peer_is_public, {"wrong_ip_autodetection": 3}),
    Context(
        "others answer",
        _others_answer,
        {
            "stale_node_in_mesh": 2,
            "peer_node_down": 2,
            "tcp179_blocked_host_firewall": 0.8,
            "tcp179_blocked_network": 0.8,
        },
    ),
    Context(
        "peer without Calico",
        _peer_has_no_calico,
        {
            "peer_bird_not_running": 8,
            "wrong_ip_autodetection": 0.3,
            "stale_node_in_mesh": 0.2,
            "calico_bug_passive": 0.3,
        },
    ),
    Context("all alike", _all_alike, {"bird_reload_stuck": 1.3, "wrong_ip_autodetection": 1.3, "bgp_source_nat": 1.2}),
)
