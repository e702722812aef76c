# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import kind_saved_sysctl, kinds, saved_settings
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

KEY = "net.ipv4.ip_forward"
OWN = "etc/sysctl.d/zz-netmedic-calico.conf"


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(kind_saved_sysctl.SavedSysctl, "root", str(tmp_path))
    for folder in ("etc/sysctl.d", "usr/lib/sysctl.d", "etc/ufw", "etc/default"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def made(key=KEY, value="1"):
    return kinds.one({"kind": "saved_sysctl", "key": key, "value": value})


def everything(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def there_and_back(root, key=KEY, value="1"):
    """Make the change, undo it, and return what the change made of the files."""
    kind, before = made(key, value), everything(root)
    kind.preflight()
    was = kind.read()
    wanted = kind.plan(was)
    kind.write(was, wanted)
    after = everything(root)
    assert kind.read() == wanted == kind.plan(wanted)
    kind.write(wanted, was)
    assert everything(root) == before
    return {path: text for path, text in after.items() if text != before.get(path)}


def test_without_any_file_there_is_one_of_ours(root):
    assert there_and_back(root) == {OWN: b"# netmedic.calico\nnet.ipv4.ip_forward = 1\n"}


def test_the_line_that_decides_is_changed_and_nothing_else(root):
    (root / "etc/sysctl.d/10-a.conf").write_bytes(b"net.ipv4.ip_forward = 0\n")
    (root / "etc/sysctl.d/50-b.conf").write_bytes(b"# x\r\n-net/ipv4/conf/all/forwarding=0 \r\nvm.swappiness=1")
    assert there_and_back(root) == {
        "etc/sysctl.d/50-b.conf": b"# x\r\n-net/ipv4/conf/all/forwarding=1 \r\nvm.swappiness=1"
    }


@pytest.mark.parametrize(
    ("path", "text", "key"),
    [
        ("usr/lib/sysctl.d/50-package.conf", "net.ipv4.ip_forward=0\n", KEY),
        ("etc/sysctl.d/50-many.conf", "net.ipv4.conf.*.rp_filter=1\n", "net.ipv4.conf.eth0.rp_filter"),
    ],
)
def test_what_is_a_packages_or_says_more_is_left_alone(root, path, text, key):
    (root / path).write_text(text)
    assert list(there_and_back(root, key)) == [OWN]


def test_a_file_in_etc_hides_that_of_a_package(root):
    (root / "usr/lib/sysctl.d/50-a.conf").write_text("net.ipv4.ip_forward=0\n")
    (root / "etc/sysctl.d/50-a.conf").symlink_to("/dev/null")
    assert list(there_and_back(root)) == [OWN]


def test_those_that_are_read_later_have_to_agree(root):
    (root / "etc/sysctl.conf").write_text("net.ipv4.ip_forward=0\n")
    (root / "etc/sysctl.d/99-sysctl.conf").symlink_to("../sysctl.conf")
    (root / "etc/ufw/ufw.conf").write_text("ENABLED=yes\n")
    (root / "etc/ufw/sysctl.conf").write_text("net/ipv4/ip_forward=0\n")
    changed = there_and_back(root)
    assert changed["etc/sysctl.conf"] == b"net.ipv4.ip_forward=1\n"
    assert changed["etc/ufw/sysctl.conf"] == b"net/ipv4/ip_forward=1\n"
    assert OWN not in changed
    assert (root / "etc/sysctl.d/99-sysctl.conf").is_symlink()


def test_what_is_so_already_is_no_change(root):
    (root / "etc/sysctl.d/50-b.conf").write_text("net.ipv4.ip_forward =  1\n")
    kind = made()
    assert kind.plan(kind.read()) == kind.read()


def test_another_file_that_came_to_win_is_somebody_elses(root):
    kind = made()
    was = kind.read()
    wanted = kind.plan(was)
    kind.write(was, wanted)
    (root / "etc/sysctl.d/zzz.conf").write_text("net.ipv4.ip_forward=0\n")
    assert not kind.same(kind.read(), wanted)
    with pytest.raises(RefusedError, match="in other files"):
        kind.write(kind.read(), was)


@pytest.mark.parametrize("key", ["net.ipv4.conf.*.rp_filter", "../x", "/a"])
def test_what_is_no_name(root, key):
    with pytest.raises(RefusedError, match="no name of a sysctl"):
        made(key).preflight()


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("net.ipv4.conf.eth0/100.rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/conf/eth0.100/rp_filter"),
        ("net.ipv4.conf.all.forwarding", "net/ipv4/ip_forward"),
    ],
)
def test_names(key, path):
    assert saved_settings.path_of(key) == path


def test_shell_values():
    assert saved_settings.shell_value("#A=1\nA='x' # y\n", "A") == "x"
    assert saved_settings.shell_value("AB=1\n", "A") == ""


def test_a_directory_is_made_with_its_file_and_removed_with_it(tmp_path):
    path = tmp_path / "networkd.conf.d" / "a.conf"
    kind = kinds.one({"kind": "file", "path": str(path), "content": "a\n", "folder": True})
    kind.preflight()
    was = kind.read()
    kind.write(was, kind.plan(was))
    assert path.read_text() == "a\n"
    assert path.parent.stat().st_mode & 0o777 == 0o755
    kind.write(kind.read(), was)
    assert not path.parent.exists()
    kind.write(was, kind.plan(was))
    (path.parent / "b").touch()
    kind.write(kind.read(), was)
    assert [one.name for one in path.parent.iterdir()] == ["b"]
    assert kind.same(kind.read(), was)
