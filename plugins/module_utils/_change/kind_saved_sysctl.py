# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel setting as the next boot brings it: in the files that win, or in one of our own behind them.

Files of sysctl.d are read in the order of their names, one in /etc in place of that of the same name elsewhere, and the
last value counts (sysctl.d(5)). `sysctl --system` reads /etc/sysctl.conf after them (sysctl(8)), and ufw its own file
when it starts. Each of the three has to have the right value, as it depends on the host which come when.
"""

from __future__ import annotations

import os

from .._host import sysctl_files
from .._host.processes import read_text
from . import files, saved_settings
from .kind_kernel import is_key
from .model import Kind, RefusedError, lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_OWN = "zz-netmedic-calico.conf"
_HEADER = "# netmedic.calico\n"
_UFW, _UFW_SETTINGS, _UFW_DEFAULTS = "/etc/ufw/ufw.conf", "/etc/ufw/sysctl.conf", "/etc/default/ufw"
_LIMIT = 1 << 18


class SavedSysctl(Kind):
    """The state: by file the line that sets the key there, None for our own file without one."""

    name = "saved_sysctl"
    required = ("key", "value")
    cuts_off = False
    root = ""

    @property
    def subject(self) -> str:
        return f"sysctl {self.options['key']} at boot"

    def preflight(self) -> None:
        key = self.options["key"]
        if not is_key(key) or "*" in key:
            raise RefusedError(f"{key[:80]!r} is no name of a sysctl")
        self.writable()

    def writable(self) -> None:
        for path in self.read():
            found = files.read(path)
            files.check_writable(path, 1024 + (len(found.content) if found else 0))

    def read(self) -> State:
        found: dict[str, str | None] = {}
        winner, path = self._winner()
        own = f"{self.root}{sysctl_files.FOLDERS[0]}/{_OWN}"
        # What a package or the system made is left alone, and so is what names more than this key.
        if winner is None or not path.startswith(f"{self.root}{sysctl_files.FOLDERS[0]}/") or winner.pattern:
            if os.path.basename(path) > _OWN:
                raise RefusedError(f"{self.subject}: {path} is read after every file of ours")
            found[own] = None
        else:
            found[path] = winner.line
        seen = {os.path.realpath(one) for one in found}
        for later in self._later():
            last = self._last(later)
            if last is not None and os.path.realpath(later) not in seen:
                found[later] = last.line
        return found

    def plan(self, before: State) -> State:
        key, value = self.options["key"], self.options["value"]
        wanted = {}
        for path, line in before.items():
            wanted[path] = f"{key} = {value}" if line is None else saved_settings.with_value(line, value)
        return before if wanted == before else wanted

    def write(self, now: State, wanted: State) -> None:
        if now.keys() != wanted.keys():
            raise RefusedError(f"{self.subject}: it is set in other files than before")
        for path, line in wanted.items():
            if line != now[path]:
                self._write(path, now[path], line)

    def shown(self, state: State) -> str:
        return lines_of([f"{path}: {line.strip()}" for path, line in state.items() if line is not None])

    def _write(self, path: str, before: str | None, after: str | None) -> None:
        found = files.read(path)
        text = found.content.decode("utf-8", "surrogateescape") if found else _HEADER
        if before is None:
            text = f"{text}\n" if text and not text.endswith("\n") else text
            text += f"{after}\n"
        else:
            text = saved_settings.replaced(text, before, after)
        if found is not None and after is None and text == _HEADER:
            files.remove(path)
            return
        mode, uid, gid = (found.mode, found.uid, found.gid) if found else (0o644, os.geteuid(), os.getegid())
        files.replace(path, text.encode("utf-8", "surrogateescape"), mode, uid, gid)

    def _winner(self) -> tuple[saved_settings.Line | None, str]:
        found: tuple[saved_settings.Line | None, str] = (None, "")
        for path in sysctl_files.in_order(self.root):
            last = self._last(path)
            # A line for this very key counts, wherever patterns stand (sysctl.d(5)).
            if last is not None and (found[0] is None or found[0].pattern or not last.pattern):
                found = (last, path)
        return found

    def _later(self) -> list[str]:
        found = [f"{self.root}{sysctl_files.LAST}"]
        if saved_settings.shell_value(read_text(self.root + _UFW, _LIMIT), "ENABLED").lower() == "yes":
            told = saved_settings.shell_value(read_text(self.root + _UFW_DEFAULTS, _LIMIT), "IPT_SYSCTL")
            found.append(self.root + (told if told.startswith("/") else _UFW_SETTINGS))
        return found

    def _last(self, path: str) -> saved_settings.Line | None:
        # A link to /dev/null hides the files of its name.
        found = files.read(path) if os.path.isfile(path) else None
        text = found.content.decode("utf-8", "surrogateescape") if found else ""
        return saved_settings.deciding(text, self.options["key"])
