# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods whose images cannot be had."""

from __future__ import annotations

import pytest

from lab.controller import pods
from lab.controller.objects import condition, is_true

INIT, MAIN = "quay.io/calico/cni:v3.29.4", "quay.io/calico/node:v3.29.4"


def pod():
    spec = {"initContainers": [{"name": "install-cni", "image": INIT}], "containers": [{"name": "node", "image": MAIN}]}
    return {"metadata": {"name": "p", "namespace": "s", "uid": "u"}, "spec": spec, "status": {}}


def waiting(obj, kind):
    return obj["status"][kind][0]["state"].get("waiting", {}).get("reason")


def test_images_in_the_order_in_which_they_are_wanted():
    assert pods.images(pod()) == [INIT, MAIN]


@pytest.mark.parametrize(("first", "reason"), [(True, "ErrImagePull"), (False, "ImagePullBackOff")])
def test_an_init_container_waits_and_the_rest_waits_for_it(first, reason):
    obj = pod()
    pods.unpulled(obj, "10.0.0.1", INIT, first=first)
    assert waiting(obj, "initContainerStatuses") == reason
    assert waiting(obj, "containerStatuses") == "PodInitializing"
    assert obj["status"]["phase"] == "Pending"
    assert "install-cni" in condition(obj, "Initialized")["message"]
    assert not is_true(obj, "Ready")


def test_a_container_waits_after_its_init_containers():
    obj = pod()
    pods.unpulled(obj, "10.0.0.1", MAIN, first=True)
    assert waiting(obj, "containerStatuses") == "ErrImagePull"
    assert "terminated" in obj["status"]["initContainerStatuses"][0]["state"]
    assert is_true(obj, "Initialized")


def test_the_message_is_containerds():
    said = pods.not_pulled(MAIN)
    assert said.startswith(f'rpc error: code = Unavailable desc = failed to pull and unpack image "{MAIN}"')
    assert said.endswith(
        'Head "https://quay.io/v2/calico/node/manifests/v3.29.4": dial tcp: lookup quay.io: no such host'
    )
