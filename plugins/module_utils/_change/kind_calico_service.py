# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service that runit keeps inside of calico-node's container: told to run, as `sv up` does there.

The host has neither `sv` nor the container's folders. The supervisor of the service (`runsv`) is seen from it, and
works in the service's folder: its control pipe is written to and its status read by way of /proc. As runsv(8) has it.
"""

from __future__ import annotations

import os
import time

from .._bird import discovery
from .._host import processes
from .model import Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_SERVICES = ("bird", "bird6")
_ORDERS = {"started": b"u", "stopped": b"d"}
_STATUS_LENGTH = 20
_PID = slice(12, 16)  # of the status: the process, 0 for none; the byte at 17 is what runsv wants, u or d
_PATIENCE = 8.0


class CalicoService(Kind):
    """The state: whether the service runs. It cuts nobody off: what BIRD has put into the kernel stays."""

    name = "calico_service"
    required = ("service", "run")
    cuts_off = False

    @property
    def subject(self) -> str:
        return f"service {self.options['service']} of calico-node"

    def preflight(self) -> None:
        if self.options["service"] not in _SERVICES:
            raise RefusedError(f"{self.options['service'][:64]!r} is none of calico-node's {' and '.join(_SERVICES)}")
        if self.options["run"] not in _ORDERS:
            raise RefusedError(f"{self.subject} can be started and stopped, not {self.options['run']}")
        self._running(self._folder())

    def read(self) -> State:
        return {"running": self._running(self._folder())}

    def plan(self, before: State) -> State:  # noqa: ARG002
        return {"running": self.options["run"] == "started"}

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        folder = self._folder()
        self._order(folder, _ORDERS["started" if wanted["running"] else "stopped"])
        deadline = time.monotonic() + _PATIENCE
        while self._running(folder) != wanted["running"]:
            if time.monotonic() > deadline:
                raise RefusedError(f"{self.subject} {'does not start' if wanted['running'] else 'still runs'}")
            time.sleep(0.1)

    def shown(self, state: State) -> str:
        return f"{self.subject}: {'running' if state['running'] else 'stopped'}\n"

    def _folder(self) -> str:
        """Return where its supervisor works, as seen from here."""
        wanted = (self.options["service"],)
        found = [
            process
            for process in discovery.find_installation(processes.walk()).processes
            if process.comm == "runsv" and process.argv[1:2] == wanted
        ]
        if len(found) != 1:
            raise RefusedError(f"{self.subject} has {len(found) or 'no'} supervisors on this host")
        return f"{found[0].directory}/cwd/supervise"

    def _running(self, folder: str) -> bool:
        status = processes.read_bytes(f"{folder}/status")
        if len(status) != _STATUS_LENGTH:
            raise RefusedError(f"{self.subject}: its supervisor's status cannot be read")
        return status[_PID] != b"\0\0\0\0"

    def _order(self, folder: str, letter: bytes) -> None:
        try:
            # Without a reader it would wait for ever: then the supervisor is gone.
            pipe = os.open(f"{folder}/control", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                os.write(pipe, letter)
            finally:
                os.close(pipe)
        except OSError as error:
            raise RefusedError(f"{self.subject}: its supervisor does not listen: {error.strerror}") from None
