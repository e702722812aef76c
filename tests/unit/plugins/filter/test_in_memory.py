# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters are imported where the processes of all tasks come from: each task's own import costs it a second."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.netmedic.calico.plugins.action import check_variables
from ansible_collections.netmedic.calico.plugins.filter import report


def test_the_first_task_of_each_playbook_imports_every_filter():
    files = {path.stem for path in Path(report.__file__).parent.glob("*.py")} - {"__init__"}
    assert {module.__name__.rpartition(".")[2] for module in check_variables._IN_MEMORY} == files
