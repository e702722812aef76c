# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds are found by every name that clients use."""

from __future__ import annotations

import pytest

from lab.api import kinds


@pytest.mark.parametrize("name", ["daemonsets", "daemonsets.apps", "ds", "daemonset"])
def test_names(name):
    assert kinds.KINDS.find(name).kind == "DaemonSet"


def test_kinds_by_what_objects_say():
    assert kinds.KINDS.by_kind("crd.projectcalico.org/v1", "IPPool") is kinds.KINDS.find(
        "ippools.crd.projectcalico.org"
    )
    assert kinds.KINDS.by_kind("apps/v2", "DaemonSet") is None
    with pytest.raises(KeyError):
        kinds.KINDS.find("nonsense")


def test_views_are_kept_elsewhere():
    aggregated = kinds.served("aggregated")
    view = aggregated.find("ipamconfigurations.projectcalico.org")
    assert aggregated.storage(view).resource == "ipamconfigs.crd.projectcalico.org"
    assert kinds.served("native").find("ippools").api_version == "projectcalico.org/v3"


@pytest.mark.parametrize("shape", ["crd", "aggregated", "native"])
def test_every_kind_is_found_by_its_own_names(shape):
    served = kinds.served(shape)
    for kind in served:
        assert served.find(kind.resource) is kind
        assert served.by_kind(kind.api_version, kind.kind) is kind
        assert kind.version in kind.served_versions
