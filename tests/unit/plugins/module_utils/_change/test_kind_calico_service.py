# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service of calico-node's container, started and stopped by the pipe of its supervisor."""

from __future__ import annotations

import os

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird import discovery
from ansible_collections.netmedic.calico.plugins.module_utils._change import kind_calico_service, kinds
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError
from ansible_collections.netmedic.calico.plugins.module_utils._host.processes import Process

DOWN = bytes(12) + bytes(4) + b"\0d\0\0"
UP = bytes(12) + (4711).to_bytes(4, "little") + b"\0u\0\1"


@pytest.fixture
def supervise(tmp_path, monkeypatch):
    """The folder of a supervisor of bird that does not run it."""
    folder = tmp_path / "cwd" / "supervise"
    folder.mkdir(parents=True)
    (folder / "status").write_bytes(DOWN)
    os.mkfifo(str(folder / "control"))
    (tmp_path / "cmdline").write_bytes(b"runsv\0bird\0")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "cmdline").write_bytes(b"runsv\0confd\0")
    found = [Process(5, "runsv", str(tmp_path)), Process(6, "runsv", str(tmp_path / "other"))]
    installation = discovery.Installation(found, "bird", "")
    monkeypatch.setattr(discovery, "find_installation", lambda table: installation)
    monkeypatch.setattr(kind_calico_service, "_PATIENCE", 0.3)
    return folder


def kind(**options):
    return kinds.one(dict({"kind": "calico_service", "service": "bird", "run": "started"}, **options))


def test_it_is_told_to_run_and_waited_for(supervise):
    change = kind()
    change.preflight()
    before = change.read()
    wanted = change.plan(before)
    assert (before, wanted) == ({"running": False}, {"running": True})
    assert change.shown(before) == "service bird of calico-node: stopped\n"
    pipe = os.open(str(supervise / "control"), os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(RefusedError, match="does not start"):
            change.write(before, wanted)
        assert os.read(pipe, 10) == b"u"
        (supervise / "status").write_bytes(UP)
        change.write(before, wanted)
        assert change.same(change.read(), wanted)
        # The way back.
        (supervise / "status").write_bytes(DOWN)
        change.write(wanted, before)
        assert os.read(pipe, 10) == b"ud"
    finally:
        os.close(pipe)


def test_without_anybody_at_the_pipe_it_says_so(supervise):
    change = kind()
    with pytest.raises(RefusedError, match="its supervisor does not listen"):
        change.write(change.read(), {"running": True})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"service": "felix"}, "none of calico-node's bird and bird6"),
        ({"service": "bird6"}, "has no supervisors on this host"),
        ({"run": "restarted"}, "can be started and stopped, not restarted"),
    ],
)
def test_what_cannot_be_done_is_refused_first(supervise, options, words):
    with pytest.raises(RefusedError, match=words):
        kind(**options).preflight()


def test_a_status_that_is_none_is_refused(supervise):
    (supervise / "status").write_bytes(b"?")
    with pytest.raises(RefusedError, match="status cannot be read"):
        kind().preflight()
