# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of what changes nothing."""

from __future__ import annotations


class ModuleDocFragment:
    """For modules that run in check mode as they always do."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and returns the same as otherwise.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: none
"""
