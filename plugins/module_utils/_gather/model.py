# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is gathered: one output each, with how it came about."""

from __future__ import annotations

from .._record import NamedTuple

OK, CUT, ABSENT, FAILED, LEFT_OUT = "ok", "cut", "absent", "failed", "left_out"
STATUSES = (OK, CUT, ABSENT, FAILED, LEFT_OUT)
# What nobody but people reads lies below this folder; the rest bears names that the analysis knows.
MORE = "more"


class Output(NamedTuple):
    """One output. `name` is its path below the node's folder, `source` the command or file that it is from.

    `status`: ok, cut (the middle is missing), absent (no such program, file or part of the kernel), failed (`text`
    holds what had come by then), left_out (no time or room was left). `detail` says why, '' if ok. `size` counts the
    bytes before anything was cut.
    """

    name: str
    source: str
    status: str
    text: str = ""
    detail: str = ""
    size: int = 0
    seconds: float = 0.0
