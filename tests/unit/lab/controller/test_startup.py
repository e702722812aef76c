# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node finds out about its addresses, in its words."""

from __future__ import annotations

import pytest

from lab.controller import startup

HELD = ["127.0.0.1/8", "10.200.0.10/24", "fd00::10/64"]


def node(name="node-2", **annotations):
    stored = {f"projectcalico.org/{key}": value for key, value in annotations.items()}
    return {"metadata": {"name": name, "annotations": stored}}


def detect(method, family):
    if method == "nonsense":
        return None
    if "nothing" in method:
        return "", "", "there is none"
    return ("10.200.0.10/24" if family == "ipv4" else "fd00::10/64", "eth0", "")


def run(environment, own=None, others=()):
    return startup.run(environment, own or node(), list(others), HELD, detect)


def said(outcome):
    return "\n".join(text for _level, text in outcome.log)


V4, V6 = "projectcalico.org/IPv4Address", "projectcalico.org/IPv6Address"


def test_an_address_is_found_and_stored():
    outcome = run({"IP": "autodetect"})
    assert outcome.went_on
    assert outcome.annotations == {V4: "10.200.0.10/24"}
    assert "Using autodetected IPv4 address on interface eth0: 10.200.0.10/24" in said(outcome)


def test_nothing_changes_where_it_is_stored_already():
    assert run({"IP": "autodetect"}, node(IPv4Address="10.200.0.10/24")).annotations == {}


@pytest.mark.parametrize(("wish", "expected"), [("", {}), ("none", {}), ("autodetect", {V4: "10.200.0.10/24"})])
def test_what_is_stored_is_kept_unless_autodetection_is_wanted(wish, expected):
    assert run({"IP": wish}, node(IPv4Address="10.200.0.77/24")).annotations == expected


def test_without_a_wish_an_address_is_looked_for_where_none_is_stored():
    assert run({}).annotations == {V4: "10.200.0.10/24"}


def test_a_given_address_takes_its_prefix_from_the_host():
    assert run({"IP": "10.200.0.10"}).annotations == {V4: "10.200.0.10/24"}
    elsewhere = run({"IP": "10.9.9.9"})
    assert elsewhere.annotations == {V4: "10.9.9.9/32"}
    assert "Unable to confirm IPv4 address 10.9.9.9 is assigned to this host" in said(elsewhere)
    assert not run({"IP": "here"}).went_on


def test_nothing_found_ends_it():
    outcome = run(
        {"IP": "autodetect", "IP_AUTODETECTION_METHOD": "interface=nothing"}, node(IPv4Address="10.200.0.10/24")
    )
    assert not outcome.went_on
    assert outcome.annotations == {"projectcalico.org/IPv4Address": None}  # what is out of date is cleared
    assert "Couldn't autodetect an IPv4 address" in said(outcome)
    assert "Calico node failed to start" in said(outcome)


def test_an_unknown_method_ends_it():
    outcome = run({"IP": "autodetect", "IP_AUTODETECTION_METHOD": "nonsense"})
    assert not outcome.went_on
    assert "Invalid IP autodetection method: nonsense" in said(outcome)


def test_ipv6_only_where_it_is_wanted():
    assert run({"IP": "none", "IP6": "autodetect"}).annotations == {V6: "fd00::10/64"}
    assert V6 not in run({"IP": "autodetect"}).annotations


def test_another_nodes_address_ends_it_where_it_is_new():
    other = node("node-9", IPv4Address="10.200.0.10/24")
    outcome = run({"IP": "autodetect"}, others=[other])
    assert not outcome.went_on
    assert "Calico node 'node-9' is already using the IPv4 address 10.200.0.10." in said(outcome)
    assert run({"IP": "autodetect", "DISABLE_NODE_IP_CHECK": "true"}, others=[other]).went_on
    assert run({"IP": "autodetect"}, node(IPv4Address="10.200.0.10/24"), [other]).went_on, "only a change is checked"


def test_without_networking_nothing_is_done():
    outcome = run({"CALICO_NETWORKING_BACKEND": "none", "IP": "autodetect"})
    assert (outcome.went_on, outcome.annotations) == (True, {})
