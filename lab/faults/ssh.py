# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a node's SSH away and giving it back: then only its peers can tell about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Case


def stop(case: Case) -> None:
    """Stop sshd and end the connections it has open, Ansible's kept ones among them."""
    case.run(["sv", "down", "sshd"])
    case.machine.exec(["sh", "-c", "kill $(pidof sshd) 2>/dev/null"], check=False)


def start(case: Case) -> None:
    """Start sshd again."""
    case.try_run(["sv", "up", "sshd"])
