# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All faults in one explicit order: the order decides between explanations that are otherwise equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import bgp_config, bird_confd, bird_config, host, membership, node_address, not_a_fault, reachability

if TYPE_CHECKING:
    from .model import Fault

FAULTS: tuple[Fault, ...] = (
    *node_address.FAULTS,
    *bird_confd.FAULTS,
    *bird_config.FAULTS,
    *membership.FAULTS,
    *reachability.FAULTS,
    *bgp_config.FAULTS,
    *host.MTU_FAULTS,
    *host.TIME_FAULTS,
    *not_a_fault.NOT_A_FAULT,
    *not_a_fault.UNKNOWN,
)
BY_ID = {fault.id: fault for fault in FAULTS}
