# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.netmedic.calico.plugins.module_utils._bird import exports
from ansible_collections.netmedic.calico.plugins.module_utils._facts import kernel_routes
from ansible_collections.netmedic.calico.plugins.module_utils._host.route_table import BIRD, FELIX, Entry


def test_kernel_protocols_are_found_among_all(bird_recorded):
    text = (bird_recorded / "healthy" / "protocols.raw").read_text()

    assert exports.parse_protocols(text) == (["kernel1"], 2)
    assert exports.parse_protocols(text.replace(" up  ", " down")) == ([], 0)
    assert exports.parse_protocols("") == ([], 0)


def test_routes_are_read_with_what_the_kernel_refused():
    text = (
        "1007-10.244.1.0/26     blackhole [static1 01:31:34] * (200)\n"
        " 10.244.2.0/26      via 10.200.0.10 on eth0 [Mesh_10_200_0_10 01:31:36] ! (100/0) [i]\n"
        "                   via 10.200.0.11 on eth0 [Mesh_10_200_0_11 01:31:36] (100/0) [i]\n"
        "0000 \n"
    )

    assert exports.parse_routes(text) == ({"10.244.1.0/26", "10.244.2.0/26"}, {"10.244.2.0/26"})


@given(st.text(max_size=300))
def test_any_text_is_survived(text):
    exports.parse_routes(text)
    exports.parse_protocols("x Kernel y up\n" + text)


def test_only_what_lacks_is_asked_about(monkeypatch):
    def ask(_exports, _timeout):
        return answers.pop()

    there = [Entry("10.244.1.0/26", BIRD, 6), Entry("10.244.3.7", BIRD, 1), Entry("10.244.2.0/26", 3, 1)]
    monkeypatch.setattr(exports, "ask", ask)
    answers = []
    assert kernel_routes.missing(exports.Exports("", ["kernel1"], 2), there, 1.0) == {}

    routes = frozenset(("10.244.1.0/26", "10.244.2.0/26", "10.244.3.7/32", "0.0.0.0/0"))
    answers = [exports.Given(routes, frozenset(("10.244.2.0/26",)))]
    assert kernel_routes.missing(exports.Exports("", ["kernel1"], 4), there, 1.0) == {
        "exported": 4,
        "in_kernel": 2,
        "missing": {"": {"": "default"}, "26": {"10.244.2": "0"}},
        "refused": {"26": {"10.244.2": "0"}},
    }
    answers = [None]
    assert kernel_routes.missing(exports.Exports("", ["kernel1"], 4), there, 1.0) is None
    answers = [exports.Given(frozenset(("10.244.1.0/26",)), frozenset())]
    assert kernel_routes.missing(exports.Exports("", ["kernel1"], 4), there, 1.0) == {}


def test_routes_are_counted_that_felix_has_in_the_place_of_birds(monkeypatch):
    refused = frozenset(("10.244.2.0/26", "10.244.3.0/26"))
    monkeypatch.setattr(exports, "ask", lambda _exports, _timeout: exports.Given(refused, refused))
    kernel = [Entry("10.244.2.0/26", FELIX, 1), Entry("10.244.3.0/26", FELIX, 1, table=7), Entry("10.0.0.0/8", 3, 1)]

    found = kernel_routes.missing(exports.Exports("", ["kernel1"], 2), iter(kernel), 1.0)

    assert found["instead_felix"] == 1
    assert found["refused"] == {"26": {"10.244.2": "0", "10.244.3": "0"}}
