# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a cluster is worse than before, or stranger."""

from __future__ import annotations

from chaos.measure import Record
from chaos.standing import Standing, other, strange, wanted, worse


def standing(sessions="", settings=""):
    return Standing(frozenset((one[:-1], one[-1]) for one in sessions.split()), frozenset(settings.split()))


def test_a_session_that_went_is_worse_and_one_that_came_is_not():
    assert worse(standing("a1 b1"), standing("a1 c1")) == ["b 1 is down"]


def test_each_setting_may_be_as_before_or_as_repaired():
    broken, repaired = standing(settings="all old"), standing(settings="all new more")
    for settings in ("all old", "all new", "all new more", "all old more", "all"):
        assert strange(broken, standing(settings=settings), repaired) == []
    assert strange(broken, standing(settings="old"), repaired) == ["gone: all"]
    assert strange(broken, standing(settings="all third"), repaired) == ["new: third"]


def test_what_was_put_back_must_be_the_same():
    assert other(standing("a1", "x y"), standing("a1 b1", "x y")) == []
    assert other(standing("a1", "x y"), standing("", "x z")) == ["gone: y", "new: z", "down: a 1"]


def test_a_record_is_in_order_only_if_nothing_is_wrong():
    good = Record("a run", "undisturbed")
    assert good.ok
    for wrong in ("worse", "strange", "unfinished", "second", "back"):
        assert not good._replace(**{wrong: ("something",)}).ok


def test_of_an_object_that_changed_the_place_is_told():
    texts = [
        f'API: Node/one {{"a": "{"same " * 100}", "address": "{last}", "z": 1}}' for last in ("10.0.0.1", "10.9.9.9")
    ]
    (told,) = other(Standing(frozenset(), frozenset(texts[:1])), Standing(frozenset(), frozenset(texts[1:])))
    assert told.startswith("new: API: Node/one …")
    assert '"address": "10.9.9.9"' in told


def test_sessions_by_peers_that_the_fault_took_away_are_not_missed():
    sessions = frozenset({("a", "Node_10_0_0_1"), ("a", "Node_10_0_0_11")})
    healthy = Standing(sessions, frozenset())
    peer = 'API: BGPPeer/router {"spec": {"peerIP": "10.0.0.1"}}'
    found = wanted(healthy._replace(settings=frozenset([peer])), healthy)
    assert found.sessions == {("a", "Node_10_0_0_11")}
    assert wanted(healthy, healthy) == healthy
