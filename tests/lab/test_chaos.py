# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Some of the runs of `make chaos`: a repair is disturbed, the cluster is not worse for it, the next run finishes."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.lab.conftest import STATE
from chaos import drawn
from chaos.drawn import Run
from chaos.measure import measure
from lab import Lab

SAMPLE = (
    Run("tcp179_blocked_host_firewall", "nft", drawn.FIRST, drawn.CUT, 0.1),
    Run("ip_forward_off", "sysctl", drawn.FIRST, drawn.KILLED, 0.6),
    Run("mtu_misconfigured_value", "config-map", drawn.FIRST, drawn.TOLD_OFF, 0.2),
)


@pytest.mark.thorough
@pytest.mark.parametrize("run", SAMPLE, ids=lambda run: f"{run.fault}, {run.disturbance}")
def test_a_disturbed_repair_costs_nothing_and_is_finished_by_the_next_run(run: Run) -> None:
    with Lab.up(4, run.topology, f"{STATE}-chaos") as lab:
        record = measure(lab, run)
    assert record.ok, record
    assert not record.by_hand, record
