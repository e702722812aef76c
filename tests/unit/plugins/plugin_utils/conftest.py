# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the controller's tests."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.kube import Kube
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.mesh import ADDRESSES, Mesh


@pytest.fixture
def mesh() -> Mesh:
    """A healthy mesh of four nodes, node-1 (10.0.0.9) dialling all others."""
    return Mesh()


@pytest.fixture
def kube() -> Kube:
    """What the API tells of the same four nodes: a healthy cluster with Calico by manifest."""
    return Kube(ADDRESSES)
