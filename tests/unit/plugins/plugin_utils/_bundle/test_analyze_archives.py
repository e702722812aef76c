# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives made to do harm: nothing is written, memory and time stay bounded, and what was unusable is said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import tarfile
import zipfile

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import archives, files, offline

UNAME = b"Linux a 6.1.0 #1 SMP x86_64 GNU/Linux\n"


def tar_of(*members, mode="w"):
    """A tar in memory; members are (name, content) or (name, type, where it leads to)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as archive:
        for name, *what in members:
            member = tarfile.TarInfo(name)
            content = b""
            if len(what) == 1:
                content = what[0]
            else:
                member.type, member.linkname = what
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


def zip_of(*members):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return raw.getvalue()


def told(tmp_path, content, name="bundle.tgz"):
    (tmp_path / name).write_bytes(content)
    return files.read(str(tmp_path / name))


def test_paths_that_lead_out_are_not_taken(tmp_path):
    bad = ("../up.txt", "/etc/passwd", "a/../../up.txt", "nodes/a/../../../x")
    found = told(tmp_path, tar_of(("nodes/a/uname.txt", UNAME), *((name, b"x") for name in bad)))
    assert list(found.texts) == ["nodes/a/uname.txt"]
    assert [why for _name, why in found.refused] == ["a path that leads out of the bundle"] * len(bad)
    found = told(tmp_path, zip_of(("..\\up.txt", "x"), ("C:\\x.txt", "x"), ("nodes\\a\\uname.txt", UNAME)))
    assert list(found.texts) == ["nodes/a/uname.txt"]
    assert sorted(os.listdir(tmp_path)) == ["bundle.tgz"]


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE])
def test_only_plain_files_are_read(tmp_path, kind):
    found = told(tmp_path, tar_of(("nodes/a/odd", kind, ""), ("nodes/a/uname.txt", UNAME)))
    assert "nodes/a/uname.txt" in found.texts


def test_links_to_what_is_in_the_bundle_are_left_out_and_others_are_told(tmp_path):
    inside = ("links/pod.log", tarfile.SYMTYPE, "../nodes/a/uname.txt")
    outside = ("nodes/a/shadow", tarfile.SYMTYPE, "/etc/shadow")
    hard = ("nodes/a/hard", tarfile.LNKTYPE, "etc/shadow")
    found = told(tmp_path, tar_of(("nodes/a/uname.txt", UNAME), inside, outside, hard))
    assert list(found.texts) == ["nodes/a/uname.txt"]
    assert sorted(found.refused) == [("nodes/a/hard", "a link"), ("nodes/a/shadow", "a link")]


def test_the_first_of_two_files_of_one_name_counts(tmp_path):
    found = told(tmp_path, tar_of(("nodes/a/x.txt", b"first"), ("./nodes/a/x.txt", b"second")))
    assert found.texts == {"nodes/a/x.txt": "first"}
    assert found.refused == [("nodes/a/x.txt", "a second file of this name")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bz2", "xz"])
def test_what_unpacks_to_too_much_is_given_up_on(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 8 << 20)
    bomb = tar_of(("nodes/a/zeros", b"\0" * (32 << 20)), ("nodes/a/uname.txt", UNAME))
    found = told(tmp_path, pack(bomb))
    assert found.texts == {}
    assert any("too large" in why for _name, why in found.refused)


def test_a_bomb_of_bz2_is_told_by_how_much_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_UNSUSPICIOUS", 1 << 20)
    found = told(tmp_path, bz2.compress(tar_of(("nodes/a/zeros", b"\0" * (32 << 20)))))
    assert any("too large" in why for _name, why in found.refused)


def test_archives_in_archives_are_read_so_far_and_no_further(tmp_path):
    inner = tar_of(("diagnostics/hostname", b"worker-1\n"), mode="w:gz")
    found = told(tmp_path, zip_of(("diags-1.tar.gz", inner), ("readme.md", "x")), "tickets.zip")
    assert found.texts["diags-1.tar.gz/diagnostics/hostname"] == "worker-1\n"
    deep = inner
    for _level in range(5):
        deep = zip_of(("deeper.zip", deep))
    found = told(tmp_path, deep, "deep.zip")
    assert found.texts == {}
    assert "too deeply" in found.refused[0][1]


def test_a_compressed_text_is_read(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "calico-node.log.gz").write_bytes(gzip.compress(b"bird: Started\n"))
    assert files.read(str(tmp_path / "b")).texts == {"calico-node.log": "bird: Started\n"}


def test_an_enormous_list_of_contents_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_LARGEST_CATALOGUE", 1000)
    found = told(tmp_path, zip_of(*((f"f{number}", "x") for number in range(100))), "many.zip")
    assert found.texts == {}
    assert "broken" in found.refused[0][1]


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4" + b"\xff" * 100,
        b"\x1f\x8b\x08" + b"\0" * 20,
        b"BZh9" + b"x" * 100,
        b"\xfd7zXZ\0" + b"x" * 50,
        gzip.compress(tar_of(("a", b"x" * 5000)))[:-30],
        zip_of(("a", "x" * 5000))[:-10],
        zip_of(("a", "x")).replace(struct.pack("<H", 8), struct.pack("<H", 99)),
        bytes(range(256)) * 100,
    ],
    ids=["zip", "gzip", "bz2", "xz", "cut-tgz", "cut-zip", "unknown-method", "binary"],
)
def test_what_is_broken_gives_a_report_that_says_so(tmp_path, content):
    path = tmp_path / "bundle.zip"
    path.write_bytes(content)
    report = offline.analysed(str(path)).report
    assert report["verdict"] == "undetermined"
    assert any(source["status"] in ("failed", "unrecognised") for source in report["coverage"]["sources"])


def test_an_encrypted_entry_is_told(tmp_path):
    content = bytearray(zip_of(("nodes/a/uname.txt", UNAME)))
    central = content.rindex(b"PK\1\2")
    content[central + 8] |= 1
    assert told(tmp_path, bytes(content), "b.zip").refused == [("nodes/a/uname.txt", "encrypted")]


def test_what_is_no_file_at_all_is_no_error():
    report = offline.analysed("/dev/null").report
    assert report["coverage"]["sources"][-1]["status"] == "failed"
