# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in the lab, said in one sentence to a person."""

from __future__ import annotations


class LabError(Exception):
    """The lab could not do what was asked. Its text is shown as it is; `exit_code` is the command's."""

    exit_code = 1


class UsageError(LabError):
    """The request or this machine does not allow it: wrong argument, no root, a missing tool or kernel feature."""

    exit_code = 2
