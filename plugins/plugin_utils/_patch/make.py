# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The patch files of a report: for each finding whose fix changes an object or a rule that is in the bundle."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from .._raw.redact import without_secrets
from . import merge, objects, rules, typed
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
    """Return the patches of a report, and name each in its finding's fix; `patch` is the first, `patches` has them all
    where there are several."""
    found: list[Patch] = []
    for number, item in enumerate(report["findings"], 1):
        if item["role"] not in _ROLES or len(found) >= _MOST:
            continue
        stem = f"{number}-{re.sub(r'[^A-Za-z0-9_-]', '_', item['fault'])}"
        made = list(_of_finding(stem, typed.changes(item["fix"].get("commands", ())), bundle))
        if made:
            names = [f"{FOLDER}/{one.name}" for one in made]
            item["fix"].update(patch=names[0], **({"patches": names} if len(names) > 1 else {}))
            found += made
    return found


def _of_finding(stem: str, changes: list[Change], bundle: Bundle) -> Iterator[Patch]:
    """Yield one difference of all files that can be edited, and a merge patch for each object that cannot."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    by_file: dict[str, list[Change]] = {}
    left: list[Change] = []
    for change in changes:
        edits = list(_edits(change, bundle, after))
        for path, old, new in edits:
            before.setdefault(path, old)
            after[path] = new
            by_file.setdefault(path, []).append(change)
        left += [] if edits else [change]
    shown = {path: difference(path, before[path], new) for path, new in after.items()}
    # A difference that would show a secret is none: what is changed can be told without what stands beside it.
    left += [change for path, text in shown.items() if not text for change in by_file[path]]
    if any(shown.values()):
        yield Patch(f"{stem}.patch", "".join(shown.values()))
    merges = [text for change in left if isinstance(change, ObjectChange) and (text := _merge(change, bundle))]
    for number, text in enumerate(merges, 1):
        name = f"{stem}{f'-{number}' if len(merges) > 1 else ''}.yaml"
        yield Patch(name, text.replace(merge.FILE, f"{FOLDER}/{name}"))


def _merge(change: ObjectChange, bundle: Bundle) -> str:
    """The change as a merge patch if the bundle has the object, and not as it is to be; else ''."""
    for path, text in bundle.cluster.items():
        stem = path.rpartition("/")[2].partition(".")[0]
        if change.name in text and objects.holds(text, change, stem):
            already = objects.edited(text, change, stem) == text
            written = "" if already else merge.written(change, path)
            return written if without_secrets(written) == written else ""
    return ""


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
