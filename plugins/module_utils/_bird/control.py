# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""BIRD's control protocol, spoken over its Unix socket.

A reply is a run of lines: four digits and "-" (more follows) or " " (the reply ends here). A line that starts with one
space repeats the previous code, one that starts with "+" was not asked for. BIRD greets first, with code 0001. Codes
from 8000 on mean that the command was refused or not understood: data for the caller, no failure of the exchange.

The first thing said is "restrict": from then on BIRD itself denies whatever could change anything. Only a change that
somebody asked for (_change) leaves it out.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time

from .._record import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ANSWERS = "answers"
REFUSED = "refused"
ABSENT = "absent"
NO_ANSWER = "no_answer"
DENIED = "denied"
GARBAGE = "garbage"

DEFAULT_MAX_BYTES = 32 * 1024 * 1024
NEVER_ENDED = -1
_RESTRICTED = 16
# sun_path holds 108 bytes, one of them the terminator.
_LONGEST_PATH = 107
_LONGEST_GREETING = 512
_CHUNK = 262144
_LATE = "accepts the connection and does not answer in time"

_LAST_LINE = re.compile(rb"^(\d{4}) [^\n]*\n", re.MULTILINE)
_GREETING = re.compile(rb"0001 BIRD (\S+) ready\.\s*\n")
_ASYNC_LINE = rb"(?m)^\+[^\n]*\n"


class Reply(NamedTuple):
    """What came back for one command: the text as received, and the code of its last line (or NEVER_ENDED)."""

    command: str
    code: int
    text: str


class Exchange(NamedTuple):
    """One conversation.

    `state` is one of the constants above; 'answers' means that BIRD greeted, obeyed "restrict" and ended every reply.
    `replies` holds those received, in the order of the commands; unless 'answers', the last may be incomplete.
    `detail` is a sentence for a person, '' if all went well. `version` is taken from the greeting.
    """

    state: str
    detail: str
    version: str
    replies: list[Reply]


class _EndedError(Exception):
    """The conversation cannot go on: carries the state and the reason."""

    def __init__(self, state: str, detail: str) -> None:
        super().__init__(detail)
        self.state = state
        self.detail = detail


def ask(
    path: str,
    commands: Sequence[str],
    timeout: float = 5.0,
    read_timeout: float = 3.0,
    max_bytes: int = DEFAULT_MAX_BYTES,
    restricted: bool = True,
) -> Exchange:
    """Connect to the control socket at `path`, restrict the session, unless told otherwise, and ask `commands`.

    The whole takes at most `timeout` seconds; BIRD may be silent for at most `read_timeout` at a time. Never raises.
    """
    conversation = _Conversation(time.monotonic() + timeout, read_timeout, max_bytes)
    replies: list[Reply] = []
    state, detail = ANSWERS, ""
    try:
        conversation.connect(path)
        conversation.greet()
        for command in (*(("restrict",) if restricted else ()), *commands):
            reply = conversation.command(command)
            if command != "restrict":
                replies.append(reply)
            elif reply.code != _RESTRICTED:
                raise _EndedError(GARBAGE, "the session could not be restricted: " + _shown(reply.text.encode()))
    except _EndedError as ended:
        state, detail = ended.state, ended.detail
        partial = conversation.partial()
        if partial is not None:
            replies.append(partial)
    finally:
        conversation.close()
    return Exchange(state, detail, conversation.version, replies)


