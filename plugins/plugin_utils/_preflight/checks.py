# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of preflight in their order, which decides between findings that are equally grave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import duplicates, filters, fitness, leftovers, matrix, networks, objects, picks, taken_ports, upgrade

if TYPE_CHECKING:
    from .model import Check

CHECKS: tuple[Check, ...] = (
    matrix.findings,
    picks.findings,
    networks.findings,
    duplicates.findings,
    taken_ports.findings,
    fitness.findings,
    filters.findings,
    leftovers.findings,
    objects.findings,
    upgrade.findings,
)
