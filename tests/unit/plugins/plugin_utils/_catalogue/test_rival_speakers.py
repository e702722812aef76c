# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another speaker on the node, as its own log tells of it."""

from __future__ import annotations

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import summary, told

FAULT = "metallb_conflict"
ROUTER = "10.0.0.254"


def turned_away(mesh, name="node-2", notified=True, peer=ROUTER):
    entry = {"speaker": "metallb", "peer": peer, "notified": notified, "text": "read OPEN …", "at": "", "count": 2}
    mesh.bgp(name).setdefault("turned_away", []).append(entry)


def test_a_notification_to_the_other_speaker(mesh):
    turned_away(mesh)
    item = told(mesh)[FAULT]
    assert item.subject.nodes == ("node-2",)
    assert 0.5 <= item.confidence < 0.8
    assert f"{ROUTER} turns metallb away" in summary(mesh, None, FAULT)


def test_calicos_session_with_the_same_router_is_the_other_half(mesh):
    turned_away(mesh)
    mesh.daemon("node-2")["peers"]["packed"]["Global"] = {"10.0.0": "254"}
    assert told(mesh)[FAULT].confidence > 0.9


def test_a_bgppeer_for_the_same_router_counts(mesh, kube):
    turned_away(mesh)
    without = told(mesh)[FAULT].confidence
    put(kube, "BGPPeer", "rack", peerIP=ROUTER, asNumber=64600)
    assert told(mesh, kube)[FAULT].confidence > without


def test_a_router_that_hangs_up_may_have_any_reason(mesh):
    turned_away(mesh, notified=False)
    assert told(mesh) == {}


def test_a_router_that_is_not_told(mesh):
    turned_away(mesh, peer="")
    assert "its router" in summary(mesh, None, FAULT)
