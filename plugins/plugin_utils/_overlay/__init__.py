# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries pods' packets between nodes where VXLAN does: who ought to be reached how, and what nodes have of it."""

from __future__ import annotations
