# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Calico keeps in the API is gone."""

from __future__ import annotations

from ..api_client import CALICO
from . import cluster
from .model import Case, Fault, Variant


def _lose_pools(case: Case) -> None:
    for pool in case.lab.api().get(f"{CALICO}/ippools")["items"]:
        cluster.delete(case, f"{CALICO}/ippools/{pool['metadata']['name']}")


def _not_lost(case: Case) -> str:
    return "there are still pools" if case.lab.api().get(f"{CALICO}/ippools")["items"] else ""


LOST_DATA = Fault(
    id="datastore_lost_data",
    description="Calico's IPPools are deleted while blocks of them are in use",
    inject=_lose_pools,
    heal=cluster.undo,
    missing=_not_lost,
    default=None,
    ghost="ippools",
    variants=(Variant("pools", "every IPPool"),),
    breaks_sessions=False,
)
