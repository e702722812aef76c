# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pod garbage collector does: pods that are to end on a Node that is gone have no kubelet to end them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .context import Context


class Garbage:
    """Pods that nobody else would ever take away. Kubernetes' own waits 40 s more; nobody here needs that."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def work(self) -> None:
        """Take them away."""
        nodes = {node["metadata"]["name"] for node in self._context.list("nodes")}
        for pod in self._context.list("pods"):
            node = pod["spec"].get("nodeName")
            if node and node not in nodes and "deletionTimestamp" in pod["metadata"]:
                self._context.delete("pods", pod, grace_seconds=0)
