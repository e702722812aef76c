# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redaction holds one file at a time, and of a long text one piece: its memory does not grow with the logs."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import files
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle.spool import Spool
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import blocks, share
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

LINE = "2026-11-21 10:00:00.000 [INFO][88] felix/int_dataplane.go 1836: Finished with 10.20.30.{} seq={}\n"
EACH = 100_000
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEAcanary0123456789\n" * 20 + "-----END RSA PRIVATE KEY-----\n"
)


def bundle(folder, logs):
    for number in range(logs):
        place = folder / "nodes" / f"berlin-{number % 5}"
        place.mkdir(parents=True, exist_ok=True)
        lines = (LINE.format(at % 200, at) for at in range(EACH // len(LINE)))
        (place / f"calico-node-{number}.log").write_text("".join(lines), encoding="utf-8")
    return str(folder)


def peak(path, into):
    tracemalloc.start()
    share.share(share.sources([path]), str(into), Redactor("key"))
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


def test_memory_does_not_grow_with_the_logs(tmp_path):
    few, many = bundle(tmp_path / "few", 4), bundle(tmp_path / "many", 20)
    share.share(share.sources([few]), str(tmp_path / "warm"), Redactor("key"))
    growth = peak(many, tmp_path / "out-many") - peak(few, tmp_path / "out-few")
    # What is added are 16 files of EACH: kept in memory, they and what becomes of them would be more than this.
    assert growth < 4 * EACH


def test_a_spool_is_a_mapping():
    spool = Spool()
    spool.update({"a/x": "one\n", "a/y": "two \udcff"})
    spool["a/x"] = "three"
    assert dict(spool) == {"a/x": "three", "a/y": "two \udcff"}
    spool.rename({"a/x": "x", "a/y": "y"})
    del spool["y"]
    assert list(spool) == ["x"]
    assert spool["x"] == "three"
    assert "y" not in spool
    spool.close()


def test_files_are_read_into_a_spool_as_into_memory(tmp_path):
    path = bundle(tmp_path / "b", 2)
    assert dict(files.read(path, Spool()).texts) == dict(files.read(path).texts)


@given(st.text(alphabet="aA1 \n-:,|\t", max_size=400), st.integers(1, 60))
def test_pieces_together_are_the_text(text, size):
    assert "".join(blocks.of(text, size)) == text


def test_pieces_are_short_and_end_with_lines():
    pieces = list(blocks.of(LINE * 1000, 2000))
    assert len(pieces) > 40
    assert all(len(piece) < 2000 + 2 * len(LINE) and piece.endswith("\n") for piece in pieces)


def test_no_key_and_no_table_is_cut_in_two():
    for size in range(50, 1200, 50):
        text = LINE * 3 + PEM + LINE * 10
        assert any(PEM in piece for piece in blocks.of(text, size))
        table = "NAME    STATUS   VERSION\n" + "node    Ready    v1\n" * 20
        text = f"{LINE}\n{table}\n{LINE * 5}"
        assert any(table in piece for piece in blocks.of(text, size))


def test_a_secret_goes_wherever_the_pieces_end(monkeypatch):
    monkeypatch.setattr(blocks, "SIZE", 300)
    monkeypatch.setattr(blocks.of, "__defaults__", (300,))
    text = LINE * 4 + "config:\n  password: |\n    YbCanary44\n" + LINE * 4 + PEM + LINE * 4
    made = Redactor("key").texts({"nodes/berlin-1/x.log": text})
    assert made.leaks == []
    found = "".join(made.texts.values())
    assert "YbCanary44" not in found
    assert "canary0123" not in found
