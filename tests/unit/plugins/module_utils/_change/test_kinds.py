# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes made of their options, and what is refused at once; files by themselves."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import files, kinds, options, transaction, undo
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError

RULE = {"kind": "iptables_rule", "chain": "INPUT", "rule": "-j ACCEPT"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "None is none of the kinds"),
        ({"kind": "x"}, "'x' is none of the kinds"),
        ({"kind": "file"}, "change 1: file lacks path"),
        (dict(RULE, position="1"), "position is no int"),
        (dict(RULE, position=True), "position is no int"),
        (dict(RULE, program="sh"), "program is 'sh', and none of"),
        (dict(RULE, chain="a\nb"), "chain has more than one line"),
        (dict(RULE, path="/x"), "iptables_rule has no option path"),
        (dict(RULE, state="gone"), "state is 'gone'"),
    ],
)
def test_what_is_no_change(change, sentence):
    with pytest.raises(RefusedError) as refused:
        kinds.make([change])
    assert sentence in str(refused.value)


def test_two_changes_of_one_thing_contradict_each_other():
    with pytest.raises(RefusedError, match="changes 1 and 2 are about the same thing"):
        kinds.make([RULE, dict(RULE, state="absent")])
    kinds.make([RULE, dict(RULE, comment="another")])


def test_every_kind_tells_of_itself():
    assert len(kinds.KINDS) == 14
    spec = options.spec()["changes"]["options"]
    for kind in kinds.KINDS.values():
        assert {*kind.required, *kind.optional} <= set(spec)
        assert not set(kind.required) & set(kind.optional)


def test_two_calls_as_one():
    first = [{"subject": "a", "before": 1, "after": 2}, {"subject": "b", "before": 1, "after": 2}]
    second = [{"subject": "a", "before": 2, "after": 3}, {"subject": "c", "before": 0, "after": 1}]
    merged = {one["subject"]: (one["before"], one["after"]) for one in undo.merged(first, second)}
    assert merged == {"a": (1, 3), "b": (1, 2), "c": (0, 1)}


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "f"
    files.replace(str(path), b"a", 0o640, os.geteuid(), os.getegid())
    (tmp_path / "link").symlink_to(path)
    files.replace(str(tmp_path / "link"), b"b", 0o600, os.geteuid(), os.getegid())
    assert path.read_bytes() == b"b"
    assert (tmp_path / "link").is_symlink()
    assert files.read(str(path)) == files.Found(b"b", 0o600, os.geteuid(), os.getegid())
    assert sorted(os.listdir(str(tmp_path))) == ["f", "link"]
    files.remove(str(path))
    assert files.read(str(path)) is None
    with pytest.raises(RefusedError, match="not a regular file"):
        files.read(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "is_secret"),
    [
        ("net.ipv4.ip_forward = 1\n", False),
        ('  password "x";\n', True),
        ("auth_token: abc\n", True),
        ("-----BEGIN RSA PRIVATE KEY-----\n", True),
        ("# the password is elsewhere\n", False),
    ],
)
def test_no_secret_goes_into_the_record(tmp_path, content, is_secret):
    change = kinds.one({"kind": "file", "path": str(tmp_path / "f"), "content": content})
    if not is_secret:
        change.preflight()
        return
    with pytest.raises(RefusedError, match="seems to hold a secret"):
        change.preflight()


class ServiceThatRuns(kinds.KINDS["service"]):
    def preflight(self):
        """There is one."""

    def read(self):
        return {"running": True, "enabled": True, "since": "1"}


@pytest.mark.parametrize("run", ["restarted", "reloaded"])
@pytest.mark.parametrize("content", ["a\n", "b\n"])
def test_a_service_that_follows_its_file(tmp_path, run, content):
    path = tmp_path / "f"
    path.write_text("a\n")
    file = kinds.one({"kind": "file", "path": str(path), "content": content})
    service = ServiceThatRuns({"service": "chronyd", "run": run, "if_changed": True})
    changed = [entry["changed"] for entry in transaction._planned([file, service])]
    assert changed == ([True, True] if content == "b\n" else [False, False])
    assert (service.undoable, service.subject) == (False, f"{run[:-2]} of service chronyd")
