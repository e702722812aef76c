# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said to running programs: commands to BIRD, a signal to one process. None of it can be undone."""

from __future__ import annotations

import os
import re
import signal
import time

from .._bird import control, discovery
from .._host import processes
from .model import Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_PROTOCOL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_PATIENCE = 8.0
_NOT_DONE = 8000
_SIGNALS = {"HUP": signal.SIGHUP, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL, "USR1": signal.SIGUSR1}
_ENDING = ("TERM", "KILL")


class Bird(Kind):
    """The state: what BIRD was told, '' before. `family` says which daemon, `command` what: configure, or restart,
    reload, enable or disable of one `protocol`."""

    name = "bird"
    required = ("command",)
    optional = {"family": "ipv4", "protocol": "", "socket": ""}  # noqa: RUF012 - never written to
    undoable = False
    cuts_off = False

    @property
    def subject(self) -> str:
        return f"BIRD ({self.options['family']}): {self._words()}"

    def preflight(self) -> None:
        command, protocol = self.options["command"], self.options["protocol"]
        if (command == "configure") == bool(protocol) or (protocol and not _PROTOCOL.match(protocol)):
            raise RefusedError(f"{self.subject}: configure is told to BIRD as a whole, all else to one protocol")
        state, detail = self._ask("show protocols" + (f" {protocol}" if protocol else ""), restricted=True)
        if state:
            raise RefusedError(f"{self.subject}: {detail}")

    def read(self) -> State:
        return ""

    def plan(self, before: State) -> State:  # noqa: ARG002
        return self._words()

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        if wanted:
            state, detail = self._ask(wanted, restricted=False)
            if state:
                raise RefusedError(f"{self.subject}: {detail}")

    def shown(self, state: State) -> str:
        return f"{state}\n" if state else ""

    def _words(self) -> str:
        return f"{self.options['command']} {self.options['protocol']}".strip()

    def _ask(self, question: str, restricted: bool) -> tuple[str, str]:
        """Return ("", "") if BIRD does it, else what is wrong."""
        for path in sockets(self.options["family"], self.options["socket"]):
            exchange = control.ask(path, [question], _PATIENCE, _PATIENCE, restricted=restricted)
            if exchange.state == control.ANSWERS:
                reply = exchange.replies[0]
                return ("refused", " ".join(reply.text.split())[:200]) if reply.code >= _NOT_DONE else ("", "")
            if exchange.state not in (control.ABSENT, control.REFUSED):
                return exchange.state, f"{path} {exchange.detail}"
        return control.ABSENT, "no BIRD of this family runs on this host"


def sockets(family: str, socket: str = "") -> list[str]:
    """Return where one family's BIRD may have its control socket, as paths to open from here."""
    table = processes.walk()
    installation = discovery.find_installation(table)
    daemon = discovery.find_daemon(family, table, installation, socket)
    return list(dict.fromkeys(place.actual for place in daemon.sockets))


class Signal(Kind):
    """The state: whether the process lives, and the signal that it was sent. `started` is field 22 of
    /proc/PID/stat (clock ticks since the boot), so that no other process can be hit that came to have the same id."""

    name = "signal"
    required = ("pid", "started", "signal")
    undoable = False

    @property
    def subject(self) -> str:
        return f"process {self.options['pid']}"

    @property
    def cuts_off(self) -> bool:  # type: ignore[override]
        """Only to end some others than BIRD may."""
        found = self._process()
        return found is not None and found.comm not in {"bird", "bird6"}

    def preflight(self) -> None:
        name, pid = self.options["signal"], self.options["pid"]
        if name not in _SIGNALS:
            raise RefusedError(f"{name!r} is none of the signals {', '.join(_SIGNALS)}")
        if pid <= 1 or pid in _own_line():
            raise RefusedError(f"process {pid} is the host's first one, or one that this change itself comes from")
        found = self._process()
        if found is None and name not in _ENDING:
            raise RefusedError(f"process {pid} that started at {self.options['started']} is not there any more")

    def read(self) -> State:
        return {"alive": self._process() is not None, "sent": ""}

    def plan(self, before: State) -> State:
        if not before["alive"]:
            return before
        return {"alive": self.options["signal"] not in _ENDING, "sent": self.options["signal"]}

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        found = self._process()
        if not wanted["sent"] or found is None:
            return
        try:
            os.kill(found.pid, _SIGNALS[wanted["sent"]])
        except OSError as error:
            raise RefusedError(f"{self.subject}: {error.strerror}") from None
        deadline = time.monotonic() + _PATIENCE
        while not wanted["alive"] and self._process() is not None:
            if time.monotonic() > deadline:
                raise RefusedError(f"{self.subject} still runs {_PATIENCE:g} seconds after SIG{wanted['sent']}")
            time.sleep(0.05)

    def same(self, one: State, other: State) -> bool:
        return bool(one["alive"] == other["alive"])

    def shown(self, state: State) -> str:
        return f"{self.subject}: {'SIG' + state['sent'] if state['sent'] else 'runs' if state['alive'] else 'gone'}\n"

    def _process(self) -> processes.Process | None:
        """Return the very process, if it is there and no zombie."""
        table = processes.Process(self.options["pid"], "", f"/proc/{self.options['pid']}")
        if table.state in {"", "Z", "X"} or started_of(self.options["pid"]) != self.options["started"]:
            return None
        comm = processes.read_text(f"/proc/{self.options['pid']}/comm").strip()
        return processes.Process(self.options["pid"], comm, f"/proc/{self.options['pid']}")


def started_of(pid: int) -> int:
    """Return when a process started, in clock ticks since the boot; -1 if there is none."""
    ticks = processes.Process(pid, "", f"/proc/{pid}").start_ticks
    return -1 if ticks is None else ticks


def _own_line() -> set[int]:
    found: set[int] = set()
    pid = os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        pid = processes.Process(pid, "", f"/proc/{pid}").ppid
    return found
