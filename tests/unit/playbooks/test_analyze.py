# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook analyze as people run it: from an empty folder, without root, without a network."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from scripts.paths import ROOT, venv_program

NOBODY = 65534
TEXTS = ROOT / "tests" / "unit" / "texts"
POOL = (
    "apiVersion: crd.projectcalico.org/v1\nkind: IPPool\nmetadata: {name: p}\n"
    "spec: {cidr: 10.0.0.0/16, ipipMode: Always}\n"
)


def alone(tmp_path):
    """The words before a command that take it its network and root, as far as this machine lets us."""
    unshare, setpriv = shutil.which("unshare"), shutil.which("setpriv")
    if unshare is None:
        return []
    if os.geteuid() == 0:
        if setpriv is None:
            return [unshare, "-n"]
        for folder in (tmp_path, *tmp_path.rglob("*")):
            os.chown(folder, NOBODY, NOBODY)
        user = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        may_see = subprocess.run([*user, venv_program("python"), "-c", "import ansible"], check=False).returncode == 0
        return [unshare, "-n", *(user if may_see else ())]
    works = subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode == 0
    return [unshare, "-rn"] if works else []


@pytest.fixture
def room(tmp_path):
    """A folder with bundles, an empty one to run in, and a home of one's own."""
    for folder in ("empty", "home", "bundles/case/nodes/node-1", "bundles/other/case"):
        (tmp_path / folder).mkdir(parents=True)
    # Temporary folders are for their owner; whoever runs the playbook has to come through them.
    for folder in (tmp_path, *tmp_path.parents):
        if Path("/tmp") in folder.parents and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def run(room, bundles, **more):
    told = {"analyze_bundles": [str(room / "bundles" / name) for name in bundles], "report_dir": "out", **more}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(room / "home"),
        "ANSIBLE_LOCAL_TEMP": str(room / "home" / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    argv = [venv_program("ansible-playbook"), "netmedic.calico.analyze", "-e", json.dumps(told)]
    return subprocess.run(
        [*alone(room), *argv],
        cwd=room / "empty",
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_many_bundles_in_one_run(room):
    bundles = room / "bundles"
    status = (TEXTS / "calicoctl-node-status" / "passive-and-refused" / "input.txt").read_text(encoding="utf-8")
    (bundles / "case" / "nodes" / "node-1" / "calicoctl-node-status.txt").write_text(status, encoding="utf-8")
    (bundles / "other" / "case" / "ippool.yaml").write_text(POOL, encoding="utf-8")
    with tarfile.open(bundles / "evil.tgz", "w:gz") as archive:
        for name in ("../../escaped.txt", "/tmp/netmedic-escaped.txt", "junk.bin"):
            content = bytes(range(256))
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (bundles / "broken.zip").write_bytes(b"PK\3\4 and then nothing")
    (bundles / "paste.txt").write_text(f"root@node-7:~# calicoctl node status\n{status}", encoding="utf-8")
    done = run(room, ["case", "other/case", "evil.tgz", "broken.zip", "absent", "paste.txt"])
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    out = room / "empty" / "out"
    names = ["absent", "broken", "case", "case-2", "evil", "paste.txt"]
    assert sorted(os.listdir(out)) == names
    reports = {name: json.loads((out / name / "report.json").read_text(encoding="utf-8")) for name in names}
    assert {report["schema"] for report in reports.values()} == {"netmedic.calico.report/v1"}
    assert reports["case"]["coverage"]["nodes"]["collected"] == 1
    assert reports["case"]["sessions"]["down"] == reports["paste.txt"]["sessions"]["down"] > 0
    assert reports["case-2"]["coverage"]["api"]["reached"]
    assert {source["status"] for source in reports["evil"]["coverage"]["sources"]} == {"failed"}
    assert sorted(os.listdir(room / "empty")) == ["out"]
    assert not Path("/tmp/netmedic-escaped.txt").exists()
    table = done.stdout.partition("First finding")[2]
    assert [name for name in names if f"\n{name} " in table] == names


def test_the_exit_status_is_that_of_the_severity_asked_for(room):
    status = (TEXTS / "calicoctl-node-status" / "passive-and-refused" / "input.txt").read_text(encoding="utf-8")
    (room / "bundles" / "case" / "nodes" / "node-1" / "calicoctl-node-status.txt").write_text(status, encoding="utf-8")
    done = run(room, ["case"], report_fail_on="never")
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(room, ["case"], report_fail_on="sometimes")
    assert done.returncode == 2
    assert "sometimes" in done.stdout + done.stderr
    (room / "bundles" / "other" / "case" / "ippool.yaml").write_text(POOL, encoding="utf-8")
    done = run(room, ["other"], report_fail_on="never")
    assert done.returncode == 2
    assert "Nothing was read that tells of a node" in done.stdout + done.stderr
