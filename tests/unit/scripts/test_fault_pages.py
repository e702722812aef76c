# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from scripts import fault_pages


def test_the_generated_pages_are_what_the_catalogue_says():
    assert fault_pages.drift() == []
