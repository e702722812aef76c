# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script for nodes without Python as one command, and the texts that it prints.

The script's output is cut at a mark that nobody on the node can know beforehand, so that no text can pass for another.
"""

from __future__ import annotations

import re
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import places
from .redact import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).with_name("collect")
_PARTS = (
    "start",
    "processes",
    "bird",
    "control",
    "overlay",
    "network",
    "tunnels",
    "filters",
    "host",
    "files",
    "logs",
    "scripts",
    "boot",
    "end",
)
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}$")
_MOST_PEERS = 1000
_MOST_TEXT = 256 * 1024 * 1024
TOLD = "raw-node.txt"


class Output(NamedTuple):
    """The texts by their canonical names, and whether the script came to its end."""

    texts: dict[str, str]
    complete: bool


def new_mark() -> str:
    """Return a mark for one run."""
    return f"-{secrets.token_hex(16)}"


def command(params: Mapping[str, Any], mark: str) -> str:
    """Return the script with its settings; `params` are the options of the module node_facts.

    The mark is put together on the node only: the script's own command line does not hold it.
    """
    settings: dict[str, Any] = {
        "mark_a": mark[:16],
        "mark_b": mark[16:],
        "seconds": max(int(float(params.get("timeout") or 5)), 1),
        "log_window": max(int(float(params.get("log_window") or 3600)), 1),
        "probe": "yes" if params.get("probe", True) else "no",
        "more_peers": " ".join(_peers(params)),
        "socket4": params.get("bird_socket") or "",
        "socket6": params.get("bird6_socket") or "",
    }
    settings.update(places.settings())
    texts = [(_FOLDER / f"{part}.sh").read_text(encoding="utf-8") for part in _PARTS]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    script = "\n".join(line for line in lines if line and not line.startswith("#"))
    return " ".join(f"{name}={shlex.quote(str(value))}" for name, value in settings.items()) + "\n" + script + "\n"


def cut(output: str, mark: str, params: Mapping[str, Any] | None = None) -> Output:
    """Return the texts in the script's output. What was printed twice under one name is put together."""
    parts: dict[str, list[str]] = {}
    name = ""
    lines: list[str] = []
    statuses: list[str] = []
    complete = False
    for line in output[:_MOST_TEXT].replace("\r\n", "\n").split("\n"):
        if not line.startswith(mark):
            lines.append(line)
            continue
        sign, value = line[len(mark) : len(mark) + 1], line[len(mark) + 1 :].strip()
        if sign == "<" and name:
            parts.setdefault(name, []).append("\n".join(lines).rstrip("\n") + "\n")
            statuses += [f"status\t{name}\t{value}"] if value not in ("", "0") else []
        name, lines = (value if sign == ">" else ""), []
        complete = complete or sign == "."
    texts = {name: redacted(name, "".join(pieces)) for name, pieces in parts.items() if _is_text(name, pieces)}
    if TOLD in texts:
        peers = _peers(params or {})
        statuses += [f"peers\t{' '.join(peers)}"] if peers else []
        texts[TOLD] += "".join(line + "\n" for line in statuses)
    return Output(texts, complete)


def _peers(params: Mapping[str, Any]) -> list[str]:
    given = [str(peer).strip() for peer in params.get("peers") or ()]
    return [peer for peer in given if _ADDRESS.match(peer)][:_MOST_PEERS]


def _is_text(name: str, pieces: list[str]) -> bool:
    return re.match(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", name) is not None and any(piece.strip() for piece in pieces)
