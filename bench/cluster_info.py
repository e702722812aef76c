# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`cluster_info` on a large cluster against `kubectl get` of the same kinds, one after the other.

Needs no lab: a local server answers what such a cluster's API would. Both are asked for the same, and every answer is
made before anything is measured.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.figure import Figure
from bench.large_api import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.progress import Say

NODES, PODS, FEW_PODS = 1000, 30_000, 15_000
ROUNDS = 3
LIMIT_RATIO = 0.5
LIMIT_BYTES = 1024 * 1024
# What twice as many pods and Services of others may add to the module's memory. With the few every page is full; how
# many pages are at hand at once differs by as much from run to run. The pods that are more would take ten times that.
LIMIT_GROWTH_MEBIBYTES = 16
PATIENCE = 600
PACKING = "ansible_collections.netmedic.calico.plugins.module_utils._cluster.packing"
# What the module gets by name if at all, it does not list.
_NOT_LISTED = frozenset(("namespaces", "services", "configmaps", "secrets", "apiservices"))
HOW = (
    f"a local server with {NODES} Nodes, {NODES} calico-node pods, {PODS} other pods, {PODS // 30} EndpointSlices and "
    f"Deployments, {NODES} leases and address blocks; medians of {ROUNDS} in turns, the module as Ansible sends it"
)
HOW_MEMORY = (
    f"the module's greatest resident memory with {PODS} other pods, less that with {FEW_PODS}; least of {ROUNDS}"
)


class Run(NamedTuple):
    """One run of the module: wall seconds, MiB at most, and its fact."""

    seconds: float
    memory: float
    fact: dict[str, Any]


def figures(say: Say) -> Iterator[Figure]:
    """Ratio, seconds, bytes, and memory for twice the pods."""
    with tempfile.TemporaryDirectory(prefix="nm-") as folder:
        few, _none = _served(folder, FEW_PODS, say, 0)
        runs, kubectl = _served(folder, PODS, say, ROUNDS)
    fact = runs[0].fact
    _check(fact)
    seconds = statistics.median(run.seconds for run in runs)
    yield Figure("cluster_info_seconds", round(seconds, 3), "s", how=HOW)
    yield Figure("kubectl_get_seconds", round(kubectl, 3), "s", how=HOW)
    yield Figure("cluster_info_to_kubectl_get", round(seconds / kubectl, 3), "ratio", LIMIT_RATIO, HOW)
    yield Figure("cluster_info_beyond_kubectl_get", round(max(seconds - kubectl, 0.0), 3), "s", 5.0, HOW)
    yield Figure("cluster_info_bytes", _size(fact), "bytes", LIMIT_BYTES, HOW)
    for name, objects in sorted(fact["objects"].items(), key=lambda item: -_size(item[1]))[:4]:
        yield Figure(f"cluster_info_bytes_{name}", _size(objects), "bytes", how=HOW)
    memory = min(run.memory for run in runs)
    yield Figure("cluster_info_memory", round(memory, 1), "MiB", how=HOW_MEMORY)
    growth = memory - min(run.memory for run in few)
    yield Figure("cluster_info_memory_growth", round(growth, 1), "MiB", LIMIT_GROWTH_MEBIBYTES, HOW_MEMORY)


def _size(found: Any) -> int:
    return len(json.dumps(found, separators=(",", ":")).encode())


def _check(fact: dict[str, Any]) -> None:
    """A figure about a fact that is not whole would mean nothing."""
    bad = [one for one in fact["sources"] if one["status"] not in ("ok", "absent")]
    objects = importlib.import_module(PACKING).unpacked(fact["objects"])
    counts = [len(objects.get(name, ())) for name in ("nodes", "pods")]
    others = sum(fact["workload_pods"].values())
    if bad or counts != [NODES, NODES] or others != PODS:
        raise RuntimeError(f"cluster_info read {counts} Nodes and pods, counted {others} others, and says {bad[:3]}")


def _served(folder: str, pods: int, say: Say, rounds: int) -> tuple[list[Run], float]:
    """Runs of the module, and the median seconds of kubectl (0 without rounds)."""
    with _server(pods) as address:
        config = _kubeconfig(folder, address)
        module = _module(folder, config)
        say(f"having the server make its answers for {pods} other pods")
        _run(module)
        if not rounds:
            return [_run(module) for _round in range(ROUNDS)], 0.0
        _gets(config, folder)
        runs, seconds = [], []
        for turn in range(1, rounds + 1):
            say(f"round {turn} of {rounds}")
            runs.append(_run(module))
            seconds.append(_gets(config, folder))
        return runs, statistics.median(seconds)


@contextlib.contextmanager
def _server(pods: int) -> Iterator[str]:
    argv = [sys.executable, "-m", "bench.large_api", str(NODES), str(pods)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("the server has no pipes")
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError("the server did not start")
            yield address
        finally:
            process.stdin.close()


def _kubeconfig(folder: str, address: str) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    }
    path = Path(folder) / "kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return str(path)


def _module(folder: str, config: str) -> str:
    """Have Ansible make the module as it sends it to a host, and return its path."""
    place = Path(folder) / f"module-{time.monotonic_ns()}"
    settings = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_LOCAL_TEMP": folder, "ANSIBLE_REMOTE_TMP": str(place)}
    arguments = json.dumps({"kubeconfig": config, "via": "client", "timeout": 120})
    variables = json.dumps({"ansible_pipelining": False, "ansible_python_interpreter": sys.executable})
    argv = [
        str(Path(sys.executable).with_name("ansible")),
        "localhost",
        "-c",
        "local",
        "-m",
        "netmedic.calico.cluster_info",
    ]
    done = subprocess.run(
        [*argv, "-a", arguments, "-e", variables],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **settings},
    )
    found = sorted(place.glob("**/AnsiballZ_cluster_info.py"))
    if done.returncode or not found:
        raise RuntimeError(f"cluster_info failed: {(done.stdout + done.stderr)[-1500:]}")
    return str(found[0])


def _run(module: str) -> Run:
    """Run the module once, under watch."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, module], stdout=output, stderr=subprocess.DEVNULL)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        found = json.load(output) if not process.returncode else {}
    if not found:
        raise RuntimeError(f"cluster_info ended with status {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024, found["ansible_facts"]["calico_cluster"])


def _gets(config: str, folder: str) -> float:
    """Seconds that it takes to get the same kinds one after the other."""
    program = shutil.which("kubectl")
    if program is None:
        raise RuntimeError("there is no kubectl to compare with")
    began = time.monotonic()
    for group, plurals in GROUPS.items():
        for plural in plurals:
            if plural not in _NOT_LISTED:
                _get([program, "--kubeconfig", config, "--cache-dir", f"{folder}/cache"], plural, group)
    return time.monotonic() - began


def _get(kubectl: Sequence[str], plural: str, group: str) -> None:
    name = f"{plural}.{group}" if group else plural
    done = subprocess.run(
        [*kubectl, "get", name, "--all-namespaces"], check=False, capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode:
        raise RuntimeError(f"kubectl get {name} ended with status {done.returncode}: {done.stderr[-500:]}")
