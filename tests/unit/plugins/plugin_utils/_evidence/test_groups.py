# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.netmedic.calico.plugins.module_utils._facts import grouping
from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.facts import read_node


def daemon_of(troubled, groups, **config):
    bgp = {"daemons": {"ipv4": {"running": True, "config": config, "troubled": troubled, "troubled_groups": groups}}}
    return read_node("node-1", {"calico_bgp": bgp}).daemons["ipv4"]


def test_grouped_sessions_are_read_like_those_in_full() -> None:
    entries = [
        {"name": f"Mesh_10_200_0_{number}", "kind": "Mesh", "peer": f"10.200.0.{number}", "bgp_state": "Connect"}
        for number in range(100)
    ]

    assert daemon_of(*grouping.fold(entries)).troubled == daemon_of(entries, None).troubled


def test_grouped_probes_are_read_like_those_in_full() -> None:
    probes = [{"peer": f"10.200.0.{number}", "port": 179, "result": "silent"} for number in range(100)]
    kept, groups = grouping.fold(probes)

    grouped = read_node("node-1", {"calico_bgp": {"probes": kept, "probes_groups": groups}})

    assert grouped.probes == read_node("node-1", {"calico_bgp": {"probes": probes}}).probes
    assert len(grouped.probes) == 100


def test_packed_names_of_sessions_are_read() -> None:
    names = [f"Mesh_10_200_0_{number}" for number in range(100, 200)]
    kept, packed = grouping.fold_names(names)

    config = daemon_of([], [], only_on_disk=kept, only_on_disk_packed=packed).config

    assert sorted(config.only_on_disk) == names


def test_groups_of_any_shape_are_no_exception() -> None:
    for groups in (5, [{}], [{"peers": 5}], [{"peers": {"10.0.0": 7}}], {"a": 1}, [[1]]):
        daemon_of([], groups, changed_packed=groups)
