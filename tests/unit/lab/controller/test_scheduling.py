# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pods may run on which nodes."""

from __future__ import annotations

import pytest

from lab.controller import scheduling


def node(*taints, name="node-1", **labels):
    made = [{"key": key, "value": value, "effect": effect} for key, value, effect in taints]
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": made}}


DEDICATED = ("dedicated", "db", "NoSchedule")


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], False),
        ([{"operator": "Exists"}], True),
        ([{"key": "dedicated", "operator": "Exists"}], True),
        ([{"key": "dedicated", "value": "db"}], True),
        ([{"key": "dedicated", "operator": "Equal", "value": "web"}], False),
        ([{"key": "dedicated", "operator": "Exists", "effect": "NoExecute"}], False),
        ([{"effect": "NoSchedule", "operator": "Exists"}], True),
    ],
)
def test_taints(tolerations, expected):
    assert scheduling.fits({"tolerations": tolerations}, node(DEDICATED)) is expected


def test_a_taint_that_only_prefers_keeps_nothing_away():
    assert scheduling.fits({}, node(("x", "", "PreferNoSchedule")))


def test_selector_and_name():
    assert scheduling.fits({"nodeSelector": {"os": "linux"}}, node(os="linux"))
    assert not scheduling.fits({"nodeSelector": {"os": "linux"}}, node(os="windows"))
    assert not scheduling.fits({"nodeName": "node-2"}, node())


def affinity(*terms):
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": required}}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "zone", "operator": "In", "values": ["a", "b"]}, True),
        ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
        ({"key": "zone", "operator": "Exists"}, True),
        ({"key": "zone", "operator": "DoesNotExist"}, False),
        ({"key": "cores", "operator": "Gt", "values": ["3"]}, True),
        ({"key": "cores", "operator": "Lt", "values": ["3"]}, False),
    ],
)
def test_affinity(expression, expected):
    assert scheduling.fits(affinity({"matchExpressions": [expression]}), node(zone="a", cores="4")) is expected


def test_terms_are_alternatives_and_an_empty_one_selects_nothing():
    wrong = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}
    right = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}
    assert scheduling.fits(affinity(wrong, right), node(zone="a"))
    assert not scheduling.fits(affinity({}), node())
