# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence.chosen_tags import complaint


@pytest.mark.parametrize(
    ("chosen", "own"),
    [
        ([], ["always"]),
        (["all"], ["always"]),
        (["untagged"], ["always"]),
        (["bgp"], ["always", "bgp"]),
        (["tagged"], ["always", "bgp"]),
    ],
)
def test_tags_that_leave_the_playbook_whole(chosen, own):
    assert complaint(chosen, own) == ""


@pytest.mark.parametrize("chosen", [["bgp"], ["always"], ["tagged"], ["bgp", "mtu"]])
def test_tags_that_leave_nothing_of_it(chosen):
    assert complaint(chosen, ["always"]).startswith(f"--tags {','.join(chosen)} leaves out all")
