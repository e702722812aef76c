# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults the lab can make, in the catalogue's order. A new family is one more file and its entries here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    address,
    autodetection,
    bird_process,
    clock,
    config_rejected,
    firewall,
    kubelet,
    machine_off,
    membership,
    mtu,
    network,
    outside,
    password,
    peers,
    port_conflict,
    ports,
    ranges,
    registered_address,
    registration,
    reload_stuck,
    scheduling,
    secrets,
    sessions_planned,
    undetermined,
)

if TYPE_CHECKING:
    from .model import Fault

FAULTS: tuple[Fault, ...] = (
    firewall.BLOCKED,
    firewall.LATENT,
    network.BLOCKED,
    autodetection.WRONG,
    autodetection.VIP,
    autodetection.FOUND_NOTHING,
    autodetection.NO_IPV4,
    address.STALE,
    registered_address.NOT_ON_HOST,
    registered_address.MASK_32,
    registered_address.NO_INTERNAL_IP,
    address.DUPLICATE,
    membership.STALE_NODE,
    machine_off.DOWN,
    bird_process.PEER_NOT_RUNNING,
    scheduling.NOT_SCHEDULED,
    scheduling.DAEMONSET_MISSING,
    scheduling.WEBHOOK,
    kubelet.NOT_READY,
    kubelet.FLAPPING,
    registration.AS_MISMATCH,
    registration.DUPLICATE_ROUTER_ID,
    peers.WRONG_ADDRESS,
    peers.SELECTS_NOTHING,
    sessions_planned.MESH_OFF,
    sessions_planned.REFLECTORS,
    secrets.UNREADABLE,
    password.MISMATCH,
    outside.ROUTER,
    ranges.SERVICES,
    port_conflict.CONFLICT,
    ports.CHANGED,
    bird_process.NOT_RUNNING,
    bird_process.HUNG,
    reload_stuck.STUCK,
    config_rejected.REJECTED,
    mtu.MISMATCH,
    clock.MISSING,
    bird_process.TRANSIENT,
    undetermined.UNDETERMINED,
)
MACHINE_OFF = machine_off.DOWN.id
