# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline analysis: a bundle of 100 nodes with 1 GB of logs, how its memory grows with the logs, and the whole
playbook on a small bundle.

Needs no lab. Each analysis is a process of its own, so that its greatest resident memory is its own.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.figure import Figure
from scripts.paths import venv_program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.progress import Say

NODES, MEGABYTES, FEW_MEGABYTES = 100, 1000, 250
ROUNDS = 3
LIMIT_SECONDS, LIMIT_PLAYBOOK = 60.0, 5.0
# What four times as much of logs may add to the memory: nothing, but for what Python's allocator makes of it.
LIMIT_GROWTH_MEBIBYTES = 16
PATIENCE = 600
OFFLINE = "ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.offline"
_MEASURE = (
    f"import json, resource, sys; from {OFFLINE} import analysed; found = analysed(sys.argv[1]).report; "
    "print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "
    "found['coverage']['nodes']['collected']]))"
)
HOW = f"{NODES} nodes, each with a log and a table of sessions; one process for each analysis; processor time"
HOW_PLAYBOOK = f"ansible-playbook netmedic.calico.analyze on a bundle of one node; median of {ROUNDS}; processor time"


class Run(NamedTuple):
    """One analysis: processor seconds (it has one thread), MiB at most."""

    seconds: float
    memory: float


def figures(say: Say) -> Iterator[Figure]:
    """Measure."""
    with tempfile.TemporaryDirectory(prefix="netmedic-bench-") as folder:
        few, many, archive = Path(folder, "few"), Path(folder, "many"), Path(folder, "many.tar.gz")
        say(f"writing bundles with {FEW_MEGABYTES} and {MEGABYTES} MB of logs")
        _bundle(few, NODES, FEW_MEGABYTES)
        _bundle(many, NODES, MEGABYTES)
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed:
            packed.add(many, "many")
        say("analysing them")
        small, large, compressed = (_analysis(path, NODES) for path in (few, many, archive))
        yield Figure("offline_bundle_1_gb_seconds", large.seconds, "s", LIMIT_SECONDS, HOW)
        yield Figure("offline_bundle_1_gb_tar_gz_seconds", compressed.seconds, "s", LIMIT_SECONDS, HOW)
        yield Figure("offline_bundle_1_gb_memory", max(large.memory, compressed.memory), "MiB", None, HOW)
        growth = max(large.memory, compressed.memory) - small.memory
        yield Figure("offline_bundle_memory_growth", growth, "MiB", LIMIT_GROWTH_MEBIBYTES, HOW)
        one = Path(folder, "one")
        _bundle(one, 1, 0.1)
        seconds = statistics.median(_playbook(one, Path(folder, "out")) for _round in range(ROUNDS))
        yield Figure("offline_playbook_seconds", seconds, "s", LIMIT_PLAYBOOK, HOW_PLAYBOOK)


def _spent() -> float:
    """Return the processor time of all processes that have ended so far, which other work hardly disturbs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _analysis(path: Path, nodes: int) -> Run:
    began = _spent()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(path)], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    seconds = _spent() - began
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    memory, collected = json.loads(done.stdout)
    if collected != nodes:
        raise RuntimeError(f"{collected} of {nodes} nodes were read")
    return Run(seconds, memory)


def _playbook(bundle: Path, out: Path) -> float:
    told = json.dumps({"analyze_bundles": [str(bundle)], "report_dir": str(out), "report_fail_on": "never"})
    argv = [venv_program("ansible-playbook"), "netmedic.calico.analyze", "-e", told]
    began = _spent()
    subprocess.run(argv, capture_output=True, check=False, timeout=PATIENCE, env={**os.environ, "ANSIBLE_NOCOLOR": "1"})
    seconds = _spent() - began
    if not (out / bundle.name / "report.json").is_file():
        raise RuntimeError("the playbook wrote no report")
    return seconds


def _bundle(folder: Path, nodes: int, megabytes: float) -> None:
    """Write a bundle whose logs have so many megabytes in all."""
    block = "".join(itertools.islice(_lines(), 20_000)).encode()
    each = int(megabytes * 1e6 / nodes)
    for number in range(1, nodes + 1):
        place = folder / "nodes" / f"node-{number}"
        place.mkdir(parents=True)
        with (place / "calico-node.log").open("wb") as log:
            for start in range(0, each, len(block)):
                log.write(block[: each - start])
        (place / "calicoctl-node-status.txt").write_text(_table(number, nodes), encoding="utf-8")


def _lines() -> Iterator[str]:
    """Yield a log of calico-node: mostly Felix' news, now and then something that tells."""
    for second in itertools.count():
        at = f"2026-11-21 {second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}.{second % 1000:03}"
        news = f"Finished applying updates to dataplane. msecToApply=1.2{second}"
        yield f"{at} [INFO][88] felix/int_dataplane.go 1836: {news}\n"
        if second % 400 == 0:
            yield f'{at} [WARNING][88] felix/health.go 211: Reporter is not ready. name="int_dataplane"\n'
        if second % 1000 == 0:
            yield f"bird: Mesh_10_200_0_{second // 1000 % 99 + 1}: State changed to start\n"


def _table(number: int, nodes: int) -> str:
    """Return what `calicoctl node status` prints in a full mesh."""
    line = "+--------------+-------------------+-------+----------+-------------+\n"
    head = "| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |\n"
    rows = "".join(
        f"| 10.200.0.{peer:<3} | node-to-node mesh | up    | 10:00:00 | Established |\n"
        for peer in range(1, nodes + 1)
        if peer != number
    )
    told = f"Calico process is running.\n\nIPv4 BGP status\n{line}{head}{line}{rows}{line}"
    return f"{told}\nIPv6 BGP status\nNo IPv6 peers found.\n"
