# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._peering import addresses, release


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("FD00:0::1", "fd00::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("010.0.0.1", ""),
        ("10.0.0.1/24", ""),
        ("fe80::1%eth0", ""),
        ("[fd00::1]", ""),
        ("node-1", ""),
        ("", ""),
        ("1" * 5000, ""),
    ],
)
def test_an_address_is_what_go_takes_for_one(text, canonical):
    assert addresses.canonical(text) == canonical


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.1", "10.0.0.1", 0),
        ("10.0.0.1:1790", "10.0.0.1", 1790),
        ("10.0.0.1:0x10", "10.0.0.1", 16),
        ("10.0.0.1:010", "10.0.0.1", 8),
        ("10.0.0.1:0", "10.0.0.1", 0),
        ("[fd00::1]:179", "fd00::1", 179),
        # What is malformed comes back whole, and is then no address.
        ("fd00::1", "fd00::1", 0),
        ("[fd00::1]", "[fd00::1]", 0),
        ("10.0.0.1:", "10.0.0.1:", 0),
        ("10.0.0.1:bgp", "10.0.0.1:bgp", 0),
        ("10.0.0.1:65536", "10.0.0.1:65536", 0),
        ("10.0.0.1:08", "10.0.0.1:08", 0),
        ("[10.0.0.1:179", "[10.0.0.1:179", 0),
        ("10.0.0.1]:179", "10.0.0.1]:179", 0),
    ],
)
def test_a_peer_address_is_taken_apart_as_go_does(text, host, port):
    assert addresses.split_port(text) == (host, port)


def test_the_subnet_of_a_node_address():
    assert str(addresses.network_of("10.0.0.9/24")) == "10.0.0.0/24"
    assert addresses.network_of("10.0.0.9") is None
    assert addresses.network_of("10.0.0.9/99") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("v3.28.1", (3, 28, 1)), ("3.32", (3, 32, 0)), ("v3.31.0-0.dev-12-g0", (3, 31, 0))],
)
def test_a_version_is_read(text, number):
    assert release.of(text).number == number


@pytest.mark.parametrize("text", ["", "master", "v", "release-v3.28"])
def test_without_a_version_the_newest_release_is_assumed(text):
    found = release.of(text)
    assert not found.known
    assert found.sorted_by_name
    assert "newest" in found.name


def test_releases_differ():
    assert [release.of(f"v3.{minor}.0").mesh_multihop for minor in (25, 26, 32, 33)] == [True, False, False, True]
    assert [release.of(text).reverse_peering for text in ("v3.30.2", "v3.30.3")] == [False, True]
    assert release.of("v3.28.1").name == "Calico 3.28.1"
