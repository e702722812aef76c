# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which address Calico's autodetection would take for a node's own, worked out again from the node's interfaces, and
what is peculiar about addresses."""

from __future__ import annotations
