# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the pages, typed as they stand there: on a healthy lab, in a folder with the files that they name.

Those that nobody can type here stand, with the reason, in scripts/doc_elsewhere.py; tests/unit/docs looks at all.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tarfile

import pytest
import yaml

from ansible_collections.netmedic.calico.tests.lab import cures
from matrix.diagnosis import LIMIT
from scripts import doc_rules, site_pages
from scripts.doc_commands import commands
from scripts.doc_elsewhere import EXAMPLES
from scripts.paths import ROOT, VENV

TYPED = ("ansible", "ansible-doc", "ansible-playbook")
# Programs of this checkout that only tell something.
ASKING = {"--help", "--list", "faults", "inventory"}
COLLECT = "ansible-playbook netmedic.calico.diagnose -i hosts.yml --become -e collect_bundle_dir=bundle"
MANIFESTS = (
    ROOT
    / "tests"
    / "unit"
    / "plugins"
    / "plugin_utils"
    / "_lint"
    / "rules"
    / "ippool_block_size"
    / "good"
    / "fits.manifests"
)
# A diagnosis may find what there is on the machine of the test, such as a kernel without a module.
FOUND = re.compile(r"\d+ finding\(s\) of severity \w+ or above")
# Words of commands that want what is not here: groups of an inventory, a fact cache (test_slices.py has one), an AWX.
NOT_TO_TYPE = ("INVENTORY", "rollback_run=ID", "rack-1", "rack-2", "netmedic.calico.diagnose_cached", "@awx.yml")
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed(text):
    """Whether a command is one to type here."""
    words = shlex.split(text, comments=True)
    asks = words[0] == ".venv/bin/python" and ASKING & set(words[3:4])
    named = doc_rules.elsewhere(words) or any(word in words for word in NOT_TO_TYPE)
    return not named and (words[0] in TYPED or bool(asks))


def on_pages():
    found = (one.text for page in site_pages.paths() for one in commands(page, (ROOT / page).read_text()))
    return sorted({text.partition("  #")[0].strip() for text in found if "$(" not in text and typed(text)})


def type_it(text, room):
    environ = {
        **os.environ,
        **cures.ENVIRONMENT,
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(room / "home"),
        "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
    }
    # The reader's machine has these folders; ours is left as it is.
    mine = {
        "must_gather_dir=/var/tmp": "must_gather_dir=gathered",
        "@monitoring.yml": "@monitoring.yml -e report_dir=out",
    }
    for theirs, ours in mine.items():
        text = text.replace(theirs, ours)
    where = ROOT if text.startswith(".venv/") else room
    done = subprocess.run(
        ["bash", "-c", text], capture_output=True, text=True, timeout=LIMIT, check=False, env=environ, cwd=where
    )
    return done.returncode, done.stdout + done.stderr


def yaml_of(page, key):
    blocks = [block for block in YAML.findall((ROOT / "docs" / page).read_text()) if key in yaml.safe_load(block)]
    return "\n".join(blocks)


def packed(source, target):
    with tarfile.open(target, "w:gz") as archive:
        archive.add(source, "case")


@pytest.fixture(scope="module")
def room(labs, tmp_path_factory):
    """A folder with all that the pages' commands read, made of a healthy lab."""
    lab, room = labs("one_subnet"), tmp_path_factory.mktemp("docs")
    (room / "home" / ".kube").mkdir(parents=True)
    shutil.copy(lab.kubeconfig, room / "home" / ".kube" / "prod")
    shutil.copy(lab.inventory, room / "hosts.yml")
    (room / "bgp.yml").write_text(
        yaml_of("own-checks.md", "diagnose_checks") + yaml_of("own-checks.md", "diagnose_waivers")
    )
    (room / "monitoring.yml").write_text(yaml_of("monitoring.md", "report_formats"))
    status, said = type_it(f"{COLLECT} -e report_dir=report", room)
    assert status == 0, said
    for name in ("shared", "out"):
        shutil.copytree(room / "bundle", room / name / "bundle")
    shutil.copy(room / "report" / "report.json", room / "out")
    shutil.make_archive(str(room / "ticket-4711"), "zip", room / "bundle")
    packed(room / "bundle", room / "calico-diagnostics-20261121_000000.tar.gz")
    packed(room / "bundle", room / "calico-must-gather-20260101T101502Z.tar.gz")
    shutil.copy(room / "bundle" / "nodes" / "node-1" / "birdcl-protocols.txt", room / "notes.txt")
    for name in ("manifests/pools.yaml", "clusters/production/pools.yaml", "rendered.yaml"):
        (room / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MANIFESTS, room / name)
    return room


@pytest.mark.thorough
def test_all_files_that_the_pages_name_are_there(room):
    places = [room / name.replace("~", "home", 1) for name in EXAMPLES if not {name, f"@{name}"} & {*NOT_TO_TYPE}]

    assert [place for place in places if not place.exists()] == []


@pytest.mark.thorough
@pytest.mark.parametrize("text", on_pages())
def test_a_command_of_the_pages_works(room, text):
    status, said = type_it(text, room)

    assert status == 0 or (status == 2 and FOUND.search(said)), said
    assert "Nothing reads the variable" not in said


@pytest.mark.thorough
def test_a_run_that_is_not_there_is_not_put_back(room):
    status, said = type_it("ansible-playbook netmedic.calico.rollback -i hosts.yml --become -e rollback_run=ID", room)

    assert status == 2, said
    assert "ID" in said