class _Conversation:
    """The connection and what of the stream is not yet used up."""

    def __init__(self, deadline: float, read_timeout: float, max_bytes: int) -> None:
        self.version = ""
        self._deadline = deadline
        self._read_timeout = read_timeout
        self._left = max_bytes
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = bytearray()
        self._asked = ""

    def close(self) -> None:
        self._socket.close()

    def connect(self, path: str) -> None:
        self._socket.settimeout(self._patience())
        try:
            _connect(self._socket, path)
        except (OSError, ValueError) as error:
            raise _EndedError(*_refusal(error)) from None

    def greet(self) -> None:
        """Read BIRD's greeting. Anything else is noticed at its first line, however slowly or endlessly it comes."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_GREETING:
                break
            self._receive()
        match = _GREETING.match(self._buffer)
        if match is None:
            raise _EndedError(GARBAGE, "not BIRD's greeting: " + _shown(self._buffer))
        self.version = match.group(1).decode("ascii", "replace")
        del self._buffer[: match.end()]

    def command(self, command: str) -> Reply:
        """Send one command and read its reply to the end."""
        self._asked = command
        try:
            self._socket.settimeout(self._patience())
            self._socket.sendall(command.encode() + b"\n")
        except socket.timeout:
            raise _EndedError(NO_ANSWER, "takes no command") from None
        except OSError as error:
            raise _EndedError(NO_ANSWER, "closed the connection: " + _reason(error)) from None
        scanned = 0
        while True:
            match = _LAST_LINE.search(self._buffer, scanned)
            if match is not None:
                code = int(match.group(1))
                return Reply(command, code, self._take(match.end()))
            # Only the last, unfinished line needs looking at again.
            scanned = self._buffer.rfind(b"\n") + 1
            self._receive()

    def partial(self) -> Reply | None:
        """Return what had arrived of the reply under way when the conversation ended, if anything."""
        if not self._asked or self._asked == "restrict" or not self._buffer:
            return None
        return Reply(self._asked, NEVER_ENDED, self._take(len(self._buffer)))

    def _take(self, end: int) -> str:
        raw = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._asked = ""
        if b"\n+" in raw or raw.startswith(b"+"):
            raw = re.sub(_ASYNC_LINE, b"", raw)
        return raw.decode("utf-8", "replace")

    def _receive(self) -> None:
        self._socket.settimeout(self._patience())
        try:
            chunk = self._socket.recv(_CHUNK)
        except socket.timeout:
            waited = "the whole answer took too long" if self._deadline <= time.monotonic() else "silent"
            raise _EndedError(NO_ANSWER, f"{_LATE} ({waited})") from None
        except OSError as error:
            raise _EndedError(*self._broken(_reason(error))) from None
        if not chunk:
            raise _EndedError(*self._broken("end of stream"))
        self._left -= len(chunk)
        if self._left < 0:
            raise _EndedError(GARBAGE, "the answer does not end")
        self._buffer += chunk

    def _broken(self, reason: str) -> tuple[str, str]:
        if not self.version and not self._buffer:
            # A daemon on its way out: it still listens, and drops whoever comes.
            return REFUSED, f"closes the connection at once ({reason})"
        return (NO_ANSWER if self.version else GARBAGE), f"closed the connection in the middle of a reply ({reason})"

    def _patience(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise _EndedError(NO_ANSWER, _LATE + " (the whole answer took too long)")
        return min(remaining, self._read_timeout)


def _connect(connection: socket.socket, path: str) -> None:
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        connection.connect(path)
        return
    # A path below a container's root may be too long for a socket address; its directory, held open, gives a short one.
    directory = os.open(os.path.dirname(path), getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        connection.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)


def _refusal(error: Exception) -> tuple[str, str]:
    """Say what a failed connect means."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.timeout) or number in (errno.EAGAIN, errno.EINPROGRESS, errno.ETIMEDOUT):
        # A Unix socket whose queue is full says EAGAIN: nobody has accepted for a while.
        return NO_ANSWER, "takes no more connections: those waiting are not accepted"
    if number in (errno.ENOENT, errno.ENOTDIR):
        return ABSENT, "does not exist"
    if number == errno.ECONNREFUSED:
        return REFUSED, "exists, but nobody listens on it"
    if number in (errno.EACCES, errno.EPERM):
        return DENIED, "may not be used by this user"
    return DENIED, "cannot be used: " + _reason(error)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _shown(raw: bytes | bytearray) -> str:
    """The beginning of something unexpected, fit to print."""
    return ascii(bytes(raw[:60]).decode("utf-8", "replace"))
