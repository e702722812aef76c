# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether --tags leaves anything of a playbook: one that does nothing and ends well would pass for a good result."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALWAYS = "always"


def complaint(chosen: Iterable[str], own: Iterable[str]) -> str:
    """Return a sentence where --tags leaves out all tasks but this one, which is always run; '' where it does not.

    chosen: what --tags names (ansible_run_tags). own: the task's tags, among them those that a user has given to the
    playbook as a whole.
    """
    wanted, given = set(chosen), set(own) - {_ALWAYS}
    if not wanted or wanted & {"all", "untagged"} or wanted & given or ("tagged" in wanted and given):
        return ""
    return (
        f"--tags {','.join(sorted(wanted))} leaves out all that this playbook does, as its tasks have no tags. "
        "Nothing was looked at; run it without --tags."
    )
