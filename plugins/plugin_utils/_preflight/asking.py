# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command by which a host's listener is asked, and what comes back (see module_utils' _preflight.agent)."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any

from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = re.compile(r"/[A-Za-z0-9_./-]*/netmedic-preflight-[A-Za-z0-9_-]+", re.ASCII)
_MARK = "netmedic-preflight-answer "
# A shell takes no longer word.
_LONGEST_WORD = 100_000
_LONGEST_WORDS = 300
_KEYS = ("ways", "details", "mtu", "heard", "problems")
# $1 is the listener's folder, $2 its process, what follows is the request in pieces. As long as there is the process,
# an answer will come: it ends at its deadline at the latest. Where a
# shell's sleep knows whole seconds only, it waits so.
_SCRIPT = (
    'd=$1; p=$2; shift 2; [ -d "/proc/$p" ] && [ -d "$d" ] || { echo gone; exit 0; }; umask 077; rm -f "$d/answer"; '
    'for w in "$@"; do printf %s "$w"; done > "$d/ask.new" && mv "$d/ask.new" "$d/ask" || exit 1; '
    'while [ ! -e "$d/answer" ] && [ -d "/proc/$p" ]; do sleep 0.04 2>/dev/null || sleep 1; done; '
    f'printf "%s" "{_MARK}"; cat "$d/answer"; rm -f "$d/answer"'
)


def command(host: str, what: str, plan: Mapping[str, Any], listener: Mapping[str, Any]) -> str:
    """The command, '' where there is no listener to ask. A host that is not in the plan has its listener stopped.

    ValueError, with a sentence, for a listener that cannot be one.
    """
    folder, pid = plain.text(listener.get("folder")), plain.count(listener.get("pid"))
    if not folder and not pid:
        return ""
    if not _FOLDER.fullmatch(folder) or "/../" in folder or pid < 2:
        raise ValueError(f"{host} tells of a listener in {folder!r} with the process {pid}, which is none of ours")
    number = plain.integer(plain.mapping(plan.get("numbers")).get(host))
    text = json.dumps({"do": "stop"} if what == "stop" or number is None else _request(number, plan))
    pieces = [text[at : at + _LONGEST_WORD] for at in range(0, len(text), _LONGEST_WORD)]
    return shlex.join(["/bin/sh", "-c", _SCRIPT, "sh", folder, str(pid), *pieces])


def read(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The result of the task from what the command printed."""
    output = str(answer.get("stdout") or "")
    if output.strip() == "gone":
        return {"problems": ["the listener has ended before it was asked"], "gone": True}
    _before, mark, text = output.partition(_MARK)
    try:
        told = plain.mapping(json.loads(text)) if mark else {}
    except (ValueError, RecursionError):
        told = {}
    if not told:
        said = " ".join(f"{answer.get('stderr') or ''} {output}".split())[:_LONGEST_WORDS]
        return {"failed": True, "msg": f"The listener was asked and did not answer. {said}".strip()}
    return {key: told[key] for key in _KEYS if key in told}


def _request(number: int, plan: Mapping[str, Any]) -> dict[str, Any]:
    peers = [one for one in plain.sequence(plan.get("peers")) if plain.sequence(one)[:1] != [number]]
    own: list[str] = next((plain.sequence(one)[1] for one in plain.sequence(plan.get("peers")) if one[0] == number), [])
    kept = {key: plan[key] for key in ("tcp", "udp", "ipip", "mtu", "signed", "timeout", "rate") if key in plan}
    return {"do": "probe", "number": number, "own": own, "peers": peers, **kept}
