# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an execution environment is told of the collection: complete, and as ansible-builder reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.paths import BUILD, ROOT

META = ROOT / "meta"
TOLD = yaml.safe_load((META / "execution-environment.yml").read_text(encoding="utf-8"))
BUILDER = Path(os.environ.get("AWX_TOOLS", BUILD / "awx")) / "bin" / "ansible-builder"
needs_builder = pytest.mark.skipif(
    not BUILDER.exists(),
    reason=f"{BUILDER} is missing: python3.11 -m venv build/awx && build/awx/bin/pip install -r requirements-awx.txt",
)


def lines(path):
    text = path.read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_all_packages_of_the_requirements_but_ansible_itself_are_told():
    wanted = [line for line in lines(ROOT / "requirements.txt") if not line.startswith("ansible-core")]
    assert sorted(lines(ROOT / TOLD["dependencies"]["python"])) == sorted(wanted)


def test_the_example_is_for_an_ansible_that_the_collection_supports():
    example = yaml.safe_load((ROOT / "execution-environment.yml").read_text(encoding="utf-8"))
    supported = yaml.safe_load((META / "runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    assert supported == ">=2.17.0"
    assert example["dependencies"]["ansible_core"]["package_pip"].startswith("ansible-core>=2.17,")


@needs_builder
def test_introspection_finds_it_all(tmp_path):
    place = tmp_path / "ansible_collections" / "netmedic" / "calico"
    shutil.copytree(META, place / "meta")
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    manifest = {"collection_info": {key: galaxy[key] for key in ("namespace", "name", "version")}}
    (place / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    argv = [str(BUILDER), "introspect", str(tmp_path)]
    found = yaml.safe_load(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    for kind, path in (("python", "ee-requirements.txt"), ("system", "ee-bindep.txt")):
        assert [line.partition("  # from ")[0] for line in found[kind]] == lines(META / path)
        assert all(line.endswith("from collection netmedic.calico") for line in found[kind])


@needs_builder
def test_a_context_is_made_of_the_example(tmp_path):
    argv = [str(BUILDER), "create", "-f", str(ROOT / "execution-environment.yml"), "-c", str(tmp_path / "context")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "netmedic.calico" in (tmp_path / "context" / "_build" / "requirements.yml").read_text(encoding="utf-8")
    assert any((tmp_path / "context" / name).is_file() for name in ("Containerfile", "Dockerfile"))
