# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the running kernel: a value below /proc/sys, a module."""

from __future__ import annotations

import os
import re

from .._host.processes import read_text
from . import tools
from .model import ABSENT, PRESENT, Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_KEY = re.compile(r"[A-Za-z0-9_.*/:@-]{1,200}\Z")
_MODULE = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def is_key(key: str) -> bool:
    """Say whether this may be the name of a setting."""
    return bool(_KEY.match(key)) and ".." not in key and not key.startswith("/")


class Sysctl(Kind):
    """The state: the value as text, blanks between its parts. What the next boot brings is a file's matter."""

    name = "sysctl"
    required = ("key", "value")
    root = "/proc/sys"

    @property
    def subject(self) -> str:
        return f"sysctl {self.options['key']}"

    def preflight(self) -> None:
        key = self.options["key"]
        if not is_key(key):
            raise RefusedError(f"{key[:80]!r} is no name of a sysctl")
        if not os.path.isfile(self._path()):
            raise RefusedError(f"there is no {self.subject} on this host")
        self.writable()

    def writable(self) -> None:
        path = self._path()
        if not os.access(path, os.W_OK) or os.statvfs(path).f_flag & os.ST_RDONLY:
            raise RefusedError(f"{self.subject} cannot be set: {self.root} is read-only here, or not for this user")

    def read(self) -> State:
        return " ".join(read_text(self._path()).split())

    def plan(self, before: State) -> State:  # noqa: ARG002
        return " ".join(str(self.options["value"]).split())

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        try:
            with open(self._path(), "w", encoding="utf-8") as stream:
                stream.write(f"{wanted}\n")
        except OSError as error:
            raise RefusedError(f"{self.subject} does not take {wanted!r}: {error.strerror}") from None
        if self.read() != wanted:
            raise RefusedError(f"{self.subject} is {self.read()!r} after {wanted!r} was written")

    def shown(self, state: State) -> str:
        return f"{self.options['key']} = {state}\n"

    def _path(self) -> str:
        key = self.options["key"]
        # As sysctl(8): with a slash in it, dots belong to names of interfaces.
        return os.path.join(self.root, key if "/" in key else key.replace(".", "/"))


class Module(Kind):
    """The state: whether the kernel has the module, loaded or built in."""

    name = "module"
    required = ("module",)
    optional = {"state": PRESENT}  # noqa: RUF012 - never written to

    @property
    def cuts_off(self) -> bool:  # type: ignore[override]
        """To load one cuts nobody off."""
        return bool(self.options["state"] == ABSENT)

    @property
    def subject(self) -> str:
        return f"kernel module {self.options['module']}"

    def preflight(self) -> None:
        name = self.options["module"]
        if not _MODULE.match(name):
            raise RefusedError(f"{name[:64]!r} is no name of a kernel module")
        if self.read() != (self.options["state"] == PRESENT):
            tools.need("modprobe")
            flags = ["-r"] if self.options["state"] == ABSENT else []
            tools.run(["modprobe", *flags, "--dry-run", name])

    def read(self) -> State:
        return os.path.isdir(f"/sys/module/{self.options['module'].replace('-', '_')}")

    def plan(self, before: State) -> State:  # noqa: ARG002
        return self.options["state"] == PRESENT

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        tools.run(["modprobe", *([] if wanted else ["-r"]), self.options["module"]])
        if self.read() != wanted:
            raise RefusedError(f"{self.subject}: modprobe did as it was told, and it is not so")

    def shown(self, state: State) -> str:
        return f"{self.subject}: {'loaded' if state else 'not loaded'}\n"
