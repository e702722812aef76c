# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EndpointSlices follow the pods that Services select."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .cluster.workloads import endpoint_slice

if TYPE_CHECKING:
    from .context import Context
    from .objects import Object

MANAGER = "kube-controller-manager"


class EndpointSlices:
    """All Services with a selector."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def work(self) -> None:
        """Write the slices that are not as they should be."""
        everything = self._context.list("pods")
        for service in self._context.list("services"):
            if service["spec"].get("selector"):
                self._follow(endpoint_slice(service, everything))

    def _follow(self, wanted: Object) -> None:
        metadata = wanted["metadata"]
        found = self._context.get("endpointslices", metadata["namespace"], metadata["name"])
        if found is None:
            self._context.create("endpointslices", wanted, MANAGER)
        elif (found.get("endpoints") or []) != wanted["endpoints"] or found.get("ports") != wanted["ports"]:
            fields = {"endpoints": wanted["endpoints"], "ports": wanted["ports"]}
            self._context.update("endpointslices", found, fields, MANAGER)
