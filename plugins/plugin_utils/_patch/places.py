# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in the files of a bundle stands what a finding is about: the object's field, or the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._evidence import plain
from . import objects
from .model import ObjectChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._bundle.read import Bundle

_RULES = ("iptables-save.txt", "ip6tables-save.txt", "nft-ruleset.txt")


def locate(report: Mapping[str, Any], bundle: Bundle) -> None:
    """Put `location` into each finding of which the bundle has the object or the rule: its file and line."""
    for item in report["findings"]:
        where = item["where"]
        found = (
            _of_object(where, bundle) if where.get("object") else _of_rule(where, bundle) if "rule" in where else None
        )
        if found:
            item["location"] = {"file": found[0], "line": found[1]}


def _of_object(where: Mapping[str, Any], bundle: Bundle) -> tuple[str, int] | None:
    """Kind/name, or Kind/namespace/name."""
    kind, _slash, rest = plain.text(where["object"]).partition("/")
    namespace, _slash, name = rest.rpartition("/")
    if not name:
        return None
    change = ObjectChange(kind.lower(), name, namespace, {})
    for path, text in bundle.cluster.items():
        if name in text:
            line = objects.line(text, change, plain.text(where.get("field")), path.rpartition("/")[2].partition(".")[0])
            if line is not None:
                return path, line
    return None


def _of_rule(where: Mapping[str, Any], bundle: Bundle) -> tuple[str, int] | None:
    node, rule = plain.text(where.get("node")), plain.text(where.get("text")).strip()
    told = bundle.nodes.get(node)
    if told is None or not rule:
        return None
    for name in _RULES:
        table = ""
        for number, line in enumerate(told.texts.get(name, "").split("\n"), 1):
            table = line.strip()[1:] if line.startswith("*") else table
            # Counters may stand before a rule; only iptables-save heads its tables.
            same = line.strip() == rule or line.strip().endswith(f"] {rule}")
            if same and table in ("", where.get("table")):
                return bundle.origins.get((node, name), f"nodes/{node}/{name}"), number
    return None
