# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""calico_chrony from texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...module_utils._facts import chrony
from . import node_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...module_utils._host.processes import ProcessTable
    from .node import Assembly
    from .parsed import Parsed

    Facts = dict[str, Any]

_SERVICES = (
    ("chrony", "chronyc-tracking.txt", "chronyc-sources.txt"),
    ("ntpd", "ntpq.txt"),
    ("timesyncd", "timedatectl.txt"),
)
_OF_HOSTS = (
    "systemd",
    "init",
    "kthreadd",
    "sshd",
    "kubelet",
    "k3s",
    "rke2",
    "containerd",
    "dockerd",
    "agetty",
    "login",
)


def gather(whole: Assembly) -> Facts:
    """Return calico_chrony, without what all parts have in common."""
    if not whole.told.is_raw and not _is_of_a_host(whole.processes):
        return _by_texts(whole)

    def reader_of(service: str) -> chrony.Reader:
        return lambda _timeout, _now: _asked(whole, service)

    return chrony.gather(whole.processes, whole.sources["chrony"], 0.0, reader_of, lambda: None)


def _is_of_a_host(processes: ProcessTable) -> bool:
    """Say whether a list is that of a whole host. A container has a list of its own, without what only hosts have."""
    return node_told.is_whole(processes) and any(one.comm.startswith(_OF_HOSTS) for one in processes)


def _by_texts(whole: Assembly) -> Facts:
    """Return what a time service said of itself; which one runs is known only from what was asked."""
    sources = whole.sources["chrony"]
    for service, *names in _SERVICES:
        text = "\n".join(whole.texts[name] for name in names if whole.texts.get(name, "").strip())
        if not text:
            continue
        parsed = _parser(service, whole.now)(text)
        node_told.note(sources, service, parsed.problems if not parsed.value else ())
        if parsed.value:
            return {"service": service, "running": True, "synchronised": None, **parsed.value}
    sources.absent("time_service", node_told.NO_TEXT)
    return {}


def _asked(whole: Assembly, service: str) -> tuple[Facts, str]:
    if service == "chrony":
        from ...module_utils._clock import chrony as chronyc

        text = whole.texts.get("chronyc-tracking.txt", "") + "\n" + whole.texts.get("chronyc-sources.txt", "")
        return chronyc.parse(text, whole.now)
    if service == "ntpd":
        from ...module_utils._clock import ntpd

        return ntpd.parse(whole.texts.get("ntpq.txt", ""))
    from ...module_utils._clock import timesyncd

    found, trouble = timesyncd.parse(whole.texts.get("timedatectl.txt", ""))
    marked = whole.told.number("timesync")
    if marked is not None:
        timesyncd.apply_mark(found, whole.now - marked, whole.texts.get("timedatectl.txt", ""))
    return found, trouble


def _parser(service: str, now: float) -> Callable[[str], Parsed[Facts]]:
    from . import chrony as chrony_texts
    from . import ntpq, timedatectl

    if service == "chrony":
        return lambda text: chrony_texts.parse(text, now)
    return ntpq.parse if service == "ntpd" else timedatectl.parse
