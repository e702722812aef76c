# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import os
import stat
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._gather import archive

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"bundle.json": "{}\n", "index.json": "{}\n", "nodes/a/facts.json": "ä\n"}


def test_it_is_private_has_one_folder_and_begins_with_the_index(tmp_path: Path) -> None:
    path = archive.write(str(tmp_path / "deep" / "down"), "name", dict(FILES))

    assert path == tmp_path / "deep" / "down" / "name.tar.gz"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as read:
        assert read.getnames() == ["name/bundle.json", "name/index.json", "name/nodes/a/facts.json"]
        assert {member.mode for member in read.getmembers()} == {0o600}
    assert [one.name for one in path.parent.iterdir()] == ["name.tar.gz"]


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    first, second = (archive.write(str(tmp_path), "name", dict(FILES)) for _number in range(2))

    assert (first.name, second.name) == ("name.tar.gz", "name-2.tar.gz")


def test_where_there_are_no_links_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    first, second = (archive.write(str(tmp_path), "name", dict(FILES)) for _number in range(2))

    assert sorted(one.name for one in tmp_path.iterdir()) == [second.name, first.name]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        archive.write(str(tmp_path), "name", dict(FILES))
    assert list(tmp_path.iterdir()) == []


def test_where_it_can_be_written_nothing_is_left_by_looking(tmp_path: Path) -> None:
    assert archive.why_not(str(tmp_path / "not" / "yet"), 1) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    told = archive.why_not(str(tmp_path / "file" / "below"), 1)

    assert told.endswith(f"{tmp_path / 'file'} is no directory. Give must_gather_dir another directory.")


def test_too_little_room_is_told_before(tmp_path: Path) -> None:
    told = archive.why_not(str(tmp_path), 1 << 40)

    assert "MiB free" in told
    assert "must_gather_max_mb" in told


def test_a_directory_that_may_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(**_options: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(archive.tempfile, "TemporaryFile", read_only)

    assert "Read-only file system. Give must_gather_dir another directory." in archive.why_not(str(tmp_path), 1)
