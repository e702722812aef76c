# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of nodes without Python is read by a shell script, and is as healthy. For the faults see test_faults."""

from __future__ import annotations

from matrix.diagnosis import without_python


def test_a_healthy_mesh_is_healthy_without_any_python(lab, diagnose, tmp_path):
    run = diagnose(*without_python(tmp_path, *(node.name for node in lab.nodes)))
    assert (run.status, run.report["verdict"]) == (0, "healthy"), run.printed
    assert all("python" not in (source["detail"].lower()) for source in run.report["coverage"]["sources"])
