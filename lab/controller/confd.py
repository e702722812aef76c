# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Confd's part: when something registered changes, every node's configuration follows, and the live sessions."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from .. import confd
from ..errors import LabError
from . import cluster, hosts, registered
from .kubelet import log_directory
from .names import CALICO_NODE, KUBE_SYSTEM

if TYPE_CHECKING:
    from .context import Context

FILE = "datastore.json"
KINDS = registered.KINDS


class Confd:
    """Keeps the lab's datastore file and the nodes' files as the objects say."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        # Until a kubelet has told: whether there shall be a BIRD.
        plan = context.lab.plan
        self._planned = {node.name: cluster.environment(plan, node) for node in plan.nodes}
        self._warned: tuple[str, ...] = ()

    def work(self) -> None:
        """Follow."""
        self.follow()

    def follow(self) -> bool:
        """Let file and nodes follow if something has changed; returns when they have."""
        with self._lock:
            context = self._context
            found = {plural: context.list(plural) for plural in KINDS}
            derived = registered.derive(found, {**self._planned, **context.environments})
            changed: bool = derived.data != context.state.read(FILE)
            if changed:
                context.state.write(FILE, derived.data)
                refused = context.lab.render_all()
                if refused:
                    context.say(f"BIRD refuses the configuration of {', '.join(refused)}")
            if derived.warnings != self._warned:
                self._warned = derived.warnings
                self._warn(derived.warnings)
            return changed

    def _warn(self, warnings: tuple[str, ...]) -> None:
        """Say what confd says: in its own log on each node, and in that of calico-node's container."""
        context = self._context
        pods = context.list("pods", KUBE_SYSTEM, k8s_app=CALICO_NODE) if warnings else []
        by_node = {each["spec"].get("nodeName", ""): each for each in pods}
        stamp = time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime())
        lines = [f"{stamp} [WARNING][45] confd/client.go 1021: {words}" for words in warnings]
        for node in context.lab.nodes if warnings else ():
            machine = context.lab.machine(node.name)
            try:
                for words in warnings:
                    confd.log(machine, "WARNING", words)
                if node.name in by_node:
                    pod = by_node[node.name]
                    states = (pod.get("status") or {}).get("containerStatuses") or [{}]
                    directory = log_directory(pod, CALICO_NODE)
                    hosts.write_log(machine, directory, states[0].get("restartCount", 0), lines)
            except (LabError, OSError):
                continue
