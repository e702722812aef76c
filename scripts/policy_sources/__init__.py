# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CEL and Rego ask about each rule: a file for each, written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

FOLDER = Path(__file__).parent


class Source(NamedTuple):
    """A rule's file. cel: by kind, expressions that are true for a good object; variables: by name, what they share."""

    rule: str
    cel: dict[str, list[str]]
    variables: dict[str, str]
    rego: str


def sources() -> list[Source]:
    """All of them, by name."""
    return [_source(path) for path in sorted(FOLDER.glob("*.yml"))]


def _source(path: Path) -> Source:
    told: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Source(path.stem, told["cel"], told.get("variables", {}), told["rego"])


def library() -> str:
    """The functions that the rules' Rego shares, without a package."""
    return (FOLDER / "lib.rego").read_text(encoding="utf-8")
