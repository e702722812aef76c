# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole pass against the lab's API, as the account that the shipped manifest makes."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import packing, read

ROOT = pathlib.Path(__file__).resolve().parents[5]
pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="the lab is written for Python 3.11 and later")
pytest.importorskip("kubernetes")
WAIT = 30.0


@pytest.fixture(scope="module", params=["crd", "aggregated"])
def lab(request, tmp_path_factory):
    """A lab's folder with its API running, without its machines."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "lab.json").write_text(json.dumps({"topology": "one_subnet", "nodes": 3, "image": "none"}))
    argv = [sys.executable, "-m", "lab.api", "--state", str(folder), "--calico", request.param]
    process = subprocess.Popen(argv, cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + WAIT
        while not (folder / "api.json").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        if not (folder / "api.json").exists():
            process.terminate()
            said = process.stderr.read().decode()[-1000:]
            assert "ModuleNotFoundError" in said, said
            pytest.skip("this Python has not what the lab needs")
        yield folder
    finally:
        process.terminate()
        process.communicate(timeout=WAIT)


@pytest.mark.parametrize("via", ["client", "kubectl"])
def test_the_shipped_account_may_do_all_that_is_done(lab, params, via):
    if via == "kubectl" and shutil.which("kubectl") is None:
        pytest.skip("there is no kubectl on this host")
    changes = {"kubeconfig": str(lab / "kubeconfig-netmedic"), "via": via, "timeout": 20.0}
    fact = read.gather({**params, **changes}, {}, "/nonexistent")["calico_cluster"]
    assert (fact["reached"], fact["why"]) == (True, "")
    assert [one for one in fact["sources"] if one["status"] not in ("ok", "absent")] == []
    objects = packing.unpacked(fact["objects"])
    assert len(objects["nodes"]) == len(objects["leases"]) == 3
    assert {one["metadata"]["name"] for one in objects["daemonsets"]} >= {"calico-node"}
    assert [one["metadata"]["name"] for one in objects["ippools"]]
    assert (fact["group"], fact["native_v3"]) == ("crd.projectcalico.org/v1", False)
