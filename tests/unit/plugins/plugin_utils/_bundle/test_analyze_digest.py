# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long logs: their beginning, telling lines and newest lines stay, memory does not grow with them."""

from __future__ import annotations

import tracemalloc

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import decode, digest, files

DULL = b"2026-11-21 00:00:00.000 [INFO][88] felix/int_dataplane.go 548: Finished applying updates\n"
TELLING = b"bird: Mesh_10_200_0_9: Received: Bad peer AS: 64513\n"


def made(content, piece=100_000, kept=digest.KEPT):
    one = digest.Digest(kept)
    for start in range(0, len(content), piece):
        one.feed(content[start : start + piece])
    return one


def test_a_short_log_stays_as_it_is():
    content = DULL * 100 + TELLING + b"no newline at the end"
    assert made(content).content() == content


@pytest.mark.parametrize("piece", [1000, 99_999, 1 << 20, 1 << 24])
def test_telling_lines_far_back_stay(piece):
    content = b"Using node name: w\n" + DULL * 30_000 + TELLING + DULL * 30_000 + b"the last line\n"
    one = made(content, piece)
    kept = one.content()
    assert len(kept) <= digest.KEPT + digest._LONGEST_LINE
    assert kept.startswith(b"Using node name: w\n")
    assert kept.count(TELLING) == 1
    assert one.telling == 1
    assert kept.endswith(b"the last line\n")
    assert set(kept.splitlines(keepends=True)) <= set(content.splitlines(keepends=True))


def test_of_too_many_telling_lines_the_newest_stay():
    content = b"".join(b"[ERROR] number %d\n" % number for number in range(200_000))
    kept = made(content).content()
    assert len(kept) <= digest.KEPT + digest._LONGEST_LINE
    assert kept.endswith(b"[ERROR] number 199999\n")


def test_a_line_without_an_end_costs_no_memory():
    one = digest.Digest()
    tracemalloc.start()
    for _piece in range(200):
        one.feed(b"x" * (1 << 18))
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()
    assert len(one.content()) <= digest.KEPT


def test_a_long_log_is_read_in_part_and_that_is_told(tmp_path):
    folder = tmp_path / "b" / "nodes" / "a"
    folder.mkdir(parents=True)
    (folder / "calico-node.log").write_bytes(DULL * 20_000 + TELLING + DULL * 20_000)
    found = files.read(str(tmp_path / "b"))
    assert TELLING.decode() in found.texts["nodes/a/calico-node.log"]
    assert found.shortened == [
        (
            "nodes/a/calico-node.log",
            "Of 3.6 MB its beginning and its newest lines were read, and 1 telling lines before them.",
        )
    ]


def test_long_texts_that_are_no_logs_are_read_whole(tmp_path):
    rules = "*filter\n:INPUT ACCEPT [0:0]\n" + "-A INPUT -s 10.0.0.1/32 -j DROP\n" * 40_000 + "COMMIT\n"
    (tmp_path / "iptables-save.txt").write_text(rules, encoding="utf-8")
    assert files.read(str(tmp_path / "iptables-save.txt")).texts == {"iptables-save.txt": rules}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"plain", "utf-8"),
        (b"", "utf-8"),
        ("\ufeffmark".encode(), "utf-8-sig"),
        ("a text".encode("utf-16"), "utf-16"),
        ("without a mark, little end first".encode("utf-16-le"), "utf-16-le"),
        ("without a mark, big end first".encode("utf-16-be"), "utf-16-be"),
        ("Größe, naïve café".encode("latin-1"), "cp1252"),
        ("Größe".encode(), "utf-8"),
        (b"\x7fELF\x02\x01\x01" + bytes(200), ""),
        (bytes(range(256)) * 4, ""),
        (b"a\0b line with one NUL in it", "utf-8"),
        (b"\x1b[31mred\x1b[0m\r\n", "utf-8"),
    ],
)
def test_encodings_are_told_by_the_bytes(content, name):
    assert decode.encoding(content) == name
    assert isinstance(decode.decoded(content), str)


def test_a_log_in_utf_16_is_read(tmp_path):
    (tmp_path / "b.log").write_bytes((DULL * 9000 + TELLING + DULL * 9000).decode().encode("utf-16"))
    assert TELLING.decode() in files.read(str(tmp_path / "b.log")).texts["b.log"]
