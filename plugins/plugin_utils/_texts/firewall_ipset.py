# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ipset save` and `ipset list`, plain."""

from __future__ import annotations

from ...module_utils import _numbers
from ...module_utils._firewall import ipset
from . import lines
from .parsed import Parsed, Problems

_SEEN = ("Name:", "Type:", "Revision:", "Header:", "Size in memory:", "References:", "Number of entries:", "Members:")


def parse(text: str) -> Parsed[dict[str, ipset.IpSet]]:
    """Return the sets by name. A set whose members are not all there is left out. Never raises."""
    problems = Problems()
    is_whole = text.rstrip("` ~").endswith("\n")
    text = lines.printed(text)
    if any(line.startswith("Name: ") for line in text.split("\n")):
        return Parsed(_listed(text, problems), problems.found())
    found = ipset.parse(text)
    for number, line in enumerate(text.split("\n"), 1):
        words = line.split(None, 3)
        if not words or words[0].startswith("#"):
            continue
        if words[0] not in {"create", "add"} or len(words) < 3:
            problems.add(number, line, "not understood")
        elif words[0] == "add" and words[1] not in found:
            problems.add(number, line, "the set is not created before")
    if text and not is_whole and found:
        # The last line may be half a line; its set is not known for sure.
        name = text[text.rfind("\n") + 1 :].split(None, 2)[1:2]
        for one in name:
            found.pop(one, None)
        problems.add(text.count("\n") + 1, text[text.rfind("\n") + 1 :], "the last line is cut off")
    return Parsed(found, problems.found())


def _listed(text: str, problems: Problems) -> dict[str, ipset.IpSet]:
    found: dict[str, ipset.IpSet] = {}
    head: dict[str, str] = {}
    members: list[str] | None = None
    number = 0
    for number, line in enumerate([*text.split("\n"), "Name: "], 1):
        label = next((label for label in _SEEN if line.startswith(label)), "")
        if label == "Name:":
            _close(found, head, members, number, problems)
            head, members = {"Name:": line[5:].strip()}, None
        elif label == "Members:":
            members = []
        elif label and members is None:
            head[label] = line[len(label) :].strip()
        elif line.strip() and members is not None:
            members.append(line.strip())
        elif line.strip():
            problems.add(number, line, "not understood")
    return found


def _close(
    found: dict[str, ipset.IpSet], head: dict[str, str], members: list[str] | None, number: int, problems: Problems
) -> None:
    """Take in the set that ends before line `number`."""
    name = head.get("Name:", "")
    if not name:
        return
    count = head.get("Number of entries:", "")
    if members is None or (_numbers.is_whole(count) and int(count) != len(members)) or "Type:" not in head:
        why = "its members are not listed" if members is None else f"{len(members)} of its {count} members are listed"
        problems.add(number - 1, name, why)
        return
    made = ipset.IpSet(name, head["Type:"], head.get("Header:", "").split())
    made.lines.extend(members)
    found[name] = made


def plain(value: dict[str, ipset.IpSet]) -> dict[str, object]:
    """Return the sets as plain data."""
    return {name: {"kind": one.kind, "family": one.family, "members": one.lines} for name, one in value.items()}
