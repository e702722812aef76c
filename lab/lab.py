# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab as an object: bring it up, ask it, change what is registered, take it down.

    with Lab.up(nodes=4) as lab:
        lab.exec("node-1", ["birdc", "-s", "/run/calico/bird.ctl", "show", "protocols"])

`Lab(state)` is a lab that already runs.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from . import api_client, bird_config, confd, datastore, lifecycle, status, waiting
from .errors import LabError
from .faults import active, engine
from .machine import Machine
from .peerings import has_bird
from .progress import Say, quiet
from .readiness import Pending, expected_sessions
from .state import State
from .topology import Node, Plan, plan

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from types import TracebackType

    from .faults.model import Case

PathLike = str | os.PathLike[str]
_WORKERS = 8
# The kubelets that are stopped: a list of nodes.
KUBELETS = "kubelets.json"
# The nodes that reach no registry of images: a list.
NO_REGISTRY = "no-registry.json"


class Lab:
    """One lab, named by its state directory."""

    def __init__(self, state: State | PathLike | None = None, say: Say = quiet) -> None:
        """Attach to the lab of a state directory; LabError if there is none."""
        self.state = state if isinstance(state, State) else State(state)
        self.say = say
        shape = self.state.read("lab.json")
        if not shape:
            raise LabError(f"there is no lab in {self.state.directory}; start one with: python -m lab up")
        self.plan: Plan = plan(shape["topology"], shape["nodes"])
        self.image = str(shape["image"])

    @classmethod
    def up(cls, nodes: int = 4, topology: str = "one_subnet", state: PathLike | None = None, say: Say = quiet) -> Lab:
        """A lab of this shape with all its sessions established and its clocks synchronised; see `lifecycle.up`."""
        directory = State(state)
        lifecycle.up(directory, plan(topology, nodes), say)
        return cls(directory, say)

    def down(self) -> None:
        """End the lab and everything that belongs to it."""
        lifecycle.down(self.state, self.say)

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The planned nodes, in order."""
        return self.plan.nodes

    @property
    def inventory(self) -> str:
        """Path of the Ansible inventory."""
        return str(self.state.path("inventory.yml"))

    @property
    def fabric(self) -> Machine:
        """The machine that is the network between the nodes."""
        return Machine(self.state, "fabric")

    def machine(self, name: str) -> Machine:
        """The machine of a node (or "fabric"); UsageError if there is no such node."""
        return self.fabric if name == "fabric" else Machine(self.state, self.plan.node(name).name)

    def exec(
        self, node: str, argv: Sequence[str], *, check: bool = False, text_input: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node, as root, in all its namespaces."""
        return self.machine(node).exec(argv, check=check, text_input=text_input, timeout=timeout)

    def data(self) -> datastore.Data:
        """What is registered now: the base with the patches of the active faults."""
        return datastore.merged(self.state.read("datastore.json", {}), active.patches(self.state))

    def render(self, name: str) -> dict[str, str]:
        """BIRD's files for a node from what is registered now."""
        return bird_config.render(datastore.seen_by(self.data(), name), name)

    def render_all(self) -> list[str]:
        """Let every running node's configuration follow what is registered; the nodes where the check refused it."""
        return self.render_nodes([node.name for node in self.nodes])

    def render_nodes(self, names: Sequence[str]) -> list[str]:
        """The same for some of the nodes. Commands and the API's controller may ask for it at the same time."""
        with self.state.held("render.lock"):
            data = self.data()

            def one(name: str) -> str:
                machine = self.machine(name)
                view = datastore.seen_by(data, name)
                if not machine.running or name not in view["nodes"] or not has_bird(view["nodes"][name]):
                    return ""
                return "" if confd.apply(machine, bird_config.render(view, name)) else name

            with ThreadPoolExecutor(_WORKERS) as pool:
                return [name for name in pool.map(one, names) if name]

    def expected_sessions(self) -> dict[str, dict[str, int]]:
        """By node and address family, how many BGP sessions it shall have by what is registered now."""
        data = self.data()
        views = {node.name: datastore.seen_by(data, node.name) for node in self.nodes}
        return {name: expected_sessions(view, name) for name, view in views.items() if name in view["nodes"]}

    @property
    def kubeconfig(self) -> str:
        """Path of the administrator's kubeconfig; LabError if the lab has no API."""
        return api_client.kubeconfig(self.state)

    def api(self, user: str = "") -> api_client.Client:
        """A small client of the lab's API, as administrator, or as "netmedic" with the RBAC that the project ships."""
        return api_client.Client(self.state, user)

    def stop_kubelet(self, node: str) -> None:
        """Let a node's kubelet do nothing any more: what runs there goes on, the API hears no more of it."""
        self._switch_kubelets(self.plan.node(node).name, stopped=True)

    def start_kubelet(self, node: str) -> None:
        """Let it go on."""
        self._switch_kubelets(self.plan.node(node).name, stopped=False)

    def cut_registry(self, node: str, *, cut: bool) -> None:
        """Let a node's kubelet reach no registry (or one again): it has only the images that it has run before."""
        name = self.plan.node(node).name
        others = [each for each in self.state.read(NO_REGISTRY, []) if each != name]
        self.state.write(NO_REGISTRY, [*others, name] if cut else others)

    def _switch_kubelets(self, node: str, *, stopped: bool) -> None:
        others = [each for each in self.state.read(KUBELETS, []) if each != node]
        self.state.write(KUBELETS, [*others, node] if stopped else others)

    def wait_ready(self, limit: float = 90) -> None:
        """Return once all sessions are established and all clocks synchronised; LabError says what is not."""
        machines = [self.machine(node.name) for node in self.nodes]
        pending = Pending(machines, self.expected_sessions())
        waiting.until(pending.missing, "BGP and clocks", limit, say=self.say)

    def make(self, fault: str, node: str | None = None, variant: str | None = None) -> Case:
        """Inject a fault and return once it is observable; see `faults.engine.make`."""
        return engine.make(self, fault, node, variant)

    def heal(self, fault: str | None = None, node: str | None = None) -> list[str]:
        """Undo all active faults, or one; see `faults.engine.heal`."""
        return engine.heal(self, fault, node)

    def status(self) -> dict[str, Any]:
        """What the lab is and how it does, as plain data; see `status.collect`."""
        return status.collect(self)
