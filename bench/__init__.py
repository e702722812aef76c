# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures what the budgets limit: wall time of a diagnosis, size of a node's facts, CPU time on a node."""

from __future__ import annotations
