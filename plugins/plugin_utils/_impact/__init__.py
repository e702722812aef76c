# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blast radius: which pods a broken session or a lost node really cuts off, what keeps working, and how long."""

from __future__ import annotations
