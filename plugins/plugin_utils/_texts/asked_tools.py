# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where tools looked for BIRD, in vain, and where texts show BIRD's sockets to be.

calicoctl asks at /var/run/calico/bird.ctl, then at /var/run/bird/bird.ctl, and names the second one when both fail
(calicoctl/commands/node/status.go); birdcl asks where its own package has the socket, unless told otherwise, and its
words are also those of the first calicoctl, which ran it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from . import calicoctl_status, processes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Facts = dict[str, Any]

STATUS, SOCKETS, PROCESSES = "calicoctl-node-status.txt", "sockets.txt", "processes.txt"
_CLIENT_TEXTS = ("birdcl-status.txt", "birdcl-protocols.txt", "birdcl6-status.txt", "birdcl6-protocols.txt")
_DIALLED = re.compile(r"dial unix (\S{1,200}?): (?:connect: )?(.{1,80})")
_CLIENT = re.compile(r"Unable to connect to server control socket(?: \((\S{1,200})\))?: (.{1,80})")
_SOCKET = re.compile(r"(/\S{0,200}bird6?\.ctl)\b")
_BIRDS = ("bird", "bird6")
_MOST = 8


def facts(texts: Mapping[str, str]) -> Facts:
    """Return calico_node.host.tools: complaints, as {tool, family, socket, said}, and bird_sockets, as {path, why}; {}
    if no tool complains."""
    complaints = [*_calicoctl(texts.get(STATUS, "")), *_clients(texts)][:_MOST]
    if not complaints:
        return {}
    found = {"complaints": complaints}
    sockets = {entry["path"]: entry for entry in _sockets(texts)}
    if sockets:
        found["bird_sockets"] = list(sockets.values())[:_MOST]
    return found


def _calicoctl(text: str) -> Iterator[Facts]:
    if not text.strip():
        return
    told = calicoctl_status.parse(text).value
    if told.running is False:
        yield {"tool": "calicoctl", "said": told.error or "Calico process is not running."}
    elif told.error:
        yield {"tool": "calicoctl", "said": told.error}
    for name, family in told.families.items():
        dialled = _DIALLED.search(family.error) or _CLIENT.search(family.error)
        if dialled is not None:
            said = dialled.group(2).strip()
            yield {"tool": "calicoctl", "family": name, "socket": dialled.group(1) or "", "said": said}


def _clients(texts: Mapping[str, str]) -> Iterator[Facts]:
    for name in _CLIENT_TEXTS:
        failed = _CLIENT.search(texts.get(name, "")[:4000])
        if failed is not None:
            family, path = "ipv6" if name.startswith("birdcl6") else "ipv4", failed.group(1) or ""
            yield {"tool": "birdcl", "family": family, "socket": path, "said": failed.group(2).strip()}


def _sockets(texts: Mapping[str, str]) -> Iterator[Facts]:
    """Yield the sockets that somebody listens at, and those that a BIRD was told to make."""
    for line in texts.get(SOCKETS, "").splitlines():
        at = _SOCKET.search(line) if "LISTEN" in line else None
        if at is not None:
            yield {"path": at.group(1), "why": "listens"}
    for process in processes.parse(texts.get(PROCESSES, "")).value:
        told = _SOCKET.search(" ".join(process.argv)) if process.name in _BIRDS else None
        if told is not None:
            yield {"path": told.group(1), "why": f"process {process.pid}"}
