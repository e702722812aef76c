# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps BIRD from sending its keepalives in time: a host short of processor, memory or disk, a container that is
held back or whose processes are killed for want of memory, and interfaces that lose packets.

The kernel's own accounts, from files. Pressure is the share of time, in percent, in which some task waited (Linux 4.20;
Documentation/accounting/psi.rst).
"""

from __future__ import annotations

import os
import re

from .._numbers import is_whole
from .processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .processes import Process

_RESOURCES = ("cpu", "memory", "io")
_PRESSED = 10.0  # percent
_LOADED = 2.0  # tasks for each processor
# Columns of /proc/net/dev behind the interface's name: of these eight for either direction.
_COLUMNS = ((2, "rx_errors"), (3, "rx_dropped"), (4, "rx_fifo"), (10, "tx_errors"), (11, "tx_dropped"), (12, "tx_fifo"))
_PACKETS = (1, 9)
_DROPS = ("rx_dropped", "tx_dropped")
_OFTEN = 1000  # one in so many packets
_HIERARCHIES = "/sys/fs/cgroup"
# systemd keeps version 2 in "unified" beside version 1 where both are in use.
_SECOND = ("", "/unified")


def pressure(proc_root: str = "/proc", root: str = "") -> dict[str, Any]:
    """Return pressure (of the last 10 and 60 seconds, by resource, from a tenth on) and load (of the last minute, with
    the number of processors, if twice as many tasks as these want to run). Kernels without them: nothing."""
    found = {}
    for resource in _RESOURCES:
        words = read_text(f"{proc_root}/pressure/{resource}", 512).split()
        shares = [_decimal(word.partition("=")[2]) for word in words[1:3]]
        if words[:1] == ["some"] and max(shares, default=0.0) >= _PRESSED:
            found[resource] = shares
    facts: dict[str, Any] = {"pressure": found} if found else {}
    load = _decimal(read_text(f"{proc_root}/loadavg", 128).partition(" ")[0])
    processors = _processors(read_text(root + "/sys/devices/system/cpu/online", 4096)) if load >= _LOADED else 0
    if processors and load >= _LOADED * processors:
        facts["load"] = {"minute": load, "processors": processors}
    return facts


def counters(proc_root: str = "/proc") -> dict[str, int]:
    """Return what grows, by names of its own: losses of interfaces ("nic eth0 rx_dropped", and "nic eth0 packets") and
    "oom_kills" of the whole host since it booted."""
    found = _losses(read_text(f"{proc_root}/net/dev"))
    kills = read_text(f"{proc_root}/vmstat", 1 << 16).partition("\noom_kill ")[2].partition("\n")[0]
    if is_whole(kills) and int(kills):
        found["oom_kills"] = int(kills)
    return found


def interfaces(names: Iterable[str], before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, Any]:
    """Return by interface the counters that tell of a fault: errors, full queues and, if they grew or are more than one
    in a thousand packets, what was dropped; each as {"total": n, "grew": n}. Both readings are of counters()."""
    found: dict[str, Any] = {}
    for name in names:
        packets = now.get(f"nic {name} packets", 0)
        for _column, what in _COLUMNS:
            total = now.get(f"nic {name} {what}", 0)
            grew = max(total - before.get(f"nic {name} {what}", 0), 0) if before else 0
            if total and (what not in _DROPS or grew or total * _OFTEN > packets):
                found.setdefault(name, {})[what] = {"total": total, "grew": grew}
    return found


def container(process: Process, root: str = "") -> dict[str, Any]:
    """Return what the control groups of a process tell: throttled ({"periods": of so many with something to do,
    "throttled": so many were cut short, "seconds": for so long}) and oom_kills in its container or pod; {} if nothing
    of it ever happened."""
    facts: dict[str, Any] = {}
    groups = _groups(read_text(os.path.join(process.directory, "cgroup")))
    for folder in _folders(groups, "cpu", root):
        values = _values(read_text(folder + "/cpu.stat", 4096))
        if values.get("nr_throttled"):
            seconds = values.get("throttled_usec", 0) / 1e6 or values.get("throttled_time", 0) / 1e9
            facts["throttled"] = {
                "periods": values.get("nr_periods", 0),
                "throttled": values["nr_throttled"],
                "seconds": round(seconds, 1),
            }
            break
    kills = [_kills(folder) for folder in _folders(groups, "memory", root)]
    if any(kills):
        facts["oom_kills"] = max(kills)
    return facts


def _decimal(text: str) -> float:
    """Return the number "12.34"; 0 if that is none."""
    whole, _point, fraction = text.partition(".")
    return int(whole) + int(fraction) / 10.0 ** len(fraction) if is_whole(whole) and is_whole(fraction) else 0.0


def _losses(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in text.splitlines()[2:]:
        name, colon, rest = line.rpartition(":")
        name = name.strip()
        # Pods' own interfaces are many, and no session goes by them.
        if not colon or name.startswith(("cali", "veth")):
            continue
        values = rest.split()
        if len(values) <= _COLUMNS[-1][0] or not all(is_whole(value) for value in values):
            continue
        lost = {f"nic {name} {what}": int(values[column]) for column, what in _COLUMNS if values[column] != "0"}
        if lost:
            found.update(lost)
            found[f"nic {name} packets"] = sum(int(values[column]) for column in _PACKETS)
    return found


def _processors(text: str) -> int:
    """Return how many "0-3,6" are; 0 if that is no such list."""
    total = 0
    for part in text.strip().split(","):
        match = re.match(r"(\d{1,5})(?:-(\d{1,5}))?$", part)
        if match is None:
            return 0
        total += max(int(match.group(2) or match.group(1)) - int(match.group(1)), 0) + 1
    return total


def _groups(text: str) -> dict[str, str]:
    """Return the paths of /proc/<pid>/cgroup by controller, version 2's under ''."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        _number, _colon, rest = line.partition(":")
        names, colon, path = rest.partition(":")
        if colon and path.startswith("/") and "/.." not in path:
            found.update((name, path.rstrip("/")) for name in names.split(","))
    return found


def _folders(groups: Mapping[str, str], controller: str, root: str) -> list[str]:
    """Return the folders where a controller's files of this process may be, its parent's (the pod's) after its own: a
    container that was made anew begins to count anew, and its pod does not. The root is nobody's container."""
    found = []
    if groups.get(controller):
        names = [name for name, path in groups.items() if path == groups[controller]]
        mounts = dict.fromkeys((controller, ",".join(names), "cpu,cpuacct"))
        for path in _with_parent(groups[controller]):
            found += [f"{root}{_HIERARCHIES}/{mount}{path}" for mount in mounts]
    if groups.get(""):
        for path in _with_parent(groups[""]):
            found += [f"{root}{_HIERARCHIES}{second}{path}" for second in _SECOND]
    return found


def _with_parent(path: str) -> list[str]:
    parent = path.rpartition("/")[0]
    return [path, parent] if "pod" in parent.rpartition("/")[2] else [path]


def _values(text: str) -> dict[str, int]:
    pairs = (line.split() for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and is_whole(pair[1])}


def _kills(folder: str) -> int:
    values = _values(read_text(folder + "/memory.events", 4096)) or _values(
        read_text(folder + "/memory.oom_control", 512)
    )
    return values.get("oom_kill", 0)
