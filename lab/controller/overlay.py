# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix' and flannel's part where they carry the traffic: every node's kernel follows what is registered.

A stand-in, which writes what has changed in the API since it wrote last. What somebody takes away on a machine stays
away, unlike with the real ones, which look again every now and then: a fault must last until it is healed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .. import overlay
from ..errors import LabError

if TYPE_CHECKING:
    from ..overlay import Tables
    from ..processes import Process
    from .context import Context

KINDS = ("nodes", "blockaffinities")
_AGAIN = 0.5


class Overlay:
    """The overlay of all nodes; nothing to do where BIRD carries the traffic."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._device = overlay.device(context.lab.plan)
        self._written: dict[str, tuple[Process, Tables]] = {}
        self._lock = threading.Lock()

    def work(self) -> float | None:
        """Let all nodes follow; the seconds until those are tried again that are not there yet."""
        if not self._device:
            return None
        shape = self._context.lab.plan.topology.overlay
        known = overlay.vteps(shape, self._context.list("nodes"), self._context.list("blockaffinities"))
        waiting = False
        with self._lock:
            for node in self._context.lab.nodes:
                wanted = overlay.tables(self._device, known, node.name)
                try:
                    if wanted is not None:
                        self._follow(node.name, wanted)
                except (LabError, OSError) as error:
                    waiting = True
                    if self._context.lab.machine(node.name).running and node.name in self._written:
                        self._context.say(f"the overlay of {node.name}: {error}")
        return _AGAIN if waiting else None

    def _follow(self, name: str, wanted: Tables) -> None:
        machine = self._context.lab.machine(name)
        process = machine.process
        found = self._written.get(name)
        before = found[1] if found is not None and found[0] == process else None
        if before == wanted:
            return
        if before is None:
            machine.exec(["ip", "-batch", "-"], text_input=overlay.device_lines(wanted))
        ip, bridge = overlay.lines(before, wanted)
        # Onlink routes want the neighbours of nobody: the order is Felix' own all the same.
        machine.exec(["ip", "-force", "-batch", "-"], text_input=ip, check=before is None)
        machine.exec(["bridge", "-force", "-batch", "-"], text_input=bridge, check=before is None)
        self._written[name] = (process, wanted)
