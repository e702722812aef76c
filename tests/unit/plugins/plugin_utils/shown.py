# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the analysis tells of texts that people show, for tests of incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read

if TYPE_CHECKING:
    from collections.abc import Mapping


def findings(texts: str | Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The findings by fault, without that nothing can be told. texts: by file's name, or one that was pasted."""
    files = {"paste.txt": texts} if isinstance(texts, str) else texts
    found = analyse(*evidence.evidence(read.sort(files)))["findings"]
    return {one["fault"]: one for one in found if one["fault"] != "undetermined"}


def sure(texts: str | Mapping[str, str]) -> list[str]:
    """The faults that are more likely than not."""
    return [name for name, one in findings(texts).items() if one["confidence"] >= 0.5]
