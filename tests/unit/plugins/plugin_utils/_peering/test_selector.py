# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.selector import SelectorError, parse

LABELS = {"zone": "eu-1", "rr": "true", "example.org/rack_2": "r'7", "empty": "", "in": "x"}


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\t", "all()", "all( )", "all(\t)", "global()", "(((all())))"),
        *("zone == 'eu-1'", 'zone=="eu-1"', "zone != 'x'", "none != 'x'", "empty == ''", "empty contains ''"),
        *("zone in {'x', 'eu-1'}", "zone in {'eu-1',}", "zone not in {}", "none not in {'a'}", "zone notin{'x'}"),
        *("has(zone)", "has( zone )", "!has(none)", "! ! has(zone)", "!!!has(none)", "!none == 'x'"),
        *(
            "zone contains 'u-'",
            "zone starts with 'eu'",
            "zone startswith'eu'",
            "zone ends  with '-1'",
            "zone endswith '1'",
        ),
        *('example.org/rack_2 == "r\'7"', "in in {'x'}", "in contains 'x'", "has(in)", "!(zone == 'x' && has(rr))"),
        *("none == 'x' || has(rr)", "has(rr) && none == 'x' || has(zone)", "has(zone) || has(rr) && none == 'x'"),
        "(none == 'x' || has(rr)) && !(none == 'x')",
    ],
)
def test_these_match(text):
    selector = parse(text)
    assert selector.matches(LABELS)
    assert parse(str(selector)).matches(LABELS)
    assert str(parse(str(selector))) == str(selector)


@pytest.mark.parametrize(
    "text",
    [
        *("zone == 'x'", "none == 'x'", "none == ''", "zone != 'eu-1'", "zone in {}", "none in {'x'}", "!all()"),
        *("has(none)", "none contains ''", "none starts with ''", "none ends with ''", "zone not in {'eu-1'}"),
        *("has(rr) && none == 'x'", "(has(zone) || has(rr)) && none == 'x'", "! zone == 'eu-1'", "Zone == 'eu-1'"),
    ],
)
def test_these_do_not_match(text):
    assert not parse(text).matches(LABELS)


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("zone", 4, "an operator such as =="),
        ("zone = 'x'", 5, '"==" is expected'),
        ("zone == x", 8, 'not "x"'),
        ("zone == 'x", 8, "no closing quote"),
        ("zone == 'x' & has(a)", 12, '"&&" is expected'),
        ("zone == 'x' | has(a)", 12, '"||" is expected'),
        ("zone == 'x' has(a)", 12, '"&&" or "||" is expected'),
        ("zone == 'x'\n", 11, "a line break"),
        ("zone is 'x'", 5, "after a label one of"),
        ("zone starts foo 'x'", 5, "after a label one of"),
        ("zone inx {'a'}", 5, "after a label one of"),
        ("zone in 'x'", 8, "a set such as"),
        ("zone in {'x' 'y'}", 13, 'a string or "}"'),
        ("zone in {,}", 9, 'a string or "}"'),
        ("'x' == zone", 0, "a label, has()"),
        ("has()", 4, "a label is expected"),
        ("has(zone", 0, 'no closing ")"'),
        ("has (zone)", 4, "an operator such as =="),
        ("all(x)", 0, 'no closing ")"'),
        ("(has(a)", 0, "not closed"),
        ("has(a))", 6, "closes nothing"),
        ("()", 1, "a label, has()"),
        ("!", 1, "a label, has()"),
        ("has(a) &&", 9, "not the end"),
        ("has(ä)", 4, "not '\\xe4'"),
        ("a" * 513 + " == 'x'", 0, "at most 512"),
    ],
)
def test_what_is_none_is_refused_in_one_sentence_with_its_place(text, position, part):
    with pytest.raises(SelectorError) as caught:
        parse(text)
    told = str(caught.value)
    assert caught.value.position == position
    assert told.startswith(f"At character {position + 1}: ")
    assert part in told
    assert told.endswith(".")
    assert "\n" not in told


def test_a_label_may_have_512_characters():
    assert parse("a" * 512 + " == 'x'").matches({"a" * 512: "x"})


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (" ", "all()"),
        ("( all( ) )", "all()"),
        ("!!has( a)", "has(a)"),
        ("!(has(a)&&has(b)||has(c))", "!((has(a) && has(b)) || has(c))"),
        ("a in {'z','x','z'}", 'a in {"x", "z"}'),
        ("a notin {}", "a not in {}"),
        ("a startswith '\"'", "a starts with '\"'"),
        ("has(a) && (has(b) && has(c))", "(has(a) && (has(b) && has(c)))"),
    ],
)
def test_the_canonical_form_is_calicos(text, canonical):
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "(" * 50_000 + "all()" + ")" * 50_000,
        "!(" * 50_000 + "all()" + ")" * 50_000,
        "!" * 100_000 + "all()",
        " && ".join(["has(a)"] * 20_000),
        "a in {" + "'x'," * 30_000 + "}",
    ],
    ids=["parentheses", "negated", "not", "and", "set"],
)
def test_neither_depth_nor_length_matters(text):
    begun = time.process_time()
    selector = parse(text)
    assert parse(str(selector)).matches({"a": "x"}) is selector.matches({"a": "x"})
    assert time.process_time() - begun < 20


