# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the script tells of connections to the API server and to Typha, laid out as readers of a node look for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...module_utils._host import health
from . import node_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .told_files import ToldFiles

TABLE = "proc-net-tcp.txt"
_NET = "/proc/self/net/tcp"
_FOLDER = "/health"
_ENDED = re.compile(r"^ended (\d{1,3})$", re.MULTILINE)
_REFUSED = ("1", "7")  # bash and nc, curl
_NO_ANSWER = ("28", "124", "137", "143")  # curl, timeout, and the shell's own watch
_NO_PROGRAM = ("125", "126", "127")


def lay_out(texts: Mapping[str, str], files: ToldFiles) -> None:
    """Put the table of sockets where a node has it; of the script's table all the rest was left out."""
    if files.is_told and TABLE in texts:
        files.add(_NET, texts[TABLE])


def answers(files: ToldFiles) -> dict[int, dict[str, Any]]:
    """Return by port what the programs that listen there said of their health."""
    found = {}
    for name in files.names(_FOLDER):
        port = node_told.whole(name)
        if port:
            found[port] = _state(files.read(f"{_FOLDER}/{name}"))
    return found


def _state(text: str) -> dict[str, Any]:
    ended = _ENDED.search(text)
    answer = text[: ended.start()].strip() if ended is not None else text.strip()
    code = ended.group(1) if ended is not None else "0"
    if answer:
        # The lines came here without the carriage returns that part the head from the rest.
        return health.parse(answer.replace("\r", "").replace("\n", "\r\n") + "\r\n")
    if code in _NO_ANSWER:
        return {"state": health.NO_ANSWER}
    if code in _NO_PROGRAM:
        return {"state": "unknown"}
    return {"state": health.REFUSED if code in _REFUSED else health.GARBAGE}
