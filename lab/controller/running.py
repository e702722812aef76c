# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller as a whole: its threads, and what they know of containers' logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import LabError
from . import hosts
from .addresses import Addresses
from .confd import KINDS as REGISTERED
from .confd import Confd
from .context import Context
from .daemonsets import DaemonSets
from .deployments import Deployments
from .endpoints import EndpointSlices
from .garbage import Garbage
from .kubelet import Kubelets, log_directory
from .lifecycle import PERIOD, Nodes
from .overlay import KINDS as OVERLAY
from .overlay import Overlay
from .scheduler import Scheduler
from .worker import Worker

if TYPE_CHECKING:
    from ..api.store import Store
    from ..state import State
    from .objects import Object


class Controller:
    """The controller's threads, running from the start."""

    def __init__(self, state: State, store: Store) -> None:
        context = Context(state, store)
        confd = Confd(context)
        kubelets = Kubelets(context, confd)
        self._context = context
        # Whoever is first on a node must be known before anything is rendered.
        self._workers = [
            Worker(context, "kubelets", ("pods",), kubelets.work),
            Worker(context, "confd", REGISTERED, confd.work),
            Worker(context, "nodes", ("nodes",), Nodes(context).work, PERIOD),
            Worker(context, "daemonsets", ("daemonsets", "pods", "nodes"), DaemonSets(context).work),
            Worker(context, "deployments", ("deployments", "replicasets", "pods"), Deployments(context).work),
            Worker(context, "scheduler", ("pods", "nodes"), Scheduler(context).work),
            Worker(context, "garbage", ("pods", "nodes"), Garbage(context).work),
            Worker(context, "addresses", ("pods",), Addresses(context).work),
            Worker(context, "overlay", OVERLAY, Overlay(context).work),
            Worker(context, "endpointslices", ("services", "pods"), EndpointSlices(context).work),
        ]
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End the threads."""
        self._context.ended.set()
        for worker in self._workers:
            worker.wake()
        for worker in self._workers:
            worker.join(10)

    def log(self, pod: Object, container: str = "") -> str:
        """What a container has written, "" for one that is not really there."""
        lab = self._context.lab
        node = pod["spec"].get("nodeName", "")
        name = container or pod["spec"]["containers"][0]["name"]
        if node not in {each.name for each in lab.nodes}:
            return ""
        try:
            return hosts.read_log(lab.machine(node), log_directory(pod, name))
        except LabError:
            return ""
