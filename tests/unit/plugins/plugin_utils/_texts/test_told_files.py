# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node's files laid out on the controller: only what was told, only there, only so much, only for a moment."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._host import cni
from ansible_collections.netmedic.calico.plugins.plugin_utils._texts import told_files

HEAD = told_files.HEADER + "\n"


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def files(*lines):
    return told_files.ToldFiles(HEAD + "\n".join(lines) + "\n")


def laid_out(told):
    with told.laid_out() as root:
        return {
            str(path.relative_to(root)): path.read_text(encoding="utf-8")
            for path in sorted(Path(root).rglob("*"))
            if path.is_file()
        }


def test_files_are_laid_out_as_they_were_told(temporary):
    told = files("=/etc/a\t1795000000.5", "|one", "|  two", ":/etc/b:three:3", ":/etc/b:four", "=/etc/empty\t", ".")
    with told.laid_out() as root:
        assert stat.S_IMODE(os.stat(root).st_mode) == 0o700
        assert Path(root, "etc/a").read_text(encoding="utf-8") == "one\n  two\n"
        assert os.stat(f"{root}/etc/a").st_mtime == 1795000000.5
        assert stat.S_IMODE(os.stat(f"{root}/etc/a").st_mode) == 0o600
        assert Path(root, "etc/b").read_text(encoding="utf-8") == "three:3\nfour\n"
        assert Path(root, "etc/empty").read_text(encoding="utf-8") == ""
    assert list(temporary.iterdir()) == []
    assert (told.is_told, told.is_whole, told.left_out) == (True, True, [])


def test_nothing_stays_behind_when_a_reader_breaks(temporary):
    with pytest.raises(ZeroDivisionError), files("=/etc/a\t", "|x").laid_out():
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    [
        "/../../evil",
        "/etc/../../evil",
        "/etc/..",
        "/.",
        "evil",
        "../evil",
        "//evil",
        "/etc//evil",
        "/etc/",
        "/",
        "",
        "/etc/\x00evil",
        "/etc/\x1bevil",
        "/" + "a" * 200,
        "/a" * 40,
        "/" + "a/" * 300 + "a",
    ],
)
def test_paths_that_lead_elsewhere_are_passed_over(temporary, path):
    told = files(f"={path}\t", "|x", f":{path}:x", f"*{path}\t1\t2", f"@{path}\t/etc", "=/etc/good\t", "|y")
    assert laid_out(told) == {"etc/good": "y\n"}
    assert not told.exists(path)
    assert sorted(path.name for path in temporary.parent.iterdir()) == ["temporary"]


def test_links_are_told_and_never_made(temporary):
    told = files("@/etc/systemd/system/ufw.service\t/dev/null", "@/etc/passwd\t/etc/passwd", "=/etc/x\t", "|x")
    assert told.leads_to("/etc/systemd/system/ufw.service") == "/dev/null"
    assert told.exists("/etc/passwd")
    assert laid_out(told) == {"etc/x": "x\n"}


def test_a_file_whose_path_is_anothers_folder_is_left_out(temporary):
    assert laid_out(files("=/a\t", "|file", "=/a/b\t", "|below", "=/c/d\t", "|x", "=/c\t", "|y")) == {
        "a": "file\n",
        "c/d": "x\n",
    }


def test_the_disk_is_not_filled(temporary, monkeypatch):
    monkeypatch.setattr(told_files, "MOST_FILES", 5)
    monkeypatch.setattr(told_files, "LARGEST", 10)
    monkeypatch.setattr(told_files, "MOST_LAID_OUT", 20)
    told = files("=/large\t", *["|12345"] * 3, *[line for n in range(9) for line in (f"=/f{n}\t", "|1234567")])
    assert told.left_out == ["/large"]
    assert laid_out(told) == {"f0": "1234567\n", "f1": "1234567\n"}
    assert told.left_out == ["/large", "/f2"]
    assert not told.exists("/f5")


def test_a_pattern_of_the_node_names_nothing_of_this_host(temporary):
    told = files("=/etc/nftables.d/b.nft\t", "|b", "=/etc/nftables.d/a.nft\t", "|a", "=/etc/nftables.d/c/d.nft\t", "|d")
    assert told.matching("/etc/nftables.d/*.nft") == ["a\n", "b\n"]
    assert told.matching("nftables.d/a.nft") == ["a\n"]
    assert told.matching("/../../../../etc/pass*") == []
    assert told.matching("/etc/host*") == []


def test_names_and_what_was_too_large():
    told = files("=/etc/cni/net.d/a.conf\t", "=/etc/cni/net.d/x/y\t", "@/etc/cni/net.d/l\tz", "!/etc/iptables/rules.v4")
    assert told.names("/etc/cni/net.d") == ["a.conf", "x", "l"]
    assert told.names("/nowhere") == []
    assert told.left_out == ["/etc/iptables/rules.v4"]
    assert not told.is_whole


def test_of_a_token_two_times_are_known(temporary):
    told = files("*/etc/cni/net.d/calico-kubeconfig\t1000\t2000")
    assert cni.token_times(told.read("/etc/cni/net.d/calico-kubeconfig"), 1500.0) == {
        "token_age_seconds": 500,
        "token_expires_in_seconds": 500,
    }
    assert cni.token_times(files("*/k\t\t").read("/k"), 1500.0) == {}
    assert cni.token_times(files("*/k\tnan\t1e999").read("/k"), 1500.0) == {}


def test_another_text_tells_no_file():
    told = told_files.ToldFiles("=/etc/a\t\n|x\n")
    assert not told.is_told
    assert not told.exists("/etc/a")


def test_what_is_added_replaces_nothing(temporary):
    told = files("=/a\t", "|told")
    told.add("/a", "other")
    told.add("/b", "one\ntwo\n", 1795000000.0)
    assert laid_out(told) == {"a": "told\n", "b": "one\ntwo\n"}


LINES = st.lists(
    st.tuples(st.sampled_from("=|:!@*.? "), st.text(st.sampled_from("/.a\t:\x00\\~$ö"), max_size=20)).map("".join)
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES)
def test_whatever_is_told_stays_in_its_folder(temporary, lines):
    told = files(*lines)
    with told.laid_out() as root:
        assert [path.name for path in temporary.iterdir()] == [Path(root).name]
        assert not any(path.is_symlink() for path in Path(root).rglob("*"))
    assert list(temporary.iterdir()) == []
