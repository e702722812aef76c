# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for manifests: mistakes of the fault catalogue that can be seen in the objects before they reach a cluster."""

from __future__ import annotations
