# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the linter works with: documents that know their lines, rules, and findings."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .._catalogue.model import SEVERITIES
from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .context import Context

ACCEPT = "lint.netmedic.calico/accept"
Path = tuple["str | int", ...]


@dataclass(frozen=True)
class Document:
    """One object of a manifest.

    raw is plain data. lines has the line, from 1, of each field by its path, ("spec", "cidr"); line is where the object
    begins, 0 where it stands in no file.
    """

    kind: str
    api_version: str
    name: str
    namespace: str
    raw: Mapping[str, Any]
    file: str = ""
    line: int = 0
    lines: Mapping[Path, int] = field(default_factory=dict, repr=False)

    @property
    def group(self) -> str:
        """The API group: '' for those without one, as v1."""
        return self.api_version.rpartition("/")[0]

    @property
    def about(self) -> str:
        """How findings call it: IPPool/default, Secret/kube-system/bgp."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    @property
    def spec(self) -> dict[str, Any]:
        """Its specification; {} where it has none, or no mapping."""
        return plain.mapping(self.raw.get("spec"))

    @property
    def labels(self) -> dict[str, str]:
        """Its labels, values as texts."""
        return self._texts("labels")

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations, values as texts."""
        return self._texts("annotations")

    def _texts(self, key: str) -> dict[str, str]:
        told = plain.mapping(plain.mapping(self.raw.get("metadata")).get(key))
        return {name: plain.text(value) for name, value in told.items() if not isinstance(value, (dict, list))}

    @property
    def accepted(self) -> frozenset[str]:
        """The rules that somebody has accepted for this object, by annotation."""
        return frozenset(self.annotations.get(ACCEPT, "").replace(",", " ").split())

    def line_of(self, *path: str | int) -> int:
        """The line of a field, or of the nearest one above it that is there."""
        for length in range(len(path), 0, -1):
            found = self.lines.get(path[:length])
            if found is not None:
                return found
        return self.line


@dataclass(frozen=True)
class Problem:
    """What a rule finds wrong at a field of a document. summary: one sentence; severity: None is the rule's own."""

    document: Document
    path: Path
    summary: str
    severity: str | None = None


@dataclass(frozen=True)
class Rule:
    """One mistake. id is that of the catalogue's fault which it leads to, where there is one, and stands for ever.

    title: what is wrong, without a full stop. why: what comes of it. fix: what to write instead. kinds: the objects it
    is about. policy: one object alone shows it, so that the policies for admission refuse it as well.
    """

    id: str
    severity: str
    title: str
    why: str
    fix: str
    kinds: tuple[str, ...]
    check: Callable[[Context], Iterable[Problem]]
    policy: bool = False


@dataclass(frozen=True)
class Finding:
    """A rule broken at a place. file is as it was given, line from 1 (0: in no file), field dotted."""

    rule: str
    fault: str
    severity: str
    title: str
    summary: str
    why: str
    fix: str
    file: str
    line: int
    object: str
    field: str

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)

    @property
    def order(self) -> tuple[int, str, int, str]:
        """Worst first, then by place."""
        return (-SEVERITIES.index(self.severity), self.file, self.line, self.rule)


def dotted(path: Path) -> str:
    """A path as people write it: spec.ipPools[0].cidr."""
    text = ""
    for step in path:
        shown = f"[{step}]" if isinstance(step, int) else plain.text(step)
        text += f".{shown}" if text and isinstance(step, str) else shown
    return text
