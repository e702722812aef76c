# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults the lab can make, in the catalogue's order. A new family is one more file and its entries here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    address,
    bird_process,
    clock,
    config_rejected,
    firewall,
    machine_off,
    membership,
    mtu,
    network,
    password,
    port_conflict,
    registration,
    reload_stuck,
    undetermined,
)

if TYPE_CHECKING:
    from .model import Fault

FAULTS: tuple[Fault, ...] = (
    firewall.BLOCKED,
    firewall.LATENT,
    network.BLOCKED,
    address.STALE,
    address.DUPLICATE,
    membership.STALE_NODE,
    machine_off.DOWN,
    bird_process.PEER_NOT_RUNNING,
    registration.AS_MISMATCH,
    registration.DUPLICATE_ROUTER_ID,
    password.MISMATCH,
    port_conflict.CONFLICT,
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
