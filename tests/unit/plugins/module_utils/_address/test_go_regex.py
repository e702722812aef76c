# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import pathlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._address import go_regex

RECORDED = pathlib.Path(__file__).parent / "recorded"


def said(pattern, name):
    try:
        return go_regex.matcher(pattern)(name)
    except go_regex.InvalidError:
        return None


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("eth0", "veth0abc", True),
        ("^eth0$", "eth0abc", False),
        ("^eth0$", "eth0", True),
        ("(^eth.*)|(^en[op][0-9]+s?[0-9]*$)", "enp3s0", True),
        ("(eth0)|()", "anything", True),
        ("eth[[:digit:]]+$", "eth12", True),
        ("eth[[:^digit:]]", "eth1", False),
        ("(?i)ETH", "eth0", True),
        ("a(?i)b|c", "C", True),
        ("a(?i)b|c", "A", False),
        ("(?i:e)TH", "eth", False),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\Qa.b\E", "axb", False),
        (r"vxlan\.calico", "vxlan.calico", True),
        (r"\x65\x{74}\150", "eth", True),
        (r"eth0\z", "eth0", True),
        (r"\beth0\b", "br-eth0", True),
        (r"\Bth0", "eth0", True),
        ("eth{1", "eth{1", True),
        ("eth{,5}", "eth{,5}", True),
        ("e{2,3}$", "xee", True),
        ("^e{2,3}$", "eeee", False),
        ("^(ab){2}$", "abab", True),
        ("^(a|ab)(c|bcd)$", "abcd", True),
        ("^*x", "x", True),
        ("[]a]x", "]x", True),
        ("[^]a]x", "bx", True),
        ("[a-]x", "-x", True),
        (r"[\w.]+$", "vxlan.calico", True),
        ("(?P<n>e)(?<m>t)h", "eth", True),
        ("(a*)*b", "aaaaaaaaaaaaaab", True),
        # What Python takes and Go refuses.
        (r"(?=eth0)", "eth0", None),
        (r"(?!lo).*", "eth0", None),
        (r"(e)\1", "ee", None),
        (r"eth0\Z", "eth0", None),
        ("a*+", "a", None),
        ("a**", "a", None),
        ("*a", "a", None),
        ("a|*", "a", None),
        ("(*)", "a", None),
        ("(", "a", None),
        (")", "a", None),
        ("[a", "a", None),
        ("[b-a]", "a", None),
        ("[[:nonsense:]]", "a", None),
        (r"\y", "a", None),
        ("\\", "a", None),
        ("a{1001}", "a", None),
        ("(a{100}){11}", "a", None),
        ("a{3,2}", "a", None),
        ("(?x)a", "a", None),
        ("(?i-)a", "a", None),
    ],
)
def test_patterns(pattern, name, expected):
    assert said(pattern, name) is expected


def test_what_go_itself_says():
    """Each recorded pattern against each recorded name, as Go's regexp.MatchString answered."""
    recorded = json.loads((RECORDED / "go-regexp.json").read_text())
    wrong = []
    for entry in recorded["patterns"]:
        try:
            matches = go_regex.matcher(entry["pattern"])
        except go_regex.InvalidError:
            mine = None
        except go_regex.UndecidedError:
            continue
        else:
            mine = [name for name in recorded["names"] if matches(name)]
        if mine != entry["matches"]:
            wrong.append((entry["pattern"], entry["matches"], mine))

    assert wrong == []
    assert len(recorded["patterns"]) > 500


@pytest.mark.parametrize("pattern", [r"\pL", r"\p{Greek}", "(" * 200 + "a" + ")" * 200, "a" * 5000, r"[\pL]"])
def test_what_cannot_be_said(pattern):
    with pytest.raises(go_regex.UndecidedError):
        go_regex.matcher(pattern)


@given(st.text(alphabet="ab01^$.*+?{},()[]|\\-:iQEpzAdwsx<P=!", max_size=40), st.text(alphabet="ab01.", max_size=15))
def test_any_text_is_decided_or_refused_at_once(pattern, name):
    try:
        matches = go_regex.matcher(pattern)
    except (go_regex.InvalidError, go_regex.UndecidedError):
        return
    assert matches(name) in (True, False)


def test_a_pattern_that_keeps_others_busy_for_ever():
    began = time.monotonic()

    assert go_regex.matcher("^((a*)*)*((a?){15}){60}(a|a)*b$")("a" * 15) is False
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("depth", [20, 90])
@pytest.mark.parametrize("sign", ["+", "*", "?", "+?", "{2,}", "{1}"])
def test_repeats_in_repeats_are_no_powers_of_work(sign, depth):
    began = time.monotonic()
    try:
        matches = go_regex.matcher("^" + "(" * depth + "a" + (sign + ")") * depth + sign + "b$")
    except go_regex.InvalidError:
        return  # more repeats than Go takes

    assert matches("a" * 15) is False
    assert matches("a" * 14 + "b") is (sign not in ("?", "{1}"))
    assert time.monotonic() - began < 1


def test_the_longest_patterns_cost_little_for_many_names():
    wide = "(" * 99 + "(a|aa|[^b]|.|a?)" * 230 + ("+)" * 99)
    matches = go_regex.matcher(wide[:4096] + "")
    began = time.monotonic()

    assert [matches(f"cali{number:011x}") for number in range(20)] == [True] * 20
    assert time.monotonic() - began < 5


@given(
    st.recursive(
        st.sampled_from(["a", "b", ".", "[ab]"]),
        lambda part: st.one_of(
            st.tuples(part, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}"])).map(
                lambda pair: f"(?:{pair[0]}){pair[1]}"
            ),
            st.tuples(part, part).map("".join),
            st.tuples(part, part).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        ),
        max_leaves=6,
    ),
    st.text(alphabet="abc", max_size=7),
)
def test_plain_patterns_mean_what_they_mean_to_python(pattern, name):
    assert go_regex.matcher(f"^(?:{pattern})$")(name) is (re.match(f"(?:{pattern})\\Z", name) is not None)
