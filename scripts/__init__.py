# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands behind the Makefile: set-up, the `diagnose` driver, the checks.

Standard library only, because most of it runs before anything is installed.
"""

from __future__ import annotations