# --- the grammar against an evaluator of its own ---

NAMES = st.sampled_from(["a", "b.c/d", "e_f-G", "in", "not", "has", "contains", "all", "starts"])
VALUES = st.text(alphabet="ab'\" \tü{},!&|()=", max_size=4).filter(lambda value: not ("'" in value and '"' in value))
LEAVES = st.one_of(
    st.just(("all",)),
    st.just(("global",)),
    st.tuples(st.just("has"), NAMES),
    st.tuples(st.sampled_from(["==", "!=", "contains", "starts with", "ends with"]), NAMES, VALUES),
    st.tuples(st.sampled_from(["in", "not in"]), NAMES, st.lists(VALUES, max_size=3)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=12,
)


def holds(tree, labels):
    kind = tree[0]
    if kind in ("all", "global"):
        return True
    if kind == "not":
        return not holds(tree[1], labels)
    if kind == "and":
        return all(holds(one, labels) for one in tree[1])
    if kind == "or":
        return any(holds(one, labels) for one in tree[1])
    return about(kind, labels.get(tree[1]), *tree[2:])


def about(kind, value, wanted=None):
    if value is None:
        return kind in ("!=", "not in")
    return {
        "has": lambda: True,
        "==": lambda: value == wanted,
        "!=": lambda: value != wanted,
        "in": lambda: value in wanted,
        "not in": lambda: value not in wanted,
        "contains": lambda: value.find(wanted) >= 0,
        "starts with": lambda: value[: len(wanted)] == wanted,
        "ends with": lambda: wanted == "" or value[-len(wanted) :] == wanted,
    }[kind]()


def written(tree, chance):
    """The tree as somebody may write it, with blanks where they may stand."""

    def blank(least=0):
        return chance.choice(["", " ", "\t ", "  "]) or " " * least

    def quoted(value):
        sign = '"' if "'" in value else "'" if '"' in value else chance.choice("'\"")
        return f"{sign}{value}{sign}"

    kind = tree[0]
    if kind in ("all", "global"):
        return f"{kind}({blank()})"
    if kind == "has":
        return f"has({blank()}{tree[1]}{blank()})"
    if kind == "not":
        inside = written(tree[1], chance)
        return (
            f"!{blank()}({inside})" if tree[1][0] in ("and", "or") or chance.random() < 0.3 else f"!{blank()}{inside}"
        )
    if kind in ("and", "or"):
        sign = "&&" if kind == "and" else "||"
        parts = [written(one, chance) for one in tree[1]]
        loose = {"or"} if kind == "or" else {"or", "and"}
        parts = [f"({part})" if one[0] in loose else part for one, part in zip(tree[1], parts, strict=True)]
        return f"{blank()}{sign}{blank()}".join(parts)
    word = kind.replace(" ", chance.choice(["", " ", " \t"]))
    if kind in ("in", "not in"):
        inside = f"{blank()},{blank()}".join(map(quoted, tree[2])) + (chance.choice(["", ","]) if tree[2] else "")
        return f"{tree[1]} {word}{blank()}{{{blank()}{inside}{blank()}}}"
    return f"{tree[1]}{blank(kind.isalpha() or ' ' in kind)}{word}{blank()}{quoted(tree[2])}"


@settings(max_examples=400, deadline=None)
@given(tree=TREES, labels=st.dictionaries(NAMES, VALUES, max_size=4), chance=st.randoms(use_true_random=False))
def test_what_the_grammar_makes_means_what_it_should(tree, labels, chance):
    text = written(tree, chance)
    selector = parse(text)
    assert selector.matches(labels) is holds(tree, labels), text
    assert parse(str(selector)).matches(labels) is holds(tree, labels)
    settled = parse(str(selector))  # "!(!has(a))" is written as "!!has(a)", which is read as "has(a)"
    assert str(parse(str(settled))) == str(settled)


@settings(max_examples=300, deadline=None)
@given(text=st.text(alphabet="ab'\"!=&|(){}, \n\tinhasl", max_size=30))
def test_every_text_is_a_selector_or_an_error(text):
    position, selector = 0, None
    try:
        selector = parse(text)
    except SelectorError as error:
        position = error.position
    assert 0 <= position <= len(text)
    assert selector is None or parse(str(selector)).matches(LABELS) is selector.matches(LABELS)
