# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from scripts import console


def run(tmp_path, code: str, **options):
    return console.run([sys.executable, "-c", code], log=tmp_path / "log", cwd=tmp_path, **options)


def test_output_and_status_are_kept(tmp_path, capsys):
    done = run(tmp_path, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert done.status == 3
    assert sorted(done.output.split()) == ["err", "out"]
    assert (tmp_path / "log").read_text() == done.output
    assert capsys.readouterr().out == ""


def test_a_long_step_says_what_it_is_at(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(console, "HEARTBEAT_SECONDS", 0.2)
    run(tmp_path, "import time; print('installing things', flush=True); time.sleep(1)")
    assert "installing things" in capsys.readouterr().out


def test_output_that_is_no_text_does_no_harm(tmp_path):
    assert run(tmp_path, "import os; os.write(1, b'\\xff\\n')").status == 0


def test_a_program_does_not_outlive_an_interruption(tmp_path, monkeypatch):
    monkeypatch.setattr(console, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(console, "_heartbeat", interrupting)
    stubborn = "import os, signal, time; signal.signal(15, signal.SIG_IGN); "
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stubborn + "open('pid', 'w').write(str(os.getpid())); time.sleep(60)")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_runs_side_by_side_gives_its_results_in_order():
    works = [lambda: time.sleep(0.3) or "slow", lambda: "quick"]
    assert console.side_by_side(works, 2) == ["slow", "quick"]


def test_what_runs_beside_a_failure_is_ended_with_it(tmp_path):
    def breaks():
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        raise ValueError("as if interrupted")

    def lasts():
        code = "import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); time.sleep(60)"
        run(tmp_path, code)
        run(tmp_path, "open('next', 'w')")

    began = time.monotonic()
    with pytest.raises(ValueError, match="interrupted"):
        console.side_by_side([breaks, lasts], 2)
    assert time.monotonic() - began < 50
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert not (tmp_path / "next").exists()
    assert run(tmp_path, "print('afterwards')").status == 0


def test_what_runs_side_by_side_within_does_not_let_it_go_on(tmp_path):
    begun = tmp_path / "begun"

    def breaks():
        while not begun.exists():
            time.sleep(0.05)
        raise ValueError("as if interrupted")

    def within():
        with pytest.raises(console.UserError):
            console.side_by_side([lasts, lambda: None], 2)
        with pytest.raises(console.UserError):
            run(tmp_path, "open('next', 'w')")

    def lasts():
        run(tmp_path, f"import time; open({str(begun)!r}, 'w'); time.sleep(60)")
        run(tmp_path, "open('next', 'w')")

    with pytest.raises(ValueError, match="interrupted"):
        console.side_by_side([breaks, within], 2)
    assert not (tmp_path / "next").exists()
    assert run(tmp_path, "print('afterwards')").status == 0


def interrupting(*_arguments, **_options):
    time.sleep(1)
    raise KeyboardInterrupt


def test_a_second_make_waits(tmp_path, capsys):
    lock = tmp_path / "lock"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import fcntl, time; f = open({str(lock)!r}, 'w'); fcntl.flock(f, 2); print(flush=True); time.sleep(1)",
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with console.alone_with(lock, "setting up"):
        assert holder.wait(timeout=0.5) == 0
    assert "Waiting for another make which is setting up" in capsys.readouterr().out
