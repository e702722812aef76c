# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._analysis.ranking import rank

PASSWORD, NETWORK = "bgp_password_mismatch", "tcp179_blocked_network"


@pytest.fixture
def signed(mesh):
    """A mesh in which all sessions have a password, and no kernel has refused a signature yet."""
    for name in mesh.addresses:
        mesh.daemon(name)["config"]["password"] = "all"
        refusals(mesh, name, 0)
    return mesh


def refusals(mesh, name, grew, total=None):
    mesh.bgp(name)["md5"] = {"seconds": 2.2, "failure": {"total": grew * 5 if total is None else total, "grew": grew}}


def lose(mesh, dialler, listener):
    """A session whose dialler gets no answer; it is not probed, because it has a password."""
    mesh.break_session(dialler, listener)
    mesh.probe(dialler, listener, "not_tried")
    mesh.reach(dialler, listener)


def told(mesh):
    return {item.fault.id: item for item in rank(mesh.evidence())}


def test_one_node_with_another_password_is_blamed_for_all_its_sessions(signed):
    for peer in ("node-1", "node-2", "node-4"):
        lose(signed, *sorted(("node-3", peer), key=signed.addresses.get, reverse=True))
    refusals(signed, "node-3", 4)
    refusals(signed, "node-2", 2)
    (item,) = rank(signed.evidence())
    assert (item.fault.id, item.subject.nodes, item.confidence) == (PASSWORD, ("node-3",), 0.98)


def test_growth_that_another_dialler_explains_is_not_held_against_a_node(signed):
    # node-1 has another password; the network keeps everybody but node-1 from node-2.
    for peer in ("node-2", "node-3", "node-4"):
        lose(signed, "node-1", peer)
        refusals(signed, peer, 3)
    for dialler in ("node-3", "node-4"):
        lose(signed, dialler, "node-2")
    found = told(signed)
    assert found[PASSWORD].subject.nodes == ("node-1",)
    assert found[NETWORK].subject.nodes == ("node-2",)
    assert len(found[NETWORK].subject.sessions) == 2
    assert found[NETWORK].confidence < 0.95
    against = [signal.test.__name__ for signal, _seen in found[NETWORK].speaks_against]
    assert against == ["password_may_explain_as_well"]


def test_growth_beyond_what_another_dialler_explains_is(signed):
    for peer in ("node-2", "node-3", "node-4"):
        lose(signed, "node-1", peer)
        refusals(signed, peer, 3)
    for dialler in ("node-3", "node-4"):
        lose(signed, dialler, "node-2")
    refusals(signed, "node-2", 7)
    found = [(item.fault.id, item.subject.nodes) for item in rank(signed.evidence())]
    assert (PASSWORD, ("node-2",)) in found
    assert NETWORK not in {fault for fault, _nodes in found}


def test_fewer_refusals_than_diallers_make_it_less_sure(signed):
    for dialler in ("node-1", "node-3", "node-4"):
        lose(signed, dialler, "node-2")
    refusals(signed, "node-2", 3)
    sure = told(signed)[PASSWORD].confidence
    refusals(signed, "node-2", 1)
    assert told(signed)[PASSWORD].confidence < sure


def test_signed_calls_that_no_kernel_refuses_are_lost_in_the_network(signed):
    for dialler in ("node-1", "node-3", "node-4"):
        lose(signed, dialler, "node-2")
    (item,) = rank(signed.evidence())
    assert (item.fault.id, item.subject.nodes) == (NETWORK, ("node-2",))
    sure = item.confidence
    refusals(signed, "node-2", 0, total=9)  # it refused some before: then this is less sure
    assert told(signed)[NETWORK].confidence < sure - 0.2


def test_signed_calls_say_nothing_where_the_counters_could_not_be_read(signed):
    lose(signed, "node-3", "node-2")
    del signed.bgp("node-2")["md5"]
    assert list(told(signed)) == ["undetermined"]
