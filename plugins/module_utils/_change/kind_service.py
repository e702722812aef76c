# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service under systemd or runit: whether it runs, whether it starts with the host."""

from __future__ import annotations

import os
import re
import time

from . import tools
from .model import Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_NAME = re.compile(r"[A-Za-z0-9_.@:-]{1,128}\Z")
_FOLDERS = ("/etc/service", "/etc/service/enabled", "/service", "/var/service", "/etc/runit/runsvdir/default")
STATES = ("", "started", "stopped", "restarted", "reloaded")
# Of these nothing is left to be seen, or undone.
_PASSING = {"restarted": "restart", "reloaded": "reload"}
# Who keeps time has no part in whether a host can be reached.
_HARMLESS = frozenset(("chrony", "chronyd", "ntp", "ntpd", "ntpsec", "openntpd", "systemd-timesyncd"))
_WAIT = 10.0


class Service(Kind):
    """The state: `running`, `enabled` (None where it is neither), and `since`, which tells one start from another."""

    name = "service"
    required = ("service",)
    optional = {"run": "", "enabled": None, "if_changed": False}  # noqa: RUF012 - never written to

    @property
    def cuts_off(self) -> bool:  # type: ignore[override]
        """All but time services may: firewalls, network managers, sshd."""
        return self._name() not in _HARMLESS

    @property
    def undoable(self) -> bool:  # type: ignore[override]
        """That it was restarted, or read its configuration anew, cannot be undone."""
        return self.options["run"] not in _PASSING

    @property
    def subject(self) -> str:
        passing = _PASSING.get(self.options["run"])
        return f"{passing} of service {self._name()}" if passing else f"service {self._name()}"

    def preflight(self) -> None:
        if not _NAME.match(self.options["service"]) or self.options["service"].startswith("-"):
            raise RefusedError(f"{self.options['service'][:64]!r} is no name of a service")
        if self.options["run"] not in STATES or (not self.options["run"] and self.options["enabled"] is None):
            raise RefusedError(f"{self.subject}: nothing is asked of it (run, enabled)")
        if self.options["run"] in _PASSING and self.options["enabled"] is not None:
            raise RefusedError(f"{self.subject}: that and to enable it are two changes")
        if self._has_systemd():
            told = tools.run(["systemctl", "show", "-p", "LoadState", self.options["service"]]).strip()
            if not told.endswith("=loaded"):
                raise RefusedError(f"there is no {self.subject} on this host ({told.partition('=')[2]})")
        elif not self._folder():
            raise RefusedError(f"{self.subject}: there is neither systemd nor a service of runit by that name here")

    def read(self) -> State:
        if self._has_systemd():
            return self._read_systemd()
        status = tools.run(["sv", "status", self._folder()])
        enabled = not os.path.exists(f"{self._folder()}/down")
        pid = re.search(r"\(pid (\d+)\)", status)
        return {"running": status.startswith("run:"), "enabled": enabled, "since": pid.group(1) if pid else ""}

    def plan(self, before: State) -> State:
        running = {"stopped": False}.get(self.options["run"], bool(self.options["run"]) or before["running"])
        wanted = dict(before, running=running)
        if self.options["enabled"] is not None and before["enabled"] is not None:
            wanted["enabled"] = self.options["enabled"]
        if self.options["run"] in _PASSING:
            wanted["since"] = self.options["run"]
        return wanted

    def write(self, now: State, wanted: State) -> None:
        if wanted["enabled"] != now["enabled"] and wanted["enabled"] is not None:
            self._enable(wanted["enabled"])
        if wanted["since"] in _PASSING:
            self._order(_PASSING[wanted["since"]])
        elif wanted["running"] != now["running"]:
            self._order("start" if wanted["running"] else "stop")
        deadline = time.monotonic() + _WAIT
        while not self.same(self.read(), wanted):
            if time.monotonic() > deadline:
                raise RefusedError(f"{self.subject} is not {'running' if wanted['running'] else 'stopped'} after that")
            time.sleep(0.2)

    def same(self, one: State, other: State) -> bool:
        return (one["running"], one["enabled"]) == (other["running"], other["enabled"])

    def shown(self, state: State) -> str:
        now = "running" if state["running"] else "stopped"
        running = state["since"] if state["since"] in _PASSING else now
        enabled = {True: ", enabled", False: ", disabled"}.get(state["enabled"], "")
        return f"{self.subject}: {running}{enabled}\n"

    def _read_systemd(self) -> State:
        names = "ActiveState,UnitFileState,InvocationID"
        told = tools.run(["systemctl", "show", "-p", names, self.options["service"]])
        found = dict(line.split("=", 1) for line in told.split("\n") if "=" in line)
        enabled = {"enabled": True, "disabled": False}.get(found.get("UnitFileState", ""))
        running = found.get("ActiveState") in {"active", "reloading", "activating"}
        return {"running": running, "enabled": enabled, "since": found.get("InvocationID", "")}

    def _order(self, command: str) -> None:
        if self._has_systemd():
            tools.run(["systemctl", command, self.options["service"]], 60.0)
            return
        tools.run(["sv", {"start": "up", "stop": "down", "reload": "hup"}.get(command, command), self._folder()], 15.0)

    def _enable(self, enabled: bool) -> None:
        if self._has_systemd():
            tools.run(["systemctl", "enable" if enabled else "disable", self.options["service"]], 30.0)
            return
        down = f"{self._folder()}/down"
        try:
            if enabled:
                os.unlink(down)
            else:
                os.close(os.open(down, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
        except OSError as error:
            raise RefusedError(f"{down}: {error.strerror}") from None

    def _name(self) -> str:
        name = str(self.options["service"])
        return name[: -len(".service")] if name.endswith(".service") else name

    def _has_systemd(self) -> bool:
        return os.path.isdir("/run/systemd/system")

    def _folder(self) -> str:
        places = [f"{folder}/{self._name()}" for folder in _FOLDERS]
        return next((place for place in places if os.path.isfile(f"{place}/run")), "")
