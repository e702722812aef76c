# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import socket

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._firewall import model, surroundings

PACKET = model.Packet("ipv4", "lo", "", 1, 2)


@pytest.fixture
def here(tmp_path):
    modules = tmp_path / "lib" / os.uname().release
    modules.mkdir(parents=True)
    (tmp_path / "modules").write_text("nf_tables 1 0 - Live 0x0\n")
    (modules / "modules.builtin").write_text("kernel/net/ipv4/tcp.ko\n")
    made = surroundings.Surroundings(1.0, str(tmp_path), str(tmp_path / "lib"))
    made.folder = tmp_path
    return made


def test_without_the_modules_there_is_no_ipsec_and_nobody_asks(here, monkeypatch):
    monkeypatch.setattr(surroundings.netlink, "Netlink", None)
    assert here.ipsec() is False


@pytest.mark.parametrize(("answers", "known"), [({}, False), ({0x12: [b""]}, None), ({0x15: [b""]}, None)])
def test_with_a_module_the_kernel_is_asked(here, monkeypatch, answers, known):
    class Netlink:
        def __init__(self, *_args):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_args):
            pass

        def dump(self, kind, _body):
            return answers.get(kind, [])

    (here.folder / "modules").write_text("xfrm_user 1 0 - Live 0x0\n")
    monkeypatch.setattr(surroundings.netlink, "Netlink", Netlink)
    assert here.ipsec() is known


@pytest.mark.parametrize(("error", "known"), [(93, False), (1, None)])
def test_a_kernel_that_does_not_answer(here, monkeypatch, error, known):
    def refuse(*_args):
        raise OSError(error, "no")

    (here.folder / "modules").write_text("xfrm_user 1 0 - Live 0x0\n")
    monkeypatch.setattr(surroundings.netlink, "Netlink", refuse)
    assert here.ipsec() is known


def test_nothing_tells_what_is_built_in(here):
    (here.folder / "lib" / os.uname().release / "modules.builtin").unlink()
    assert here.ipsec() is None


def test_packets_are_told_of_their_link(here):
    (packet, other) = here.completed([PACKET, PACKET._replace(in_interface="")])
    expected = 772 if "lo" in dict(socket.if_nameindex()).values() else None
    assert (packet.in_type, packet.ipsec) == (expected, False)
    assert other.in_type is None
    assert here.link_type("no such link") is None
