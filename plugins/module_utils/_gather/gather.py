# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One pass over a node: each output within its limits in time and size, all of them within those of the pass.

Nothing is written on the node, and everything is read at the lowest priority for processor and disk.
"""

from __future__ import annotations

import contextlib
import os
import time

from .._host import commands, distributions, masking, processes
from . import bird, cni, cutting, filters, pods, wanted
from .model import ABSENT, CUT, FAILED, LEFT_OUT, MORE, OK, Output
from .parcel import Parcel
from .wanted import KIB, Command, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from .._host.processes import ProcessTable

# More than that is not even taken into memory.
_LARGEST_OUTPUT = 16 * 1024 * KIB
_JOURNAL_LINES, _JOURNAL_HOURS = 4000, 24
_JOURNAL_MOST = 1024 * KIB
_LOWEST = 19


def gather(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parcel, its size, and how long it took. `params`: max_kb (of the parcel), seconds (of the pass) and
    timeout (of one program)."""
    began = time.monotonic()
    lower_priority()
    one = Pass(float(params["seconds"]), float(params["timeout"]))
    parcel = Parcel(int(params["max_kb"]) * KIB)
    counts = dict.fromkeys((OK, CUT, ABSENT, FAILED, LEFT_OUT), 0)
    for output in one.outputs():
        parcel.add(output)
        counts[output.status] += 1
    packed = parcel.end()
    return {
        "parcel": packed,
        "counts": counts,
        "duration_seconds": round(time.monotonic() - began, 3),
        "cpu_seconds": round(sum(os.times()[:4]), 3),
    }


def lower_priority() -> None:
    """Give all others on the node the right of way."""
    with contextlib.suppress(OSError):
        os.nice(_LOWEST)
    # Programs that are started inherit it. Where there is no ionice, the disk is shared as usual.
    commands.run(["ionice", "-c", "3", "-p", str(os.getpid())], 2.0)


class Pass:
    """One pass. What hangs, fails or is not there costs its own output and no other."""

    def __init__(self, seconds: float, timeout: float, root: str = "") -> None:
        self._until = time.monotonic() + seconds
        self._seconds, self._timeout, self._root = seconds, timeout, root
        self._processes: ProcessTable = processes.walk()
        self._running = {process.comm for process in self._processes}

    def outputs(self) -> Iterator[Output]:
        """Yield the outputs, most telling first."""
        yield from self._part("birdcl", lambda: bird.gather(self._processes, self._left()))
        for group in (wanted.NETWORK, tuple(filters.programs()), wanted.FILTERS, wanted.CLOCK, (wanted.SYSCTL,)):
            yield from self._commands(group)
        current = pods.logs(self._root)
        yield from self._files(current)
        yield from self._files(wanted.LOGS)
        yield from self._part("kubelet.log", self._journal)
        for one in wanted.HOST:
            yield from self._commands((one,)) if isinstance(one, Command) else self._files((one,))
        yield from self._part("cni", lambda: cni.gather(wanted.CNI_FOLDERS, self._root))
        listed = pods.listing(self._root)
        if listed:
            yield Output(f"{MORE}/pods.txt", pods.FOLDER, OK, listed, size=len(listed))

    def _left(self) -> float:
        """Return how many seconds the next one may take, 0 if there is no time left."""
        return max(min(self._until - time.monotonic(), self._timeout), 0.0)

    def _part(self, name: str, gather_it: Callable[[], Iterator[Output]]) -> Iterator[Output]:
        if not self._left():
            yield self._late(name, name)
            return
        try:
            yield from gather_it()
        except Exception as error:  # noqa: BLE001 - what breaks in one part must not cost the others
            yield Output(name, name, FAILED, detail=f"{type(error).__name__}: {error}"[:200])

    def _commands(self, group: tuple[Command, ...]) -> Iterator[Output]:
        for one in group:
            yield self._command(one)

    def _command(self, one: Command) -> Output:
        source = " ".join(one.argv)
        if one.needs and not filters.is_there(one.needs):
            return Output(one.name, source, ABSENT, detail=f"the kernel has not loaded {one.needs}")
        if one.process and one.process not in self._running:
            return Output(one.name, source, ABSENT, detail=f"{one.process} does not run")
        seconds = self._left()
        if not seconds:
            return self._late(one.name, source)
        began = time.monotonic()
        result = commands.run(one.argv, seconds, _LARGEST_OUTPUT)
        took = round(time.monotonic() - began, 3)
        if result.failure == "absent":
            return Output(one.name, source, ABSENT, detail=f"{one.argv[0]} is not installed")
        text = of_settings(result.stdout) if one is wanted.SYSCTL else result.stdout
        said = " ".join(result.stderr.split())[:200]
        return _bounded(one, source, text, _why(result, seconds, said), took)

    def _files(self, files: list[File] | tuple[File, ...]) -> Iterator[Output]:
        for one in files:
            if not self._left():
                yield self._late(one.name, one.path)
                continue
            began = time.monotonic()
            try:
                read = cutting.read_file(one.path, one.most, one.log)
            except FileNotFoundError:
                yield Output(one.name, one.path, ABSENT, detail="there is no such file")
                continue
            except OSError as error:
                yield Output(one.name, one.path, FAILED, detail=str(error.strerror or error))
                continue
            text = masking.in_lines(read.text)
            took = round(time.monotonic() - began, 3)
            detail = _cut_words(read.size, one.most) if read.cut else ""
            yield Output(one.name, one.path, CUT if read.cut else OK, text, detail, read.size, took)

    def _journal(self) -> Iterator[Output]:
        """Yield kubelet's journal, or the file that it writes to."""
        units = distributions.units(None, self._root) if os.path.isdir("/run/systemd/system") else []
        if not units:
            yield from self._files((File("kubelet.log", f"{self._root}/var/log/kubelet.log", True, _JOURNAL_MOST),))
            return
        argv = ["journalctl", "-q", "--no-pager", "-o", "short-iso", "-n", str(_JOURNAL_LINES)]
        argv += ["--since", f"-{_JOURNAL_HOURS}h", *(word for unit in units for word in ("-u", unit))]
        yield self._command(Command("kubelet.log", argv, most=_JOURNAL_MOST))

    def _late(self, name: str, source: str) -> Output:
        return Output(name, source, LEFT_OUT, detail=f"the pass had taken its {self._seconds:.0f} s")


def of_settings(text: str) -> str:
    """Return of the kernel's settings those that are of interest and hold no key."""
    kept = []
    for line in text.splitlines(True):
        name = line.partition("=")[0].strip()
        if name.startswith(wanted.SETTINGS) and not any(word in name for word in wanted.KEYS_IN_SETTINGS):
            kept.append(line)
    return "".join(kept)


def _bounded(one: Command, source: str, text: str, why: str, seconds: float) -> Output:
    size = len(text.encode("utf-8", "replace"))
    shorter, cut = cutting.head_and_tail(text, one.most, one.name.endswith(".log"))
    status = FAILED if why else CUT if cut else OK
    detail = why or (_cut_words(size, one.most) if cut else "")
    return Output(one.name, source, status, masking.in_lines(shorter), detail, size, seconds)


def _cut_words(size: int, most: int) -> str:
    return f"{size} bytes, of which the beginning and the end are kept, {most} bytes in all"


def _why(result: commands.CommandResult, seconds: float, said: str) -> str:
    if result.failure == "timeout":
        return f"not done within {seconds:.0f} s"
    if result.failure:
        return result.failure if result.failure != "denied" else "not allowed to run it"
    return f"exit status {result.rc}: {said}" if result.rc else ""
