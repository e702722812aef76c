# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes to a host: planned as a whole, armed with a switch that undoes them, recorded, and taken back exactly."""

from __future__ import annotations
