# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `make analyze` is told, and what it says to requests that cannot be carried out."""

from __future__ import annotations

import pytest

from scripts import analyze
from scripts.console import UserError


def test_several_bundles_and_one_with_blanks(tmp_path):
    for name in ("a", "b.zip", "with blank"):
        (tmp_path / name).touch()
    one, two, three = (str(tmp_path / name) for name in ("a", "b.zip", "with blank"))
    assert analyze.read_request({"BUNDLE": f"{one} {two}"}).bundles == (one, two)
    assert analyze.read_request({"BUNDLE": three}).bundles == (three,)
    request = analyze.read_request({"BUNDLE": one, "REPORT_DIR": str(tmp_path / "out"), "ARGS": "-v -e 'a=b c'"})
    assert request.report_dir == tmp_path / "out"
    assert request.arguments == ("-v", "-e", "a=b c")


def test_a_path_that_is_not_there_stops_no_others(tmp_path):
    (tmp_path / "a").touch()
    there, absent = str(tmp_path / "a"), str(tmp_path / "b")
    assert analyze.read_request({"BUNDLE": f"{absent} {there}"}).bundles == (absent, there)
    with pytest.raises(UserError, match="no such file"):
        analyze.read_request({"BUNDLE": f"{absent} {absent}"})


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "BUNDLE is missing"),
        ({"BUNDLE": "/nonexistent/x"}, "no such file"),
        ({"BUNDLE": "'unbalanced"}, "cannot be split"),
        ({"BUNDLE": "/", "REPORT_DIR": __file__}, "is a file"),
        ({"BUNDLE": "/", "REPORT_DIR": "/tmp/{{ lookup('pipe', 'id') }}"}, "Ansible would run what stands in braces"),
    ],
)
def test_a_wrong_request_is_refused_in_a_sentence(wanted, words):
    with pytest.raises(UserError, match=words):
        analyze.read_request(wanted)
