# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelets: what runs on a machine follows the pods that the API has for it, and the pods' status what runs.

Only calico-node's containers are really there, as BIRD and confd in the machine; of other pods only the status is kept.
Its liveness probe is left out: a BIRD that a fault has stopped stays stopped.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .. import birdc
from ..errors import LabError
from ..lab import KUBELETS, NO_REGISTRY
from . import environment, hosts, pods, readiness, startup
from .cluster.workloads import address
from .names import CALICO_NODE
from .objects import Object, is_true, now, set_condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..machine import Machine
    from ..processes import Process
    from ..topology import Node
    from .confd import Confd
    from .context import Context

MANAGER = "kubelet"
# Kubernetes asks every 10 s; while a pod is not ready the lab asks more often, so that nobody waits for the next time.
PROBE_SECONDS = 3.0
UNREADY_SECONDS = 1.0
_LEAST_WAIT = 0.5
FIRST_DELAY, MOST_DELAY = 10, 300
_FIRST_FREE_PLACE = 6


class Running:
    """A pod that a machine runs."""

    def __init__(self, pod: Object, crashed: bool = False) -> None:
        self.pod = pod
        self.crashed = crashed
        self.unpulled = ""
        self.delay = FIRST_DELAY
        self.retry_at = 0.0
        self.probe_at = 0.0
        self.failures = 0

    @property
    def uid(self) -> str:
        """The pod's."""
        return str(self.pod["metadata"]["uid"])

    @property
    def is_calico(self) -> bool:
        """Whether calico-node is in it."""
        return is_calico(self.pod)


def is_calico(pod: Object) -> bool:
    """Whether a pod has a container calico-node."""
    return any(each["name"] == CALICO_NODE for each in pod["spec"]["containers"])


def is_up(context: Context, name: str) -> bool:
    """Whether a node's machine is on and its kubelet not stopped."""
    return name not in context.state.read(KUBELETS, []) and context.lab.machine(name).running


class Kubelets:
    """All nodes' kubelets, in one thread."""

    def __init__(self, context: Context, confd: Confd) -> None:
        self._context = context
        self._confd = confd
        self._version = -1
        self._by_node: dict[str, list[Object]] = {}
        self._nodes = {node.name: _Kubelet(context, confd, node) for node in context.lab.nodes}

    def work(self) -> float:
        """Look at all nodes; the seconds until something is due."""
        by_node = self._pods()
        waits = [PROBE_SECONDS]
        for name, kubelet in self._nodes.items():
            if is_up(self._context, name):
                try:
                    waits.append(kubelet.sync(by_node.get(name, [])))
                except (LabError, OSError) as error:
                    self._context.say(f"the kubelet of {name}: {error}")
        return max(_LEAST_WAIT, min(waits))

    def _pods(self) -> dict[str, list[Object]]:
        """All pods by node; listed again only after a change."""
        version = self._context.version("pods")
        if version != self._version:
            self._version = version
            self._by_node = {}
            for pod in self._context.list("pods"):
                self._by_node.setdefault(pod["spec"].get("nodeName", ""), []).append(pod)
        return self._by_node


