# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patch files of a report: for each finding whose fix changes an object or a rule that is in the bundle."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from .._raw.redact import without_secrets
from . import objects, rules, typed
from .model import ObjectChange, Patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._bundle.read import Bundle
    from .model import Change, RuleChange

FOLDER = "patches"
_MOST = 50
_SAVED = {"iptables": "iptables-save.txt", "ip6tables": "ip6tables-save.txt", "nft": "nft-ruleset.txt"}
_ROLES = ("cause", "contributing", "latent")


def patches(report: Mapping[str, Any], bundle: Bundle) -> list[Patch]:
    """Return the patches of a report, and name each in its finding's fix."""
    found: list[Patch] = []
    for number, item in enumerate(report["findings"], 1):
        if item["role"] not in _ROLES or len(found) >= _MOST:
            continue
        text = "".join(_texts(typed.changes(item["fix"].get("commands", ())), bundle))
        if text:
            name = f"{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', item['fault'])}.patch"
            item["fix"]["patch"] = f"{FOLDER}/{name}"
            found.append(Patch(name, text))
    return found


def _texts(changes: list[Change], bundle: Bundle) -> Iterator[str]:
    """Yield the differences; several changes of one file make one."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for change in changes:
        for path, old, new in _edits(change, bundle, after):
            before.setdefault(path, old)
            after[path] = new
    for path, new in after.items():
        yield difference(path, before[path], new)


def _edits(change: Change, bundle: Bundle, after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield the file that a change is made in, with its text before and after; nothing if it is in none."""
    if isinstance(change, ObjectChange):
        for path, text in bundle.cluster.items():
            old = after.get(path, text)
            if change.name in old:
                new = objects.edited(old, change, path.rpartition("/")[2].partition(".")[0])
                if new is not None and new != old:
                    yield path, old, new
                    return
        return
    yield from _rule(change, bundle, after)


def _rule(change: RuleChange, bundle: Bundle, after: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    name = _SAVED[change.program]
    for node, told in bundle.nodes.items():
        if name in told.texts and change.node in (node, told.address):
            path = bundle.origins.get((node, name), f"nodes/{node}/{name}")
            old = after.get(path, told.texts[name])
            new = rules.edited(old, change)
            if new is not None and new != old:
                yield path, old, new
                return


def difference(path: str, old: str, new: str) -> str:
    """Return the unified difference of a file's two texts, '' if it would show a secret beside what is changed."""
    shown = "".join(_ended(line) for line in difflib.unified_diff(_rows(old), _rows(new), f"a/{path}", f"b/{path}"))
    return shown if without_secrets(shown) == shown else ""


def _rows(text: str) -> list[str]:
    """Return the lines of a text as a difference knows them: only a line feed ends one."""
    rows = [row + "\n" for row in text.split("\n")]
    return [*rows[:-1], rows[-1][:-1]] if rows[-1] != "\n" else rows[:-1]


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
