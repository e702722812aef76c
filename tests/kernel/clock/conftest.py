# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures are those of the probes' tests: hosts made of network namespaces."""

from __future__ import annotations

from tests.kernel.probe.conftest import needs, pair, wires

__all__ = ["needs", "pair", "wires"]
