# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenNTPD, as ntpctl tells it (`ntpctl -s status`). Its processes are called ntpd as well, and ntpq cannot ask it."""

from __future__ import annotations

import re

from .._host import commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_COMMAND = ("ntpctl", "-s", "status")
_PEERS = re.compile(r"(?<!\d)(\d{1,6})/(\d{1,6}) peers valid")
_CLOCK = re.compile(r"\bclock (synced|unsynced)\b(?:, stratum (\d{1,2})(?!\d))?")
# How its children call themselves ("ntpd: ntp engine"); no other ntpd does.
_TITLE = "ntpd: "


def is_one(argv: Iterable[str]) -> bool:
    """Say whether this is the command line of one of its processes that tell."""
    return next(iter(argv), "").startswith(_TITLE)


def read(timeout: float, _now: float) -> tuple[dict[str, Any], str]:
    """Ask ntpctl; return the keys of calico_chrony and what went wrong ('' if nothing did)."""
    result = commands.run(_COMMAND, timeout)
    if result.failure == "absent":
        return {}, "OpenNTPD runs, and ntpctl is not installed."
    if result.failure:
        return {}, f"ntpctl: {result.failure}."
    return parse(result.stdout or result.stderr)


def parse(text: str) -> tuple[dict[str, Any], str]:
    """Return the keys of calico_chrony and what could not be read."""
    clock, peers = _CLOCK.search(text), _PEERS.search(text)
    if clock is None:
        return {}, f"ntpctl said: {' '.join(text.split())[:100] or 'nothing'}."
    synchronised = clock.group(1) == "synced"
    found: dict[str, Any] = {"synchronised": synchronised}
    if clock.group(2):
        found["stratum"] = int(clock.group(2))
    if peers:
        found.update(sources_total=int(peers.group(2)), sources_reachable=int(peers.group(1)))
    found["why"] = "OpenNTPD says that the clock is synchronised." if synchronised else "OpenNTPD has not synchronised."
    return found, ""
