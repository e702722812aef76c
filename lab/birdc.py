# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks a node's BIRD over its control socket, from the host, without starting a process.

The lab judges its own state with this; it is deliberately apart from the collection's own reader, which is tested
against the lab.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

from .services import SOCKET

if TYPE_CHECKING:
    from .machine import Machine


class BirdError(Exception):
    """BIRD gave no answer; the text says why in a few words."""


class Session(NamedTuple):
    """One BGP protocol: its name, BIRD's protocol state, the BGP state and the last error's text ("" if none)."""

    name: str
    state: str
    bgp_state: str
    last_error: str

    @property
    def established(self) -> bool:
        """True once BGP is established, whether or not routes flow yet."""
        return self.bgp_state == "Established"

    @property
    def settled(self) -> bool:
        """True once it is established and past BIRD's graceful restart and feeding."""
        return self.established and self.state == "up"


def ask(machine: Machine, command: str, timeout: float = 3.0, place: str = SOCKET) -> list[str]:
    """Send one command; the lines of the answer without their codes. `place`: the control socket.

    An answer is lines of "<4 digits>-text" or " text", the last one with a space after its digits.
    """
    text = b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.settimeout(timeout)
            channel.connect(str(machine.file(place)))
            _read_answer(channel)
            channel.sendall(command.encode() + b"\n")
            text = _read_answer(channel)
    except (TimeoutError, BlockingIOError):
        # The latter: nobody has accepted the last callers, there is no place left in the queue.
        raise BirdError("BIRD does not answer") from None
    except FileNotFoundError:
        raise BirdError("BIRD has no control socket") from None
    except OSError as error:
        raise BirdError(f"BIRD: {error.strerror}") from None
    return [line[5:] if line[:4].isdigit() else line[1:] for line in text.decode(errors="replace").splitlines()]


def _read_answer(channel: socket.socket) -> bytes:
    text = b""
    while True:
        received = channel.recv(65536)
        if not received:
            raise OSError(0, "closed the control socket")
        text += received
        if text.endswith(b"\n"):
            last = text[text.rfind(b"\n", 0, -1) + 1 :]
            if last[:4].isdigit() and last[4:5] == b" ":
                return text


def sessions(machine: Machine, place: str = SOCKET) -> dict[str, Session]:
    """Every BGP protocol of a node by name; BirdError if BIRD does not answer."""
    found = {}
    for line in ask(machine, "show protocols", place=place):
        # name, "BGP", table, state, since, then the BGP state and the last error
        fields = line.split(None, 5)
        if len(fields) >= 5 and fields[1] == "BGP":
            info = fields[5].split(None, 1) if len(fields) > 5 else []
            error = info[1].strip() if len(info) > 1 else ""
            found[fields[0]] = Session(fields[0], fields[3], info[0] if info else "", error)
    return found


def restart(machine: Machine, *names: str, place: str = SOCKET) -> None:
    """Restart protocols, as an operator would with `birdc restart`."""
    for name in names:
        ask(machine, f"restart {name}", place=place)