class _Kubelet:
    def __init__(self, context: Context, confd: Confd, node: Node) -> None:
        self._context = context
        self._confd = confd
        self._node = node
        self._running: dict[str, Running] = {}
        self._boot: Process | None = None
        # What has run here is here.
        self._images: set[str] = set()

    @property
    def _machine(self) -> Machine:
        return self._context.lab.machine(self._node.name)

    @property
    def _ipv6(self) -> bool:
        return self._context.lab.plan.topology.dual_stack

    def sync(self, wanted: list[Object]) -> float:
        """Stop, start and probe; the seconds until something is due."""
        self._note_reboot()
        living = {pod["metadata"]["uid"]: pod for pod in wanted if "deletionTimestamp" not in pod["metadata"]}
        for uid in [uid for uid in self._running if uid not in living]:
            self._stop(self._running.pop(uid))
        for pod in wanted:
            if "deletionTimestamp" in pod["metadata"]:
                self._context.delete("pods", pod, 0)
        for uid, pod in living.items():
            if uid in self._running:
                self._running[uid].pod = pod
            else:
                self._take(pod)
        waits = [self._look_after(each) for each in list(self._running.values())]
        return min(waits, default=PROBE_SECONDS)

    def _note_reboot(self) -> None:
        """A machine that was switched on again has started its containers by itself; they count one more start."""
        boot = self._machine.process
        if self._boot not in (None, boot):
            for each in self._running.values():
                self._status(each.pod, _restarted)
        self._boot = boot

    def _take(self, pod: Object) -> None:
        """Start a pod, or take over one that runs already: those of the seed."""
        running = Running(pod)
        self._running[running.uid] = running
        states = (pod.get("status") or {}).get("containerStatuses") or []
        if states and all("running" in each.get("state", {}) for each in states):
            self._images.update(pods.images(pod))
            if running.is_calico:
                self._context.environments[self._node.name] = self._environment(pod)
            return
        self._start(running)

    def _environment(self, pod: Object) -> dict[str, str]:
        return environment.environment(pod, self._config_maps())

    def _config_maps(self) -> dict[tuple[str, str], Object]:
        maps = self._context.list("configmaps")
        return {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in maps}

    def _start(self, running: Running) -> None:
        absent = [each for each in pods.images(running.pod) if each not in self._images]
        if absent and self._node.name in self._context.state.read(NO_REGISTRY, []):
            self._pull_in_vain(running, absent[0])
            return
        running.unpulled = ""
        self._images.update(absent)
        for container in running.pod["spec"]["containers"]:
            self._event(
                running, "Normal", "Pulled", f'Container image "{container["image"]}" already present on machine'
            )
        if running.is_calico:
            self._start_calico(running)
            return
        host = bool(running.pod["spec"].get("hostNetwork"))
        own = self._node.address if host else self._free_address()
        self._status(running.pod, lambda pod: pods.started(pod, self._node.address, own, ready=True))
        self._started(running)

    def _pull_in_vain(self, running: Running, image: str) -> None:
        first = not running.unpulled
        running.unpulled = image
        running.retry_at = time.monotonic() + running.delay
        running.delay = min(running.delay * 2, MOST_DELAY)
        words = pods.not_pulled(image)
        self._status(running.pod, lambda pod: pods.unpulled(pod, self._node.address, image, first=first))
        self._event(running, "Warning", "Failed", f'Failed to pull image "{image}": {words}')
        self._event(running, "Warning", "Failed", "Error: ErrImagePull" if first else "Error: ImagePullBackOff")
        self._event(running, "Normal", "BackOff", f'Back-off pulling image "{image}"')

    def _started(self, running: Running) -> None:
        for container in running.pod["spec"]["containers"]:
            for reason in ("Created", "Started"):
                self._event(running, "Normal", reason, f"{reason} container {container['name']}")

    def _free_address(self) -> str:
        """The least address of the node's block that no pod has."""
        taken = {(pod.get("status") or {}).get("podIP") for pod in self._context.list("pods")}
        places = (address(self._node, place) for place in range(_FIRST_FREE_PLACE, 63))
        return next((each for each in places if each not in taken), "")

    # calico-node

    def _start_calico(self, running: Running) -> None:
        name = self._node.name
        hosts.install_cni(self._machine, environment.of_init(running.pod, "install-cni", self._config_maps()))
        variables = {**self._environment(running.pod), "HOSTNAME": hosts.hostname(self._machine)}
        called = hosts.calico_name(self._machine, variables)
        outcome = self._find_addresses(variables, called)
        self._log(
            running, [f"{_log_stamp()} [{level}][9] startup/startup.go 432: {text}" for level, text in outcome.log]
        )
        self._annotate(outcome)
        if not outcome.went_on:
            self._crash(running)
            return
        running.crashed = False
        self._context.environments[name] = variables
        hosts.fresh_files(self._machine, called, variables, ipv6=self._ipv6)
        self._confd.follow()
        self._context.lab.render_nodes([name])
        if variables.get("CALICO_NETWORKING_BACKEND") not in ("none", "vxlan"):
            hosts.start_calico(self._machine, ipv6=self._ipv6)
        else:
            hosts.disable_calico(self._machine, ipv6=self._ipv6)
        self._status(running.pod, lambda pod: pods.started(pod, self._node.address, self._node.address, ready=False))
        self._started(running)

    def _find_addresses(self, variables: dict[str, str], called: str) -> startup.Outcome:
        """What calico-node finds out under the name that it goes by, which need not be that of its Node."""
        nodes = self._context.list("nodes")
        own = next((each for each in nodes if each["metadata"]["name"] == called), None)
        if own is None and called != self._node.name:
            return startup.of_no_node(called)
        if own is None:
            return startup.Outcome(
                {},
                (
                    (
                        "ERROR",
                        f'Unable to access datastore to query node configuration: nodes "{self._node.name}" not found',
                    ),
                ),
                went_on=False,
            )
        addresses = own.get("status", {}).get("addresses") or []
        internal = [each["address"] for each in addresses if each["type"] == "InternalIP"]
        found = hosts.Addresses(self._machine, internal)
        others = [each for each in nodes if each is not own]
        return startup.run(variables, own, others, found.held, found.detect)

    def _annotate(self, outcome: startup.Outcome) -> None:
        def change(node: Object) -> None:
            annotations = node["metadata"].setdefault("annotations", {})
            for key, value in outcome.annotations.items():
                if value is None:
                    annotations.pop(key, None)
                else:
                    annotations[key] = value

        if outcome.annotations:
            self._change_node(change)

    def _change_node(self, change: Callable[[Object], None], status: bool = False) -> None:
        node = self._context.get("nodes", "", self._node.name)
        if node is not None:
            self._context.change("nodes", node, change, CALICO_NODE, status)

    def _crash(self, running: Running) -> None:
        delay = running.delay
        running.crashed = True
        running.retry_at = time.monotonic() + delay
        running.delay = min(delay * 2, MOST_DELAY)
        self._status(running.pod, lambda pod: pods.crashed(pod, self._node.address, 1, delay))
        found = self._context.get("pods", running.pod["metadata"]["namespace"], running.pod["metadata"]["name"])
        running.pod = found or running.pod
        metadata = running.pod["metadata"]
        words = f"Back-off restarting failed container {CALICO_NODE} in pod {metadata['name']}_{metadata['namespace']}"
        self._event(running, "Warning", "BackOff", f"{words}({metadata['uid']})")

    def _stop(self, running: Running) -> None:
        name = self._first(running)
        self._event(running, "Normal", "Killing", f"Stopping container {name}")
        if not running.is_calico or running.unpulled:
            return
        hosts.stop_calico(self._machine, ipv6=self._ipv6)
        hosts.remove_log(self._machine, log_directory(running.pod, name))
        self._network(False)

    def _look_after(self, running: Running) -> float:
        """Start again what crashed, probe what is due; the seconds until the next time."""
        moment = time.monotonic()
        if running.unpulled:
            if moment >= running.retry_at:
                self._start(running)
            return max(0.0, running.retry_at - moment)
        if running.crashed:
            if moment >= running.retry_at:
                self._start_calico(running)
            return running.retry_at - moment
        if not running.is_calico:
            return PROBE_SECONDS
        if moment >= running.probe_at:
            ready = self._probe(running)
            running.probe_at = moment + (PROBE_SECONDS if ready else UNREADY_SECONDS)
        return running.probe_at - moment

    def _probe(self, running: Running) -> bool:
        """One readiness probe; whether the pod is ready after it."""
        container = running.pod["spec"]["containers"][0]
        words, count = self._readiness(container)
        was = is_true(running.pod, "Ready")
        if not words:
            running.failures = 0
            if not was:
                self._status(running.pod, lambda pod: pods.set_ready(pod, True))
            self._network(True)
            return True
        running.failures += 1
        stamp = _log_stamp()
        seen = f"{stamp} [INFO][1523] confd/health.go 202: Number of node(s) with BGP peering established = {count}\n"
        # The number changes nothing but the event's identity in a real cluster; here the same trouble counts up.
        self._event(running, "Warning", "Unhealthy", f"Readiness probe failed: {words}\n")
        self._log(running, [seen.strip()])
        if not was or running.failures >= (container.get("readinessProbe") or {}).get("failureThreshold", 3):
            if was:
                self._status(running.pod, lambda pod: pods.set_ready(pod, False))
            return False
        return True

    def _readiness(self, container: Object) -> tuple[str, int]:
        """Why calico-node is not ready, "" if it is, and the number of sessions that are established."""
        command = ((container.get("readinessProbe") or {}).get("exec") or {}).get("command") or []
        if not any("bird-ready" in each for each in command):
            return "", 0
        try:
            sessions = list(birdc.sessions(self._machine).values())
            status = birdc.ask(self._machine, "show status", timeout=1.0)
        except (birdc.BirdError, LabError) as error:
            return readiness.unreachable(str(error)), 0
        restarting = any("raceful restart" in line for line in status)
        age = hosts.nodename_age(self._machine)
        return readiness.words(sessions, age, restarting), readiness.established(sessions)

    def _network(self, available: bool) -> None:
        """calico-node's word on the Node about the network."""
        node = self._context.get("nodes", "", self._node.name)
        wanted = ("False", "CalicoIsUp", "Calico is running on this node")
        if not available:
            wanted = ("True", "CalicoIsDown", "Calico is shutting down on this node")
        if node is not None and is_true(node, "NetworkUnavailable") == available:
            self._change_node(lambda obj: _set(obj, "NetworkUnavailable", *wanted), status=True)

    # what is told

    def _status(self, pod: Object, change: Callable[[Object], None]) -> None:
        self._context.change("pods", pod, change, MANAGER, status=True)

    def _event(self, running: Running, kind: str, reason: str, message: str) -> None:
        field = f"spec.containers{{{self._first(running)}}}"
        self._context.event(running.pod, kind, reason, message, MANAGER, self._node.name, field)

    @staticmethod
    def _first(running: Running) -> str:
        return str(running.pod["spec"]["containers"][0]["name"])

    def _log(self, running: Running, lines: list[str]) -> None:
        states = (running.pod.get("status") or {}).get("containerStatuses") or [{}]
        hosts.write_log(
            self._machine, log_directory(running.pod, self._first(running)), states[0].get("restartCount", 0), lines
        )


def log_directory(pod: Object, container: str) -> str:
    """Where the kubelet keeps a container's logs, under /var/log/pods."""
    metadata = pod["metadata"]
    return f"{metadata['namespace']}_{metadata['name']}_{metadata['uid']}/{container}"


def _set(obj: Object, kind: str, status: str, reason: str, message: str) -> None:
    set_condition(obj, kind, status, reason, message)


def _restarted(pod: Object) -> None:
    for each in pod["status"].get("containerStatuses") or []:
        each["restartCount"] = each.get("restartCount", 0) + 1
        each["lastState"] = {"terminated": {"exitCode": 255, "reason": "Unknown"}}
        each["state"] = {"running": {"startedAt": now()}}


def _log_stamp() -> str:
    moment = time.time()
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}"
