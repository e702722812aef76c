# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._gather.model import CUT, LEFT_OUT, OK, Output
from ansible_collections.netmedic.calico.plugins.module_utils._gather.parcel import Parcel, unpacked

PLENTY = 1 << 30
KIB = 1024


def noise(size, seed=1):
    """Text that does not get smaller by compression, in lines."""
    raw = random.Random(seed).getrandbits(size * 4).to_bytes(size // 2, "big").hex()
    return "\n".join(raw[at : at + 80] for at in range(0, len(raw), 80)) + "\n"


def packed(most, *outputs):
    parcel = Parcel(most)
    for output in outputs:
        parcel.add(output)
    return parcel.end()


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=200), st.integers(0, 10**9), st.floats(0, 1e6))))
def test_what_goes_in_comes_out(told):
    outputs = [Output(name, "ip addr", OK, text, "", size, seconds) for name, text, size, seconds in told]

    assert unpacked(packed(1024 * KIB, *outputs), PLENTY) == outputs


def test_what_does_not_fit_is_cut_and_then_left_out_and_the_limit_holds():
    outputs = [Output(f"{number}.log", "x", OK, noise(200 * KIB, number), "", 200 * KIB) for number in range(8)]

    parcel = packed(300 * KIB, *outputs)

    assert len(base64.b64decode(parcel)) <= 300 * KIB
    told = unpacked(parcel, PLENTY)
    assert [one.name for one in told] == [one.name for one in outputs]
    statuses = [one.status for one in told]
    assert statuses[0] == OK
    assert CUT in statuses
    assert statuses[-1] == LEFT_OUT
    cut = told[statuses.index(CUT)]
    assert "no room" in cut.detail
    assert "cut here by netmedic.calico" in cut.text
    assert told[-1].text == ""


def test_what_comes_later_and_is_small_still_finds_room():
    big = Output("big.log", "x", OK, noise(400 * KIB))
    small = Output("small.txt", "y", OK, "a few words\n")

    told = unpacked(packed(64 * KIB, big, big, big, small), PLENTY)

    assert told[-1] == small


def test_of_many_that_are_left_out_each_is_named():
    outputs = [Output(f"{number}.log", "x", OK, noise(100 * KIB, number)) for number in range(60)]

    parcel = packed(64 * KIB, *outputs)

    assert len(unpacked(parcel, PLENTY)) == 60
    assert len(base64.b64decode(parcel)) <= 64 * KIB


@pytest.mark.parametrize(
    ("parcel", "words"),
    [
        ("not base64!", "damaged"),
        (base64.b64encode(b"no zlib").decode(), "damaged"),
        (base64.b64encode(zlib.compress(b"anything\n")).decode(), "none of this collection's making"),
        (base64.b64encode(zlib.compress(b"netmedic.calico.outputs/1\n{}\n")).decode(), "no output"),
        (base64.b64encode(zlib.compress(b"netmedic.calico.outputs/1\n[1,2,3,4,5,6,7]\n")).decode(), "no output"),
        (base64.b64encode(zlib.compress(b"netmedic.calico.outputs/1\n" + b"[" * 100000)).decode(), "no output"),
        (base64.b64encode(zlib.compress(b"netmedic.calico.outputs/1\n")[:-4]).decode(), "end is missing"),
    ],
)
def test_what_is_no_parcel_is_refused(parcel, words):
    with pytest.raises(ValueError, match=words):
        unpacked(parcel, PLENTY)


def test_a_bomb_is_not_unpacked():
    bomb = base64.b64encode(zlib.compress(b"netmedic.calico.outputs/1\n" + b"\0" * (64 << 20))).decode()

    with pytest.raises(ValueError, match="more than 1048576 bytes"):
        unpacked(bomb, 1 << 20)
