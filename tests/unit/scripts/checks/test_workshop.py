# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
import subprocess
import tarfile

from scripts.checks import workshop
from scripts.paths import ROOT, venv_program

NAMES = [
    *("plugins/modules/node_facts.py", "plugins/plugin_utils/_texts/lab.py", "roles/mtu/README.md", "docs/conf.py"),
    *("README.md", "requirements.txt", "policies/README.md", "meta/runtime.yml"),
]
KEPT_BACK = ["lab/__main__.py", "tests/unit/a.py", "scripts/check.py", "Makefile", "requirements-dev.txt", "x.tar.gz"]


def test_users_get_what_runs_and_no_faults_and_tests():
    assert workshop.shipped([*NAMES, *KEPT_BACK]) == NAMES


def test_galaxy_packs_the_same(tmp_path):
    source = tmp_path / "source"
    for name in [*NAMES, *KEPT_BACK]:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n")
    shutil.copy(ROOT / "galaxy.yml", source)
    command = [venv_program("ansible-galaxy"), "collection", "build", "--output-path", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        files = {member.name for member in packed if member.isfile()}
    assert files == {*NAMES, "MANIFEST.json", "FILES.json"}
