# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the real schemas of Calico's objects lie, if they do: beside the checkout, which users do not have."""

from __future__ import annotations

from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[4] / "shared" / "calico" / "crds"
