# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes in trouble have in common and the others have not: by exact statistics, and only where it is hardly by
chance."""

from __future__ import annotations
