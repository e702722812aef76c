# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from scripts import reliability
from scripts import reliability_data as data
from scripts.reliability import Counted, judgement, right_of_public, wilson
from scripts.reliability_data import Told, judged


def claim(fault, role="cause", **more):
    return {"fault": fault, "role": role, "confidence": 0.9, **more}


def test_the_page_is_what_the_cases_tell():
    assert reliability.drift() == []


def test_there_is_a_record_of_the_matrix_and_of_public_cases():
    record = data.read()
    assert len(record["matrix"]) > 100
    assert len(record["public"]) > 70


def test_what_counts_as_told_and_as_right():
    found = [
        claim("a"),
        claim("b"),
        claim("c", "consequence"),
        claim("d", "latent"),
        claim("e", "not_a_fault"),
        claim("f", guess=True),
    ]
    told = judged(found, lambda one: one["fault"] in ("a", "c", "e"))
    assert [(one.fault, one.guess, one.right) for one in told] == [
        ("a", False, True),
        ("b", False, False),
        ("e", False, True),
        ("f", True, False),
    ]


def test_what_is_right_of_a_public_case():
    decided = right_of_public({"cause": "hold_timer_expired_cpu", "answerable": "decisive"})
    assert decided(claim("hold_timer_expired"))
    assert not decided(claim("undetermined"))
    open_ = right_of_public({"cause": "as_mismatch", "answerable": "insufficient"})
    assert open_(claim("undetermined"))
    assert open_(claim("as_mismatch"))
    assert right_of_public({"cause": "unknown", "answerable": "suggestive"})(claim("undetermined"))


def test_a_band_is_judged_only_where_there_is_enough():
    assert judgement(Counted(3, 0, 2.9)) == ""
    assert judgement(Counted(40, 36, 36.0)) == "as it should be"
    assert judgement(Counted(40, 20, 36.0)) == "too sure"
    assert judgement(Counted(40, 40, 24.0)) == "not sure enough"


def test_wilsons_interval():
    # Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_record_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "RECORD", tmp_path / "record.json")
    assert data.read() == {"matrix": {}, "public": {}}
    record = {"matrix": {"a@b": [Told("a", 0.5, False, True)], "healthy@b": []}, "public": {"c": []}}
    data.write(record)
    assert data.read() == record


def test_rows_of_a_new_matrix_replace_their_like(tmp_path, monkeypatch):
    rows = [
        {"name": "a@b", "skipped": "", "told": [["a", 0.7, False, False]]},
        {"name": "c@b", "skipped": "no API", "told": []},
    ]
    (tmp_path / "matrix.json").write_text(json.dumps(rows))
    monkeypatch.setattr(reliability, "MATRIX", tmp_path / "matrix.json")
    monkeypatch.setattr(reliability, "PUBLIC", tmp_path / "none")
    old = {"matrix": {"a@b": [], "d@b": []}, "public": {"case-1": []}}
    assert reliability.refreshed(old) == {
        "matrix": {"a@b": [Told("a", 0.7, False, False)], "d@b": []},
        "public": {"case-1": []},
    }


def test_what_a_router_reports_now_and_reported_before_is_one_finding():
    assert [one.right for one in reliability.recorded()["mtu_mismatch-router"]] == [True]
