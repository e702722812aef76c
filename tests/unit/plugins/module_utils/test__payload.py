# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils import _payload

PREFIX = "ansible_collections.netmedic.calico.plugins.module_utils"
SOURCE = pathlib.Path(_payload.__file__).parent
# Imports as Ansible's wrapper does, from a zip, and tells how often each of our files was compiled.
RUN = """
import collections, json, sys, zipimport
sys.path.insert(0, sys.argv[1])
compiled = collections.Counter()
if hasattr(zipimport, "_compile_source"):
    compile_source = zipimport._compile_source
    def counting(path, source):
        compiled[path.replace("\\\\", "/").rpartition("/module_utils/")[2]] += 1
        return compile_source(path, source)
    zipimport._compile_source = counting
if sys.argv[2] == "without":
    import PREFIX._payload as payload
    payload.install = lambda: None
import PREFIX._facts.sources as sources, PREFIX._host.processes as processes, PREFIX._record
import PREFIX._facts as package
sources.Sources().ok("x")
print(json.dumps({
    "compiled": compiled, "file": sources.__file__, "package": package.__path__, "name": processes.Process.__module__,
}))
""".replace("PREFIX", PREFIX)
# Tells at its very end whether what it made is still to be cleared up.
END = """
import atexit, gc, sys
sys.path.insert(0, sys.argv[1])
before = gc.get_freeze_count()
atexit.register(lambda: print("left" if gc.get_freeze_count() > before else "cleared"))
import PREFIX._facts.sources
print("searched" if gc.isenabled() else "not searched")
""".replace("PREFIX", PREFIX)


@pytest.fixture
def payload(tmp_path):
    """A zip as Ansible makes it, with a few of our files."""
    path = tmp_path / "payload.zip"
    folder = PREFIX.replace(".", "/")
    with zipfile.ZipFile(str(path), "w") as made:
        parts = folder.split("/")
        for depth in range(1, len(parts) + 1):
            made.writestr("/".join(parts[:depth]) + "/__init__.py", "")
        for name in (
            "_payload.py",
            "_record.py",
            "_facts/__init__.py",
            "_facts/sources.py",
            "_host/__init__.py",
            "_host/processes.py",
        ):
            made.write(str(SOURCE / name), f"{folder}/{name}")
    return path


def run(payload, how):
    argv = [sys.executable, "-c", RUN, str(payload), how]
    return json.loads(subprocess.run(argv, check=True, capture_output=True, text=True).stdout)


def test_our_files_are_compiled_once(payload):
    with_it, without_it = run(payload, "with"), run(payload, "without")

    for name in ("_facts/sources.py", "_host/processes.py", "_record.py"):
        # Python 3.7 has no counter to look at, and this one compiles once by itself if it ever learns to.
        assert with_it["compiled"].get(name, 1) == 1
        assert without_it["compiled"].get(name, 2) in (1, 2)


def test_imported_modules_know_the_same_of_themselves(payload):
    with_it, without_it = run(payload, "with"), run(payload, "without")

    for key in ("file", "package", "name"):
        assert with_it[key] == without_it[key]


def test_a_process_ends_without_clearing_up(payload):
    done = subprocess.run([sys.executable, "-c", END, str(payload)], check=True, capture_output=True, text=True)

    assert done.stdout == "not searched\nleft\n"


def test_outside_a_payload_a_process_ends_as_ever(payload, tmp_path):
    with zipfile.ZipFile(str(payload)) as packed:
        packed.extractall(str(tmp_path / "plain"))
    argv = [sys.executable, "-B", "-c", END, str(tmp_path / "plain")]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)

    assert done.stdout == "searched\ncleared\n"


def test_outside_a_payload_nothing_is_installed():
    assert _payload.Importer not in sys.path_hooks


@pytest.mark.parametrize(
    "path", ["/usr/lib/python3", "/tmp/other.zip", "/tmp/none.zip/ansible_collections/netmedic/calico/x"]
)
def test_other_paths_are_left_to_others(path):
    with pytest.raises(ImportError):
        _payload.Importer(path)
