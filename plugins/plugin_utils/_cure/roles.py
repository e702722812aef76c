# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles that repair, by name, each with the function that decides what it does. One line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import (
    bgp_firewall,
    bgp_password,
    host_network,
    ip_autodetection,
    ippool_encapsulation,
    mtu,
    node_recovery,
    operator_migration,
    rolling_restart,
    stale_nodes,
    time_sync,
)

if TYPE_CHECKING:
    from .model import Decide

ROLES: dict[str, Decide] = {
    "bgp_firewall": bgp_firewall.changes,
    "bgp_password": bgp_password.changes,
    "host_network": host_network.changes,
    "ip_autodetection": ip_autodetection.changes,
    "ippool_encapsulation": ippool_encapsulation.changes,
    "mtu": mtu.changes,
    "node_recovery": node_recovery.changes,
    "operator_migration": operator_migration.changes,
    "rolling_restart": rolling_restart.changes,
    "stale_nodes": stale_nodes.changes,
    "time_sync": time_sync.changes,
}
