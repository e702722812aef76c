# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose chains stand in which of iptables' two backends.

A packet passes the rules of both, but a program sees only its own backend's: with Calico in one and kube-proxy or a
host firewall in the other, the order in which they are met is no one's intention. Kubelet leaves chains in the backend
that it takes for the system's (KUBE-IPTABLES-HINT, KUBE-KUBELET-CANARY; pkg/kubelet/kubelet_network_linux.go).
"""

from __future__ import annotations

from . import owners

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .model import Table

_KUBELET = ("KUBE-IPTABLES-HINT", "KUBE-KUBELET-CANARY", "KUBE-FIREWALL", "KUBE-MARK-DROP")


def owners_by_backend(tables: Iterable[Table]) -> dict[str, list[str]]:
    """Return {"iptables-legacy": ["calico", "kubelet"], …}, by the names of chains alone: no rule is
    parsed for it."""
    found: dict[str, set[str]] = {}
    for table in tables:
        known = found.setdefault(table.backend, set())
        known.update("kubelet" if name in _KUBELET else owners.of_chain(name) for name in table.chains)
    return {backend: sorted(known - {owners.UNKNOWN}) for backend, known in found.items()}
