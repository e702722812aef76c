# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.model import Wishes
from ansible_collections.netmedic.calico.plugins.plugin_utils._plan.wishes import wishes_of


def test_nothing_given_is_the_careful_way():
    assert wishes_of({}) == Wishes()


def test_a_list_may_come_as_text_from_the_command_line():
    assert wishes_of({"only": "clock_skew, ip_forward_off"}).only == ("clock_skew", "ip_forward_off")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"only": ["ip_forward_of"]}, "'ip_forward_of', which is no fault of the catalogue. Is ip_forward_off meant"),
        ({"consent": ["nonsense"]}, "remediate_consent names 'nonsense'"),
        ({"only": [1]}, "must be a list of faults"),
        ({"only": ["clock_skew"], "consent": ["ip_forward_off"]}, "which remediate_only leaves out"),
        ({"max_risk": "none"}, "must be one of low, medium, high, not 'none'"),
        ({"max_nodes": "all"}, "a number of hosts or a share such as 25%, not 'all'"),
        ({"max_age": 0}, "a number of seconds above 0, not 0"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(given, why):
    with pytest.raises(ValueError, match="remediate_") as told:
        wishes_of(given)
    assert why in str(told.value)
