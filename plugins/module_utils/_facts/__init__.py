# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gatherers: each turns one part of a node into plain facts, JSON types only."""

from __future__ import annotations

from .._payload import install

# The first of our files on a node's way: what the gatherers import comes after.
install()
