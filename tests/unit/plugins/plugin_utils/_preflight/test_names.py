# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of findings are stable, and stand in docs/preflight-checks.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._preflight import (
    blocked,
    checks,
    duplicates,
    filters,
    fitness,
    leftovers,
    matrix,
    networks,
    objects,
    picks,
    taken_ports,
    upgrade,
    upgrade_images,
    upgrade_state,
    upgrade_words,
)

MODULES = (
    *(duplicates, filters, fitness, leftovers, networks, objects, picks, taken_ports),
    *(blocked, matrix),
    *(upgrade, upgrade_images, upgrade_state, upgrade_words),
)
ROOT = Path(__file__).resolve().parents[5]
_OWN = re.compile(r'"(preflight\.[a-z0-9_]+)"')


def sources() -> str:
    return "\n".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in MODULES)


def page() -> str:
    return (ROOT / "docs" / "preflight-checks.md").read_text(encoding="utf-8")


def test_every_name_of_its_own_is_documented() -> None:
    used = set(_OWN.findall(sources()))

    assert len(used) > 20
    assert used == set(re.findall(r"`(preflight\.[a-z0-9_]+)`", page()))


def test_the_faults_that_are_foretold_are_of_the_catalogue() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", page().split("## Names of preflight's own")[0].split("foretold")[1]))

    assert named - set(BY_ID) == {"preflight_node_networks"}


@pytest.mark.parametrize("module", [*MODULES[:8], upgrade])
def test_every_check_is_made(module: object) -> None:
    assert module.findings in checks.CHECKS  # type: ignore[attr-defined]
