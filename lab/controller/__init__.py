# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kubernetes' and Calico's controllers do in a cluster, done for the lab: objects change, machines follow.

`seed(state, store)` fills a store with the cluster's objects; `start(state, store)` starts the controller's threads in
the process that serves the API. The parts: `confd` renders BIRD's configuration from the objects, `kubelet` runs
calico-node on the machines (with its autodetection, `startup`, and its readiness probe, `readiness`), `daemonsets`,
`deployments`, `scheduler`, `endpoints` and `lifecycle` do what the controllers of those names do in Kubernetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..api.store import Store
    from ..state import State
    from .running import Controller

__all__ = ["seed", "start"]


def seed(state: State, store: Store) -> None:
    """Fill the store with the objects of the lab's cluster."""
    from .seeding import seed as fill

    fill(state, store)


def start(state: State, store: Store) -> Controller:
    """Start the controller's threads; `stop()` ends them, `log(pod, container)` gives what a container has said."""
    from .running import Controller

    return Controller(state, store)
