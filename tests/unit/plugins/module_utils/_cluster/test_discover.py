# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which group Calico's objects are in."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import discover, kinds
from ansible_collections.netmedic.calico.plugins.module_utils._cluster.discover import Served

V1, V3 = kinds.V1, kinds.V3
AGGREGATED = {"spec": {"service": {"name": "calico-api"}}}
BOTH = {V1: frozenset(["ippools", "ipamblocks"]), V3: frozenset(["ippools", "tiers"])}


def test_resources():
    found = {"resources": [{"name": "ippools"}, {"name": "ippools/status"}, None, {}, {"name": 5}]}
    assert discover.plurals_in(found) == {"ippools"}
    assert discover.plurals_in(None) == frozenset()


@pytest.mark.parametrize(
    ("there", "service", "known", "native"),
    [
        ([V1], {}, True, False),
        ([V1, V3], AGGREGATED, True, False),
        ([V3], {"spec": {}}, True, True),
        ([V1, V3], {"spec": {}}, True, True),
        ([V3], {}, False, True),
        ([V1, V3], {}, False, False),
        ([], {}, True, False),
    ],
)
def test_native(there, service, known, native):
    assert discover.is_native({group: frozenset() for group in there}, service, known) is native


@pytest.mark.parametrize(
    ("plurals", "native", "wanted", "groups"),
    [
        (BOTH, False, "", [V1, V3]),
        (BOTH, True, "", [V1, V3]),
        (BOTH, True, "projectcalico.org/v3", [V3, V1]),
        ({V3: frozenset()}, True, "", [V3]),
        ({}, False, "", []),
    ],
)
def test_order(plurals, native, wanted, groups):
    assert discover.groups(Served(plurals, native, {}, {}), wanted) == groups


def test_kinds_that_only_one_group_has():
    served = Served(BOTH, False, {}, {})
    paths = [way.path() for way in discover.ways(kinds.Kind("ippools"), served, "")]
    assert paths == ["/apis/crd.projectcalico.org/v1/ippools", "/apis/projectcalico.org/v3/ippools"]
    assert [way.group for way in discover.ways(kinds.Kind("ipamblocks"), served, "")] == [V1]
    assert discover.ways(kinds.Kind("bgppeers"), served, "") == []


def test_names_do_not_get_out_of_their_place():
    assert kinds.SECRETS.path("../x", "a/b?c") == "/api/v1/namespaces/..%2Fx/secrets/a%2Fb%3Fc"
