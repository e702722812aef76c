# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives that were cut off on their way, or damaged: what is whole in them is read, and the rest is told."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import files

NUMBER = 40


def content(number):
    """A text that hardly can be compressed, so that the place of the cut is where it looks to be."""
    letters = random.Random(number).choices("abcdefghijklmnopqrstuvwxyz     \n", k=3000)
    return f"text {number} {''.join(letters)}".encode()


MEMBERS = tuple((f"nodes/n{number}/x.txt", content(number)) for number in range(NUMBER))


def tar(mode):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode) as archive:
        for name, text in MEMBERS:
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return raw.getvalue()


class OneWay(io.BytesIO):
    """A stream as a pipe is: a zip that is written to it tells sizes behind each file."""

    def seekable(self):
        return False

    def seek(self, *_to):
        raise OSError

    def tell(self):
        raise OSError


def zipped(method=zipfile.ZIP_DEFLATED, raw=None):
    raw = raw or io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as archive:
        archive.writestr("nodes/", "")
        for name, text in MEMBERS:
            archive.writestr(name, text)
    return raw.getvalue()


def told(tmp_path, raw, name="bundle"):
    (tmp_path / name).write_bytes(raw)
    return files.read(str(tmp_path / name))


def assert_whole_or_not_there(found):
    originals = {name: text.decode() for name, text in MEMBERS}
    assert all(originals[name] == text for name, text in found.texts.items())


ARCHIVES = {
    "tar": lambda: tar("w:"),
    "gzip": lambda: tar("w:gz"),
    "xz": lambda: tar("w:xz"),
    "zip": zipped,
    "stored": lambda: zipped(zipfile.ZIP_STORED),
    "piped": lambda: zipped(raw=OneWay()),
}


@pytest.mark.parametrize("kind", ARCHIVES)
@pytest.mark.parametrize("part", [0.3, 0.5, 0.9])
def test_what_is_whole_is_read(tmp_path, kind, part):
    raw = ARCHIVES[kind]()
    found = told(tmp_path, raw[: int(len(raw) * part)])
    assert_whole_or_not_there(found)
    assert 0.7 * part * NUMBER < len(found.texts) <= part * NUMBER + 3
    name, why = found.refused[-1]
    assert name == "bundle"
    assert (
        why
        == f"the rest of this archive, which is cut off or damaged; {len(found.texts)} whole files of it could be read"
    )


@pytest.mark.parametrize("kind", ARCHIVES)
def test_of_a_whole_one_nothing_is_told(tmp_path, kind):
    found = told(tmp_path, ARCHIVES[kind]())
    assert len(found.texts) == NUMBER
    assert found.refused == []


def test_a_cut_between_two_files_is_a_cut(tmp_path):
    found = told(tmp_path, tar("w:")[:3584])
    assert len(found.texts) == 1
    assert found.refused == [
        ("bundle", "the rest of this archive, which is cut off or damaged; 1 whole file of it could be read")
    ]


@pytest.mark.parametrize("kind", ["gzip", "xz", "zip"])
def test_a_damage_in_the_middle_costs_what_is_behind_it(tmp_path, kind):
    raw = bytearray(ARCHIVES[kind]())
    middle = len(raw) // 2
    raw[middle : middle + 400] = bytes(400)
    found = told(tmp_path, bytes(raw))
    assert len(found.texts) >= NUMBER // 3
    assert found.refused
    if kind == "zip":
        assert_whole_or_not_there(found)


@pytest.mark.parametrize("kind", ARCHIVES)
def test_of_a_beginning_there_is_one_sentence(tmp_path, kind):
    found = told(tmp_path, ARCHIVES[kind]()[:600])
    assert not found.texts
    assert len(found.refused) in (1, 2)


def test_a_compressed_log_that_is_cut_off_is_read_as_far_as_it_goes(tmp_path):
    raw = gzip.compress(b"".join(text for _name, text in MEMBERS))
    found = told(tmp_path, raw[: len(raw) // 2], "current.gz")
    assert found.texts["current"].encode() == b"".join(text for _name, text in MEMBERS)[: len(found.texts["current"])]
    assert len(found.texts["current"]) > 0.4 * 3000 * NUMBER
    assert found.shortened == [("current", "It is cut off or damaged: what stands before that place was read.")]


def test_a_cut_archive_in_a_whole_one_is_told_by_its_name(tmp_path):
    inner = ARCHIVES["gzip"]()
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("diags/n1.tgz", inner[: len(inner) // 2])
        archive.writestr("diags/hostname", "n1")
    found = told(tmp_path, raw.getvalue())
    assert "hostname" in found.texts
    assert len(found.texts) > 10
    assert found.refused[-1][0] == "diags/n1.tgz"
