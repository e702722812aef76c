# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports on bundles: what was of no use in them is told, names never collide, tables and sentences about several."""

from __future__ import annotations

import json

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import offline, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._render import bundles, files, terminal


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/b.tar.gz", "c/b.tgz", "b"], ["b", "b-2", "b-3"]),
        (["B.zip", "b.zip"], ["B", "b-2"]),
        (["x y", "-rf", ".hidden", "/"], ["x_y", "rf", "hidden", "bundle"]),
        (["b-2", "b", "b"], ["b-2", "b", "b-3"]),
    ],
)
def test_every_bundle_has_a_folder_of_its_own(paths, names):
    assert offline.names(paths) == names


def test_hundreds_of_useless_files_are_summed_up(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.dat").write_text(f"nothing {number}", encoding="utf-8")
        (tmp_path / f"{number}.bin").write_bytes(bytes(range(256)))
    sources = offline.analysed(str(tmp_path)).report["coverage"]["sources"]
    assert len(sources) < 60
    assert any(source["detail"] == "280 more files were not recognised." for source in sources)
    assert any(source["detail"] == "280 more files were passed over." for source in sources)


def test_an_empty_bundle_gives_a_report(tmp_path):
    report = offline.analysed(str(tmp_path)).report
    assert report["verdict"] == "undetermined"
    assert json.dumps(report)
    assert terminal.lines(report)
    assert [one["detail"] for one in report["coverage"]["sources"]] == ["There is no text in it: it is empty."]


def test_that_there_is_no_bundle_is_a_report():
    report = offline.analysed("/nonexistent/bundle").report
    assert report["coverage"]["sources"][-1]["detail"] == "It cannot be read: No such file or directory."
    (said,) = report["findings"]
    assert said["summary"].startswith("/nonexistent/bundle cannot be read: No such file or directory.")
    assert said["missing"] == report["missing_evidence"] == []
    table = bundles.table([bundles.row("bundle", "/nonexistent/bundle", report) | {"failure": "Bad."}], 120)
    assert table[-1].endswith("  none: /nonexistent/bundle: It cannot be read: No such file or directory")


def test_what_is_said_of_the_bundle_as_a_whole_stands_in_the_report():
    bundle = read.sort({})._replace(remarks=["It is odd."], shortened=[("x.log", "Half of it was read.")])
    assert [source["detail"] for source in offline.useless(bundle)] == ["Half of it was read.", "It is odd."]


def row(name, **more):
    return {"name": name, "verdict": "healthy", "nodes": 3, "first": {}, "failure": "", **more}


def test_the_table_has_a_line_for_each():
    first = {"fault": "bird_hung", "severity": "major", "confidence": 0.93, "nodes": ["a", "b", "c", "d"]}
    lines = bundles.table([row("one"), row("two", verdict="faulty", first=first)], 80)
    assert [line.split()[0] for line in lines] == ["Bundle", "one", "two"]
    assert lines[2].endswith("bird_hung (93%) on a, b, c and 1 more")


def test_one_sentence_tells_which_of_several_are_bad():
    assert bundles.failure([row("one")]) == ""
    assert bundles.failure([row("one", failure="Bad.")]) == "Bad."
    many = [row("one"), *(row(f"b{number}", failure="Bad.") for number in range(5))]
    told = (
        "5 of 6 bundles tell of something bad, or could not be read. b0: Bad. b1: Bad. b2: Bad. The others: b3 and b4."
    )
    assert bundles.failure(many) == told


def test_patches_of_an_earlier_run_do_not_stay(tmp_path):
    from ansible_collections.netmedic.calico.plugins.plugin_utils._patch.model import Patch

    assert not files.save_patches([], str(tmp_path), write=True)
    assert files.save_patches([Patch("1-x.patch", "x")], str(tmp_path), write=False)
    assert files.save_patches([Patch("1-x.patch", "x"), Patch("2-y.patch", "y")], str(tmp_path), write=True)
    assert files.save_patches([Patch("2-y.patch", "y")], str(tmp_path), write=True)
    assert [path.name for path in (tmp_path / "patches").iterdir()] == ["2-y.patch"]
    assert not files.save_patches([Patch("2-y.patch", "y")], str(tmp_path), write=True)
