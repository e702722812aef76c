# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/os-release, and what `hostnamectl` and `lsb_release -a` say of the same."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...module_utils._host.identity import parse_os_release
from . import lines
from .parsed import Parsed, Problem, Problems

_ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]{0,63}=")
_PRETTY = re.compile(r"\s*(?:Operating System|Description|PRETTY_NAME):\s*(.{1,200})$")
# /etc/redhat-release, which stands beside it.
_RELEASE = re.compile(r"[A-Z][\w ().-]{2,60} release \d[\w. ()-]{0,60}$")
_KNOWN = (
    "ubuntu", "debian", "centos", "red hat", "rhel", "rocky", "almalinux", "fedora", "coreos", "flatcar", "amazon",
    "oracle", "suse", "photon", "alpine", "talos", "bottlerocket", "rancheros", "arch", "raspbian", "cos", "linux",
)  # fmt: skip


class OperatingSystem(NamedTuple):
    """`short` is the form of calico_node.os ("debian 12", '' if not told), `name` the whole name ('' likewise), `like`
    the systems it derives from."""

    short: str
    name: str
    like: tuple[str, ...]


def parse(text: str) -> Parsed[OperatingSystem | None]:
    """Return the system; None if the text tells of none. A single line that is a system's whole name will do."""
    problems = Problems()
    values: dict[str, str] = {}
    pretty = release = ""
    others: list[tuple[int, str]] = []
    for number, line in lines.numbered(text):
        body = line.strip()
        if _ASSIGNMENT.match(body):
            name, _equals, value = body.partition("=")
            values[name] = value.strip().strip("\"'")
        elif _RELEASE.match(body):
            release = body
        elif body and not body.startswith("#"):
            match = _PRETTY.match(line)
            pretty = pretty or (match.group(1).strip() if match else "")
            others += [] if match else [(number, body)]
    pretty = pretty or release
    if values:
        values.setdefault("PRETTY_NAME", release)
        for number, body in others:
            problems.add(number, body, "no setting")
        return Parsed(_of(values), problems.found())
    if not pretty and len(others) == 1 and any(known in others[0][1].lower() for known in _KNOWN):
        pretty = others[0][1]
    if pretty:
        return Parsed(OperatingSystem("", pretty[:200], ()))
    return Parsed(None, tuple(Problem(number, body[:120], "names no system") for number, body in others[:1]))


def _of(values: dict[str, str]) -> OperatingSystem:
    short = parse_os_release(f"ID={values.get('ID', '')}\nVERSION_ID={values.get('VERSION_ID', '')}")
    return OperatingSystem(short, values.get("PRETTY_NAME", ""), tuple(values.get("ID_LIKE", "").split()))
