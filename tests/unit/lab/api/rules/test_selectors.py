# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors. The label cases are those of the grammar in k8s.io/apimachinery/pkg/labels."""

from __future__ import annotations

import pytest

from lab.api.kinds import KINDS
from lab.api.rules import selectors
from lab.api.rules.selectors import BadSelectorError

PODS = KINDS.find("pods")


def selects(text, **labels):
    return selectors.labels(text)(
        {"metadata": {"labels": {name.replace("_", "-"): item for name, item in labels.items()}}}
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "x=a", "x==a", " x = a ", "x!=b", "x in (a,b)", "x notin (b)", "x,y", "!z", "y>5", "y<8", "x=a,y=7",
        "x in (a),y notin (8),!z", "z!=1", "x in (a,,b)", "e=", "e in (,)", "e in ()",
    ],
)  # fmt: skip
def test_what_is_selected(text):
    assert selects(text, x="a", y="7", e="")


@pytest.mark.parametrize(
    "text", ["x=b", "x!=a", "x in (b)", "x notin (a)", "z", "!x", "y>7", "y<7", "x>1", "x=a,y=8", "z=1"]
)
def test_what_is_not_selected(text):
    assert not selects(text, x="a", y="7")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x=a=b", "found '=', expected: ',' or 'end of string'"),
        ("x=a b", "found 'b', expected: ',' or 'end of string'"),
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("x,,y", "found ',', expected: identifier after ','"),
        ("x in a", "unable to parse requirement: found 'a' expected: '('"),
        ("x in (a", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("x in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("x has a", "unable to parse requirement: found 'has', expected: in, notin, =, ==, !=, gt, lt"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("x>a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value "),
        ("x_=a", 'unable to parse requirement: <nil>: Invalid value: "x_": name part must consist of alphanumeric '),
        ("x=a_", 'unable to parse requirement: values[0][x]: Invalid value: "a_": a valid label must be an empty str'),
    ],
)  # fmt: skip
def test_what_is_no_label_selector(text, words):
    with pytest.raises(BadSelectorError) as refused:
        selectors.labels(text)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    assert refused.value.message.startswith(words)


POD = {
    "metadata": {"name": "a", "namespace": "b"},
    "spec": {"nodeName": "node-1"},
    "status": {"phase": "Running"},
}


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("", True),
        ("metadata.name=a", True),
        ("metadata.name==a,metadata.namespace!=c", True),
        ("spec.nodeName=node-1,status.phase!=Running", False),
        ("spec.nodeName!=", True),
        ("status.podIP=", True),
        ("spec.hostNetwork=false", True),
        ("metadata.name=b", False),
    ],
)
def test_fields(text, selected):
    assert selectors.fields(text, PODS)(POD) is selected


def test_escapes_in_field_selectors():
    assert selectors.fields(r"metadata.name=a\,b\=c\\")({"metadata": {"name": "a,b=c\\"}})
    for text in ("metadata.name=a=b", r"metadata.name=\x", "metadata.name", "metadata.name=\\"):
        with pytest.raises(BadSelectorError):
            selectors.fields(text)


def test_a_kind_is_selected_by_its_own_fields_only():
    with pytest.raises(BadSelectorError) as refused:
        selectors.fields("spec.nonsense=1", PODS)
    assert refused.value.message == "field label not supported: spec.nonsense"
    with pytest.raises(BadSelectorError) as refused:
        selectors.fields("spec.cidr=1", KINDS.find("ippools.crd.projectcalico.org"))
    assert refused.value.message == (
        '"spec.cidr" is not a known field selector: only "metadata.name", "metadata.namespace"'
    )


def test_events_are_selected_by_what_they_are_about():
    event = {"involvedObject": {"kind": "Pod", "name": "a"}, "source": {"component": "kubelet"}, "type": "Warning"}
    wanted = "involvedObject.kind=Pod,involvedObject.name=a,source=kubelet,type!=Normal"
    assert selectors.fields(wanted, KINDS.find("events"))(event)


def test_label_selector_objects():
    selector = {
        "matchLabels": {"a": "1"},
        "matchExpressions": [
            {"key": "b", "operator": "In", "values": ["1", "2"]},
            {"key": "c", "operator": "DoesNotExist"},
            {"key": "a", "operator": "Exists"},
            {"key": "d", "operator": "NotIn", "values": ["1"]},
        ],
    }
    selects_ = selectors.label_selector(selector)
    assert selects_({"a": "1", "b": "2"})
    assert not selects_({"a": "1", "b": "2", "c": ""})
    assert selectors.label_selector({})({})
    with pytest.raises(BadSelectorError):
        selectors.label_selector({"matchExpressions": [{"key": "a", "operator": "Gt"}]})
