# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cluster: real hosts with real BIRD, netfilter, chrony and sshd, made of namespaces on this machine."""

from __future__ import annotations

from .errors import LabError, UsageError
from .lab import Lab

__all__ = ["Lab", "LabError", "UsageError"]
