# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who keeps this node's clock, and how well, by its own account. Only a daemon that runs is asked."""

from __future__ import annotations

import time

from .._clock import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._host.processes import Process, ProcessTable
    from .sources import Sources

    Reader = Callable[[float, float], "tuple[dict[str, Any], str]"]

_PROCESSES = {"chronyd": "chrony", "ntpd": "ntpd", "systemd-timesyncd": "timesyncd"}
_STOPPED = ("T", "t")
_OPENNTPD = "openntpd"


def gather(
    processes: ProcessTable,
    sources: Sources,
    timeout: float,
    reader_of: Callable[[str], Reader] | None = None,
    kernel_clock: Callable[[], bool | None] | None = None,
) -> dict[str, Any]:
    """Gather calico_chrony. Notes the source of the service's name, or time_service if there is none.

    `reader_of` returns what asks a service, `kernel_clock` what the kernel says; by default those of this host.
    """
    facts: dict[str, Any] = {"service": "none", "running": False, "synchronised": None}
    disciplined = sources.guard("kernel_clock", kernel_clock or kernel.synchronised, None)
    if disciplined is not None:
        facts["kernel_synchronised"] = disciplined
    daemon = _daemon(processes)
    if daemon is None:
        sources.absent("time_service", "No chronyd, ntpd or systemd-timesyncd runs here.")
        facts["synchronised"] = bool(disciplined)
        facts["why"] = (
            "No known time service runs, yet the kernel says that something disciplines its clock."
            if disciplined
            else "No time service runs on this node."
        )
        return facts
    service, process = daemon
    facts.update(service=service, running=True)
    others = _services(processes) - {service}
    if others:
        facts["also_running"] = sorted(others)
    said, trouble = _ask(service, process, sources, timeout, reader_of or _reader)
    facts.update(said)
    if trouble and trouble.startswith("line "):  # all else was read
        sources.unrecognised(service, trouble)
    elif trouble:
        sources.failed(service, trouble)
        facts.setdefault("why", trouble)
    else:
        sources.ok(service)
    if facts["synchronised"] is None and disciplined:
        facts["synchronised"] = True
    return facts


def _daemon(processes: ProcessTable) -> tuple[str, Process] | None:
    """Return the time service that runs on this host, and its process."""
    here = processes.network_namespace
    for process in processes.named(*_PROCESSES):
        # One in another network keeps no clock for us: a container, or a node that runs as one here.
        if not here or process.network_namespace in ("", here):
            for name, service in _PROCESSES.items():
                if process.comm == name[:15]:
                    return _OPENNTPD if service == "ntpd" and _OPENNTPD in _services(processes) else service, process
    return None


def _services(processes: ProcessTable) -> set[str]:
    """Return all time services that run on this host."""
    here = processes.network_namespace
    ours = [one for one in processes.named(*_PROCESSES) if not here or one.network_namespace in ("", here)]
    services = {_PROCESSES[name] for name in _PROCESSES if any(process.comm == name[:15] for process in ours)}
    if "ntpd" in services:
        from .._clock import openntpd

        if any(openntpd.is_one(process.argv) for process in ours):
            services = services - {"ntpd"} | {_OPENNTPD}
    return services


def _ask(
    service: str, process: Process, sources: Sources, timeout: float, reader_of: Callable[[str], Reader]
) -> tuple[dict[str, Any], str]:
    if process.state in _STOPPED:
        return {}, f"{process.comm} (process {process.pid}) is stopped by a signal and cannot answer."
    nothing: tuple[dict[str, Any], str] = ({}, f"What {process.comm} says of itself could not be read.")
    return sources.guard(service, lambda: reader_of(service)(timeout, time.time()), nothing)


def _reader(service: str) -> Reader:
    """Return the function that asks a service; imported here, because a node has one service at most."""
    if service == "chrony":
        from .._clock import chrony

        return chrony.read
    if service == "ntpd":
        from .._clock import ntpd

        return ntpd.read
    if service == _OPENNTPD:
        from .._clock import openntpd

        return openntpd.read
    from .._clock import timesyncd

    return timesyncd.read
