# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking BIRD through its own client program, where the socket is out of our reach.

The client may know or be allowed what we are not. It is no help against a daemon that hangs: it would hang, too.
"""

from __future__ import annotations

from .._host import commands
from .control import ABSENT, ANSWERS, DENIED, NO_ANSWER, REFUSED, Exchange, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# birdc needs a terminal library, birdcl nothing; bird6's clients stand first where both are installed.
_PROGRAMS = {"ipv4": ("birdcl", "birdc"), "ipv6": ("birdcl6", "birdc6", "birdcl", "birdc")}


def ask(family: str, path: str, questions: Sequence[str], timeout: float = 5.0) -> Exchange:
    """Run the first client found for each of `questions`, restricted; `path` '' leaves the socket to the client.

    The replies hold what the client prints: no codes, so that Reply.code is 0 for all that came.
    """
    for program in _PROGRAMS[family]:
        if commands.find_program(program):
            return _ask(program, path, questions, timeout)
    return Exchange(ABSENT, "neither birdcl nor birdc is installed", "", [])


def _ask(program: str, path: str, questions: Sequence[str], timeout: float) -> Exchange:
    replies: list[Reply] = []
    version = ""
    for question in questions:
        argv = [program, "-r"] + (["-s", path] if path else []) + question.split()
        result = commands.run(argv, timeout)
        if result.failure or result.rc != 0:
            state, detail = _failure(result)
            return Exchange(state, f"{program}: {detail}", version, replies)
        first = result.stdout.split(None, 2)
        if first[:1] == ["BIRD"] and len(first) > 1:
            version = first[1]
        replies.append(Reply(question, 0, result.stdout))
    return Exchange(ANSWERS, "", version, replies)


def _failure(result: commands.CommandResult) -> tuple[str, str]:
    said = " ".join((result.stderr or result.stdout).split())[:120]
    if result.failure == "timeout":
        return NO_ANSWER, "does not answer in time"
    if "No such file" in said:
        return ABSENT, said
    if "refused" in said:
        return REFUSED, said
    return DENIED, said or result.failure or f"exit status {result.rc}"
