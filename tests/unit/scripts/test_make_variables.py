# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest

from scripts import make_variables
from scripts.console import UserError
from scripts.paths import ROOT


@pytest.mark.parametrize(
    ("flags", "meant"),
    [
        (" -- INVENTROY=hosts.yml", "INVENTORY"),
        ("s -j2 --jobserver-auth=3,4 -- NODES=4 REPORTDIR=x", "REPORT_DIR"),
        (" -- inventory=hosts.yml", "INVENTORY"),
        (" -- FAULT=a\\ b BUNDEL=x", "BUNDLE"),
    ],
)
def test_a_misspelt_variable_is_refused(flags, meant):
    with pytest.raises(UserError, match=f"Is {meant} meant"):
        make_variables.check({"MAKEFLAGS": flags})


@pytest.mark.parametrize("flags", ["", "s", " -- INVENTORY=x NODES=3 MY_OWN=1", "--no-print-directory -- ARGS=-v\\ 'x"])
def test_others_are_not(flags):
    make_variables.check({"MAKEFLAGS": flags})


def test_all_that_make_hands_on_is_known():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    exported = re.search(r"(?m)^export (.*)$", makefile).group(1).split()
    assert set(exported) <= set(make_variables.KNOWN)
