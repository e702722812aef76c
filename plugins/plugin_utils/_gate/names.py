# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host of the inventory is which Node of Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._evidence.evidence import Evidence


def inventory_names(evidence: Evidence) -> Mapping[str, str]:
    """By each Node's name in Kubernetes the name that the inventory has for it; Nodes it does not know keep theirs."""
    return {one.record: one.name for one in evidence.registered if one.kube is not None}
