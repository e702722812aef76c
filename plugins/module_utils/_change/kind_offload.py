# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a device leaves the checksums of what it sends to another."""

from __future__ import annotations

import re

from .._host import offload
from .model import Kind, RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .model import State

_DEVICE = re.compile(r"[^\s/:]{1,15}\Z")


class Offload(Kind):
    """The state: whether it does (`ethtool -k`: tx-checksumming)."""

    name = "offload"
    required = ("device", "value")

    @property
    def subject(self) -> str:
        return f"tx-checksumming of {self.options['device']}"

    def preflight(self) -> None:
        if not _DEVICE.match(self.options["device"]):
            raise RefusedError(f"{self.options['device'][:32]!r} is no name of a network device")
        if self.options["value"] not in ("on", "off"):
            raise RefusedError(f"{self.subject} is on or off, not {self.options['value'][:32]!r}")
        self.read()

    def read(self) -> State:
        on, unknown = offload.sending([self.options["device"]])
        if unknown:
            raise RefusedError(f"{self.subject}: there is no such device, or it does not tell")
        return bool(on)

    def plan(self, before: State) -> State:  # noqa: ARG002
        return self.options["value"] == "on"

    def write(self, now: State, wanted: State) -> None:  # noqa: ARG002
        try:
            offload.switch(self.options["device"], bool(wanted))
        except OSError as error:
            raise RefusedError(f"{self.subject} cannot be set: {error.strerror}") from None
        if self.read() != wanted:
            raise RefusedError(f"{self.subject} cannot be set: the device keeps it as it is")

    def shown(self, state: State) -> str:
        return f"{self.subject}: {'on' if state else 'off'}\n"
