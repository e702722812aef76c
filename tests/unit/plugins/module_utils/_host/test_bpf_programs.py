# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import errno
import struct

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._facts.sources import Sources
from ansible_collections.netmedic.calico.plugins.module_utils._host import bpf_programs, links
from ansible_collections.netmedic.calico.plugins.module_utils._host.bpf_programs import EGRESS, INGRESS, XDP, Program
from ansible_collections.netmedic.calico.plugins.module_utils._host.links import Link, Network

ETH0 = Link(2, "eth0", 1500, "", True, True, 0)


def attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def qdisc(kind, index=2):
    return 36, struct.pack("=BxHiIII", 0, 0, index, 0, 0xFFFFFFF1, 0) + attribute(1, kind + b"\0")


def classifier(kind, *options):
    return 44, struct.pack("=BxHiIII", 0, 0, 2, 1, 0, 0) + attribute(1, kind + b"\0") + attribute(2, b"".join(options))


class Kernel:
    def __init__(self, qdiscs, filters):
        self.qdiscs, self.filters, self.parents = qdiscs, filters, []

    def dump(self, kind, body):
        if kind == 38:
            return self.qdiscs
        self.parents.append(struct.unpack_from("=I", body, 12)[0])
        return self.filters.get(self.parents[-1], [])


@pytest.fixture
def bpf(monkeypatch):
    """Answers of bpf(), by command."""
    answers = {}

    def call(command, question, _room, _at):
        return answers.get(command, errno.EINVAL), question

    monkeypatch.setattr(bpf_programs, "_bpf", lambda: call)
    return answers


def read(kernel, network, release="6.1.0-21-amd64"):
    sources = Sources()
    return bpf_programs.read(kernel, network, ["eth0", "gone"], sources, release), sources


def test_filters_of_traffic_control(bpf):
    named = classifier(b"bpf", attribute(7, b"cali_tc_preambl:[7]\0"), attribute(11, struct.pack("=I", 7)))
    kernel = Kernel(
        [qdisc(b"noqueue"), qdisc(b"clsact"), qdisc(b"clsact", 9), (36, b"short")],
        {0xFFFFFFF2: [classifier(b"bpf"), named], 0xFFFFFFF3: [classifier(b"flower", attribute(1, b"x"))]},
    )

    found, sources = read(kernel, Network([ETH0], []))

    assert found == [Program("eth0", INGRESS, "cali_tc_preambl:[7]"), Program("eth0", EGRESS, "flower", is_bpf=False)]
    assert sources.status("ebpf") == "ok"
    assert kernel.parents == [0xFFFFFFF2, 0xFFFFFFF3]


def test_the_older_qdisc_has_one_side(bpf):
    kernel = Kernel([qdisc(b"ingress")], {})

    assert read(kernel, Network([ETH0], []))[0] == []
    assert kernel.parents == [0xFFFF0000]


def test_an_xdp_program_without_a_name(bpf):
    found, sources = read(Kernel([], {}), Network([ETH0._replace(xdp=-1)], []))

    assert found == [Program("eth0", XDP, "")]
    assert sources.status("ebpf") == "ok"


def test_a_kernel_that_does_not_tell_of_tcx_is_no_kernel_without_programs(bpf):
    bpf[16] = errno.EPERM

    found, sources = read(Kernel([], {}), Network([ETH0], []), "6.8.0")

    assert (found, sources.status("ebpf")) == ([], "failed")


@pytest.mark.parametrize("release", ["6.5.9", "5.15.0-generic", "4.18", "odd", ""])
def test_older_kernels_are_not_asked(bpf, release):
    bpf[16] = errno.EPERM
    assert read(Kernel([], {}), Network([ETH0], []), release or "x")[1].status("ebpf") == ""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (attribute(2, b"\0"), 0),
        (attribute(2, b"\1") + attribute(4, struct.pack("=I", 12)), 12),
        (attribute(2, b"\2") + attribute(6, struct.pack("=I", 13)), 13),
        (attribute(2, b"\1") + attribute(3, bytes(4)), -1),
        (attribute(2, b"\0") + attribute(3, bytes(4)), 0),
    ],
)
def test_what_a_link_says_of_xdp(data, expected):
    body = struct.pack("=BxHiII", 0, 1, 2, 1, 0) + attribute(3, b"eth0\0") + attribute(43, data)

    assert links._link(body).xdp == expected
