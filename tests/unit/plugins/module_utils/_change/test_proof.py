# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `opens` may say."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._change import proof
from ansible_collections.netmedic.calico.plugins.module_utils._change.model import RefusedError
from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model


def test_flows_are_those_of_each_peer():
    found = proof.flows_of([{"peers": ["10.0.0.2", "fd00::2"], "port": "179"}, {"peers": ["10.0.0.2"], "protocol": 4}])
    assert [(flow.family, flow.protocol, flow.port) for flow in found] == [
        ("ipv4", 6, 179),
        ("ipv6", 6, 179),
        ("ipv4", 4, 0),
    ]
    number = model.address_number("10.0.0.2")[1]
    packet = model.Packet("ipv4", "eth0", "", number, 1)
    assert found[0].has(packet)
    assert not found[0].has(packet._replace(destination_port=180))
    assert not found[0].has(packet._replace(source=number + 1))
    assert not found[0].has(packet._replace(in_interface="", out_interface="eth0"))


@pytest.mark.parametrize(
    "flow",
    [
        {},
        {"peers": []},
        {"peers": "10.0.0.2", "port": 179},
        {"peers": ["10.0.0.2/24"], "port": 179},
        {"peers": ["10.0.0.2"]},
        {"peers": ["10.0.0.2"], "port": 179, "source_port": 179},
        {"peers": ["10.0.0.2"], "port": 70000},
        {"peers": ["10.0.0.2"], "protocol": "ipip", "port": 179},
        {"peers": ["10.0.0.2"], "protocol": "nonsense"},
        {"peers": ["10.0.0.2"], "port": 179, "direction": "up"},
        {"peers": ["10.0.0.2"], "port": 179, "interface": "eth0"},
    ],
)
def test_flows_that_are_none(flow):
    with pytest.raises(RefusedError, match="opens: "):
        proof.flows_of([flow])
