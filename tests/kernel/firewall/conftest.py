# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two hosts for all tests of a file, without rules at the end of each."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.kernel.firewall import loading, random_rules
from ansible_collections.netmedic.calico.tests.kernel.firewall import pair as network


@pytest.fixture(scope="module")
def hosts():
    lacking = network.missing()
    if lacking:
        pytest.skip(lacking)
    pair = network.Pair()
    for name, line in random_rules.create_sets().items():
        if pair.host.run("ipset", *line.split(), check=False).returncode:
            random_rules.forget_set(name)  # a type of set that this kernel has not
    yield pair
    pair.close()


@pytest.fixture
def clean_hosts(hosts):
    yield hosts
    loading.clear(hosts)
