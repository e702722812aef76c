# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

from ansible_collections.netmedic.calico.plugins.module_utils._gather import pods

NODE = "kube-system_calico-node-abcde_11111111-2222"


def write(root, path, at, text="x\n"):
    file = root / "var/log/pods" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(str(file), (at, at))


def test_the_newest_log_of_a_container_has_its_canonical_name_and_the_one_before_is_kept_besides(tmp_path):
    for number in range(4):
        write(tmp_path, f"{NODE}/calico-node/{number}.log", 1000 + number)
    write(tmp_path, f"{NODE}/install-cni/0.log", 900)

    found = pods.logs(str(tmp_path))

    assert [(one.name, one.path.rpartition("/pods/")[2]) for one in found] == [
        ("calico-node.log", f"{NODE}/calico-node/3.log"),
        ("install-cni.log", f"{NODE}/install-cni/0.log"),
        (f"more/pods/{NODE}/calico-node/2.log", f"{NODE}/calico-node/2.log"),
    ]
    assert all(one.log for one in found)


def test_a_replaced_pods_log_does_not_take_the_name(tmp_path):
    old = NODE.replace("abcde", "zzzzz")
    write(tmp_path, f"{old}/calico-node/0.log", 1000)
    write(tmp_path, f"{NODE}/calico-node/0.log", 2000)

    names = {one.path.rpartition("/pods/")[2]: one.name for one in pods.logs(str(tmp_path))}

    assert names == {
        f"{NODE}/calico-node/0.log": "calico-node.log",
        f"{old}/calico-node/0.log": f"more/pods/{old}/calico-node/0.log",
    }


def test_typha_the_operator_and_kube_controllers_are_read_and_workloads_are_not(tmp_path):
    for pod, container in (
        ("calico-system_calico-typha-65b-x1_1", "calico-typha"),
        ("tigera-operator_tigera-operator-7d-x2_2", "tigera-operator"),
        ("calico-system_calico-kube-controllers-5c-x3_3", "calico-kube-controllers"),
        ("shop_payment-x4_4", "payment"),
    ):
        write(tmp_path, f"{pod}/{container}/0.log", 1000)

    names = sorted(one.name for one in pods.logs(str(tmp_path)))

    assert names == [
        "calico-kube-controllers.log",
        "more/pods/tigera-operator_tigera-operator-7d-x2_2/tigera-operator/0.log",
        "typha.log",
    ]
    assert "payment" not in pods.listing(str(tmp_path))


def test_packed_parts_of_a_log_are_listed_with_size_and_time(tmp_path):
    write(tmp_path, f"{NODE}/calico-node/0.log", 0)
    write(tmp_path, f"{NODE}/calico-node/0.log.20260101-000000.gz", 60, "packed")

    assert pods.listing(str(tmp_path)).splitlines() == [
        f"           2 1970-01-01T00:00:00Z {NODE}/calico-node/0.log",
        f"           6 1970-01-01T00:01:00Z {NODE}/calico-node/0.log.20260101-000000.gz",
    ]
    assert len(pods.logs(str(tmp_path))) == 1


def test_a_link_that_leads_nowhere_is_told(tmp_path):
    folder = tmp_path / "var/log/pods" / NODE / "calico-node"
    folder.mkdir(parents=True)
    (folder / "0.log").symlink_to("/nonexistent")

    assert "No such file" in pods.listing(str(tmp_path))
    assert [one.name for one in pods.logs(str(tmp_path))] == ["calico-node.log"]


def test_pods_that_start_anew_all_the_time_are_limited(tmp_path):
    for number in range(60):
        write(tmp_path, f"kube-system_calico-node-{number:05}_u/calico-node/0.log", number)

    assert len(pods.logs(str(tmp_path))) == 24


def test_without_pods_there_is_nothing(tmp_path):
    assert pods.logs(str(tmp_path)) == []
    assert pods.listing(str(tmp_path)) == ""
