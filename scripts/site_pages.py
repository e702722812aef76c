# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Markdown pages as Sphinx wants them: in the folders that they have here, docs/index.md at the top, and links to
files that are no pages led to the repository.

The site's contents are what docs/index.md lists, under its headings. A page that it does not list is a warning of
Sphinx', and so an error.
"""

from __future__ import annotations

import os
import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

import yaml

from scripts.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "lab/README.md",
    "docs/*.md",
    "docs/faults/*.md",
    "roles/*/README.md",
)
INDEX, TOP = "docs/index.md", "index.md"
# Where antsibull-docs writes.
REFERENCE = "collection"
LISTED_WHOLE = {"Faults": "docs/faults/*", "Roles": "roles/*/README", "Reference": f"{REFERENCE}/index"}
_LINK = re.compile(r"(?<!!)\[(?P<words>[^\]]*)\]\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z+.-]*:|#")


class Section(NamedTuple):
    """A heading of the index and the pages under it, as Sphinx calls them."""

    title: str
    pages: Sequence[str]
    whole: str = ""


def paths(root: Path = ROOT) -> list[str]:
    """All pages, as paths from the repository root."""
    return sorted(path.relative_to(root).as_posix() for pattern in PAGES for path in root.glob(pattern))


def lay_out(target: Path, root: Path = ROOT) -> int:
    """Write the pages for Sphinx below a folder. How many there are."""
    pages = paths(root)
    repository = str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["repository"])
    for page in pages:
        place = target / place_of(page)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = led(page, (root / page).read_text(encoding="utf-8"), pages, repository)
        place.write_text(text + (contents(text) if page == INDEX else ""), encoding="utf-8")
    return len(pages)


def place_of(page: str) -> str:
    """Where the site has a page."""
    return TOP if page == INDEX else page


def led(page: str, text: str, pages: Iterable[str], repository: str) -> str:
    """A page's text with its links led to where their targets are on the site, or else in the repository."""
    known, folder = set(pages), posixpath.dirname(place_of(page))

    def lead(link: re.Match[str]) -> str:
        target, sign, anchor = link["target"].partition("#")
        if _ELSEWHERE.match(link["target"]):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        if path in known:
            to = posixpath.relpath(place_of(path), folder or ".") + sign + anchor
        elif (ROOT / path).exists():
            to = f"{repository}/{'tree' if os.path.isdir(ROOT / path) else 'blob'}/main/{path}"
        else:
            return link[0]  # Sphinx warns of it
        return f"[{link['words']}]({to})"

    return _LINK.sub(lead, text)


def contents(index: str) -> str:
    """Sphinx' tables of contents for what the index lists, which the page itself does not show again."""
    parts = [
        f"```{{toctree}}\n:caption: {section.title}\n:hidden:\n{':glob:' if section.whole else ':maxdepth: 1'}\n\n"
        + "\n".join([*section.pages, *([section.whole] if section.whole else [])])
        + "\n```\n"
        for section in sections(index)
    ]
    return "\n" + "\n".join(parts)


def sections(index: str) -> list[Section]:
    """The headings of the index with the pages that they list; a page counts where it is listed first."""
    seen: set[str] = set()
    found = []
    _before, *rest = _HEADING.split(index)
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        targets = [link["target"].partition("#")[0] for link in _LINK.finditer(body)]
        whole = LISTED_WHOLE.get(title, "")
        names = dict.fromkeys(one.removesuffix(".md") for one in targets if one.endswith(".md") and ":" not in one)
        names = {name: None for name in names if name not in seen}
        seen.update(names)
        found.append(Section(title, list(names), whole))
    return found
