# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role time_sync does on a host: the service that is there, running, with servers."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import kinds
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure import time_sync
from ansible_collections.netmedic.calico.plugins.plugin_utils._cure.model import Given

SYSTEMD = ("/run/systemd/system", "/usr/lib/systemd/system/chrony.service")
STOPPED = {"service": "none", "running": False, "synchronised": False}
FOLLOWS = {"service": "chrony", "running": True, "synchronised": True, "sources_total": 1, "sources_reachable": 1}
CHRONY = "server 192.0.2.1 iburst\nmakestep 1 3\n"
START = {"kind": "service", "service": "chrony", "run": "started", "enabled": True}
RESTART = {"kind": "service", "service": "chrony", "run": "restarted", "if_changed": True}


def decide(mesh, clock, present=SYSTEMD, texts=None, **wishes):
    texts = {"/etc/chrony/chrony.conf": CHRONY} if texts is None else texts
    read = [{"source": path, "content": base64.b64encode(text.encode()).decode()} for path, text in texts.items()]
    wishes = {"fallback_servers": ["pool.ntp.org"], **wishes}
    options = {"clock": clock, "present": [{"path": path} for path in present], "configurations": read, **wishes}
    done = time_sync.changes(Given("node-2", ("node-2",), mesh.facts, {}, mesh.evidence(), {}, options))
    if done.changes:
        kinds.make(done.changes)  # host_change takes them
    return done


def test_a_service_that_is_stopped_is_started(mesh):
    assert decide(mesh, STOPPED).changes == [START]


def test_one_that_runs_is_left_alone_but_shall_start_with_the_host(mesh):
    assert decide(mesh, FOLLOWS).changes == [START]


def test_under_runit_units_do_not_count(mesh):
    done = decide(mesh, STOPPED, ["/usr/lib/systemd/system/chrony.service", "/etc/service/enabled/chronyd", "/etc/ntp"])
    assert [one["service"] for one in done.changes] == ["chronyd"]


def test_where_there_is_none_it_is_installed_only_if_asked(mesh):
    done = decide(mesh, STOPPED, ["/run/systemd/system"])
    assert done.refused == "no time service is there on node-2; install one, or set time_sync_install=true for chrony"
    done = decide(mesh, STOPPED, ["/run/systemd/system"], install=True)
    assert (done.refused, done.more) == ("", {"install": "chrony"})


def test_servers_are_added_at_the_end(mesh):
    done = decide(mesh, FOLLOWS, servers=["192.0.2.1", "192.0.2.2"])
    path = "/etc/chrony/chrony.conf"
    wanted = CHRONY + "# netmedic.calico time_sync\nserver 192.0.2.2 iburst\n"
    assert done.changes == [{"kind": "file", "path": path, "content": wanted}, RESTART, START]
    assert decide(mesh, FOLLOWS, texts={path: wanted}, servers=["192.0.2.1", "192.0.2.2"]).changes == [START]


def test_servers_go_into_a_file_of_their_own_where_such_are_read(mesh):
    texts = {"/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\n" + CHRONY}
    done = decide(mesh, STOPPED, texts=texts, servers=["192.0.2.2"])
    assert [one.get("path", one["kind"]) for one in done.changes] == [
        "/etc/chrony/conf.d/zz-netmedic-calico.conf",
        "service",
    ]


def test_timesyncd_has_its_own_form(mesh):
    present = ["/run/systemd/system", "/lib/systemd/system/systemd-timesyncd.service"]
    done = decide(mesh, STOPPED, present, {}, servers=["192.0.2.2", "192.0.2.3"])
    assert done.changes[0]["content"] == "# netmedic.calico time_sync\n[Time]\nNTP=192.0.2.2 192.0.2.3\n"
    assert decide(mesh, STOPPED, present, {}).changes[0]["kind"] == "service"


@pytest.mark.parametrize("text", ["", "driftfile /var/lib/chrony/drift\n"])
def test_the_fallback_is_for_a_service_without_any_source(mesh, text):
    done = decide(mesh, {**FOLLOWS, "synchronised": False, "sources_total": 0}, texts={"/etc/chrony.conf": text})
    assert done.changes[0]["content"].endswith("server pool.ntp.org iburst\n")


def test_unreachable_sources_are_for_a_person(mesh):
    done = decide(mesh, {**FOLLOWS, "synchronised": False, "sources_reachable": 0})
    assert done.changes == [START]
    assert "none of its time sources answers" in done.says[0]


def test_one_that_does_not_follow_begins_anew_only_if_asked(mesh):
    stuck = {**FOLLOWS, "synchronised": False}
    assert decide(mesh, stuck).changes == [START]
    again = {"kind": "service", "service": "chrony", "run": "restarted"}
    assert decide(mesh, stuck, restart=True).changes == [again, START]
    assert decide(mesh, FOLLOWS, restart=True).changes == [START]


def test_what_is_no_server_is_refused(mesh):
    assert decide(mesh, FOLLOWS, servers=["a b"]).refused == "'a b' is no name or address of a time server"
    assert "there is no configuration of chrony" in decide(mesh, FOLLOWS, texts={}, servers=["a"]).refused


def test_what_is_no_text_is_refused(mesh):
    present = [{"path": path} for path in SYSTEMD]
    options = {"clock": FOLLOWS, "present": present, "configurations": [{"source": "/etc/ntp.conf", "content": "/w=="}]}
    with pytest.raises(ValueError, match=r"/etc/ntp\.conf is no text"):
        time_sync.changes(Given("node-2", ("node-2",), mesh.facts, {}, mesh.evidence(), {}, options))


def test_two_services_are_told_of(mesh):
    assert "work against each other" in decide(mesh, {**FOLLOWS, "also_running": ["timesyncd"]}).says[0]
