# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the output of programs: from nodes without Python, and from files that people collected.

One kind of text per file, each with a function `parse(text) -> Parsed`. Where a node's own code reads the same thing,
the records here are that code's.
"""

from __future__ import annotations
