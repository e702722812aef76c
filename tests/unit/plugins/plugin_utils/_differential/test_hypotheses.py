# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.report import analyse
from ansible_collections.netmedic.calico.plugins.plugin_utils._bundle import evidence, read
from ansible_collections.netmedic.calico.plugins.plugin_utils._catalogue.faults import BY_ID
from ansible_collections.netmedic.calico.plugins.plugin_utils._differential import (
    dataplane_symptoms,
    kube_symptoms,
    oddities,
)
from ansible_collections.netmedic.calico.plugins.plugin_utils._differential import symptoms as kinds
from ansible_collections.netmedic.calico.plugins.plugin_utils._differential.contexts import CONTEXTS
from ansible_collections.netmedic.calico.plugins.plugin_utils._differential.needs import NEEDS
from ansible_collections.netmedic.calico.plugins.plugin_utils._differential.table import DIFFERENTIAL

STATUS = """Calico process is running.

IPv4 BGP status
+--------------+-------------------+-------+----------+--------------------------------+
| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |              INFO              |
+--------------+-------------------+-------+----------+--------------------------------+
| {peer:<12} | node-to-node mesh | start | 10:11:12 | {info:<30} |
+--------------+-------------------+-------+----------+--------------------------------+
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def report_on(tmp_path, **files):
    for path, text in files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    told, now = evidence.evidence(read.read(str(tmp_path)))
    return analyse(told, now)


def status(tmp_path, info, peer="10.1.2.3", **more):
    return report_on(
        tmp_path, **{"nodes/node-1/calicoctl-node-status.txt": STATUS.format(info=info, peer=peer)}, **more
    )


def faults(report):
    return [finding["fault"] for finding in report["findings"]]


@pytest.mark.parametrize(
    ("info", "likeliest"),
    [
        ("Active Socket: Connection refused", "peer_bird_not_running"),
        ("Active Socket: Connection reset by peer", "wrong_ip_autodetection"),
        ("Connect", "tcp179_blocked_network"),
        ("Connect Socket: No route to host", "tcp179_blocked_host_firewall"),
    ],
)
def test_one_row_of_one_node_gives_the_usual_causes_and_what_would_decide(tmp_path, info, likeliest):
    report = status(tmp_path, info)
    assert faults(report)[:2] == ["undetermined", likeliest]
    guesses = [finding for finding in report["findings"] if finding.get("guess")]
    assert all(finding["confidence"] < 0.5 for finding in guesses)
    assert sum(finding["confidence"] for finding in guesses) < 1
    wanted = report["findings"][0]["missing"]
    assert 2 <= len(wanted) <= 5
    assert all(item["how"] and item["would_tell"] for item in wanted)


def test_a_guess_never_makes_a_cluster_healthy_or_repairs_anything(tmp_path):
    report = status(tmp_path, "Connect")
    assert report["verdict"] != "healthy"
    assert all(not finding["fix"]["commands"] for finding in report["findings"] if finding.get("guess"))


def test_a_public_peer_makes_a_wrong_address_likelier(tmp_path):
    before = status(tmp_path / "a", "Connect")
    after = status(tmp_path / "b", "Connect", peer="47.93.161.7")
    share = {name: confidence_of(report, "wrong_ip_autodetection") for name, report in (("a", before), ("b", after))}
    assert share["b"] > share["a"]
    assert "public" in next(f["summary"] for f in after["findings"] if f["fault"] == "wrong_ip_autodetection")


def confidence_of(report, fault):
    return next((finding["confidence"] for finding in report["findings"] if finding["fault"] == fault), 0)


def test_what_was_read_is_no_longer_guessed(mesh):
    """Both ends of the session were read, with their firewalls and sockets: what is left is not one of those."""
    mesh.break_session("node-2", "node-3")
    report = analyse(mesh.evidence(), NOW)
    guessed = {finding["fault"] for finding in report["findings"] if finding.get("guess")}
    assert not guessed & {"peer_bird_not_running", "stale_node_in_mesh", "bird_reload_stuck"}


def test_a_healthy_mesh_has_no_guess(mesh):
    assert analyse(mesh.evidence(), NOW)["findings"] == []


def test_texts_that_tell_nothing_of_bgp_say_so_with_what_to_fetch(tmp_path):
    report = report_on(tmp_path, **{"nodes/node-1/uname.txt": "Linux node-1 5.4.0-42-generic #46-Ubuntu SMP x86_64\n"})
    assert faults(report) == ["undetermined"]
    assert report["findings"][0]["severity"] == "info"
    assert len(report["findings"][0]["missing"]) == 3


@pytest.mark.parametrize("kind", sorted(DIFFERENTIAL))
def test_the_table_names_faults_and_needs_that_exist(kind):
    causes = DIFFERENTIAL[kind]
    assert all(cause.fault in BY_ID and cause.need in NEEDS and cause.odds > 0 for cause in causes)
    assert len({cause.fault for cause in causes}) == len(causes)
    assert [cause.odds for cause in causes] == sorted((cause.odds for cause in causes), reverse=True)


def test_every_kind_of_symptom_has_causes():
    told = {**vars(kinds), **vars(dataplane_symptoms), **vars(kube_symptoms), **vars(oddities)}
    named = {value for name, value in told.items() if name.isupper() and name[0] != "_" and isinstance(value, str)}
    assert named == set(DIFFERENTIAL)


def test_circumstances_are_about_faults_that_exist():
    assert all(set(context.factors) <= set(BY_ID) for context in CONTEXTS)


def test_a_mesh_in_which_all_is_well_is_not_undetermined_for_a_doubt(mesh, monkeypatch):
    """A candidate that is doubted explains nothing where there is nothing to explain."""
    from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis import guesses

    monkeypatch.setattr(guesses, "_guesses", lambda *_all: [{"fault": "confd_cannot_render", "confidence": 0.38}])
    assert analyse(mesh.evidence(), NOW)["findings"] == []


@pytest.mark.parametrize("down", [True, False])
def test_a_line_of_the_time_before_all_sessions_were_up_is_over(mesh, down):
    mesh.bgp("node-2")["log"] = [
        {"kind": "bind_failed", "text": "Mesh_10_0_0_9: Socket error: bind: Cannot assign requested address"}
    ]
    if down:
        mesh.break_session("node-2", "node-3")

    found = [one.kind for one in kinds.symptoms(mesh.evidence(), (), only_sessions=False)]

    assert (kinds.CANNOT_BIND in found) is down
