# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import pathlib

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._bird.discovery import Installation
from ansible_collections.netmedic.calico.plugins.module_utils._host import identity


class FakeProcess:
    def __init__(self, comm, argv=(), container="", age=10.0, variables=None):
        self.pid, self.comm, self.argv, self.container, self.started_seconds_ago = 7, comm, argv, container, age
        self._variables = variables or {}

    def environ(self, wanted):
        return {name: value for name, value in self._variables.items() if name in wanted}


def write(root, path, text):
    target = root / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)


def test_the_nodename_file_counts_more_than_the_hostname(tmp_path):
    write(tmp_path, "/var/lib/calico/nodename", "worker-7\n")

    found = identity.host(str(tmp_path))

    assert (found["nodename"], found["nodename_source"]) == ("worker-7", "file")
    assert found["hostname"] == os.uname().nodename


def test_without_the_file_the_hostname_is_the_nodename_in_lower_case(tmp_path):
    found = identity.host(str(tmp_path))

    assert (found["nodename"], found["nodename_source"]) == (os.uname().nodename.lower(), "hostname")
    assert "os" not in found


def test_what_proc_does_not_tell_is_left_out(tmp_path):
    found = identity.host(str(tmp_path), str(tmp_path))

    assert "boot_id" not in found
    assert "uptime_seconds" not in found


@pytest.mark.parametrize(
    ("text", "system"),
    [
        ('NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n', "debian 12"),
        ("ID=arch\n", "arch"),
        ("VERSION_ID='9.4'\nID='rhel'", "rhel 9.4"),
        ("no such thing\n=\n\0\n", ""),
        ("", ""),
    ],
)
def test_os_release(text, system):
    assert identity.parse_os_release(text) == system


def test_calico_is_as_old_as_its_supervisor():
    felix = FakeProcess("calico-node", ("calico-node", "-felix"), age=5.0)
    supervisor = FakeProcess("runsvdir", ("runsvdir", "-P", "/etc/service/enabled"), age=3600.7)

    found = identity.calico(Installation([felix, supervisor], "bird", "told by 7"))

    assert found == {
        "backend": "bird",
        "backend_source": "told by 7",
        "felix_running": True,
        "confd_running": False,
        "calico_node_started_seconds_ago": 3600,
        "felix_started_seconds_ago": 5,
    }


def test_nothing_of_calico():
    assert identity.calico(Installation([], "unknown", "")) == {
        "backend": "unknown",
        "felix_running": False,
        "confd_running": False,
    }


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("quay.io/calico/node:v3.32.1", "v3.32.1"),
        ("registry.example:5000/calico/node:v3.28.1@sha256:" + "0" * 64, "v3.28.1"),
        ("rancher/hardened-calico:v3.27.0-build20240206", "v3.27.0-build20240206"),
        ("registry.example:5000/calico/node@sha256:" + "0" * 64, None),
        ("calico/node:latest", None),
    ],
)
def test_the_version_is_the_tag_of_the_containers_image(tmp_path, image, version):
    """The annotation is part of the containerd CRI plugin's interface; the file is an OCI runtime configuration."""
    container = "ab" * 32
    path = f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{container}/config.json"
    write(tmp_path, path, json.dumps({"annotations": {"io.kubernetes.cri.image-name": image}}))

    found = identity.calico(Installation([FakeProcess("bird", container=container)], "bird", ""), str(tmp_path))

    assert found.get("version") == version


def named(root, **variables):
    told = dict(variables, PATH="/bin") if variables else {}
    return identity.names(Installation([FakeProcess("calico-node", variables=told)], "bird", ""), str(root))


def test_what_calico_node_was_told_counts_more_than_its_file(tmp_path):
    write(tmp_path, "/var/lib/calico/nodename", "image-1\n")

    assert named(tmp_path, NODENAME=" worker-1 ", CALICO_K8S_NODE_REF="worker-1") == {
        "nodename": "worker-1",
        "nodename_source": "environment",
        "nodename_file": "image-1",
    }
    assert named(tmp_path, CALICO_K8S_NODE_REF="other") == {"node_ref": "other"}
    assert named(tmp_path, HOSTNAME="Other") == {}
    assert named(tmp_path / "none", HOSTNAME="Other") == {"nodename": "other", "nodename_source": "environment"}
    assert named(tmp_path) == {}


def test_kubelets_name_is_that_of_its_certificate(tmp_path):
    recorded = pathlib.Path(__file__).parent / "recorded" / "certificates" / "kubelet.pem"
    write(tmp_path, "/var/lib/rancher/k3s/agent/client-kubelet.crt", recorded.read_text())

    assert named(tmp_path) == {"kubelet_nodename": "Node-1"}
    write(tmp_path, "/var/lib/kubelet/pki/kubelet-client-current.pem", "-----BEGIN CERTIFICATE-----\nAAAA")
    assert named(tmp_path) == {}


def test_services_started_again_are_younger_than_their_supervisor():
    def ages(*processes):
        return identity.service_ages(Installation(list(processes), "bird", ""))

    supervisor = FakeProcess("runsvdir", age=3600.0)
    felix, confd = FakeProcess("calico-felix", age=3590.0), FakeProcess("confd", age=4.0)
    assert ages(supervisor, felix, confd) == {"confd_started_seconds_ago": 4}
    assert ages(felix, confd) == {"confd_started_seconds_ago": 4}
    assert ages(felix) == {}
    assert ages(supervisor) == {}


def test_the_hardware_is_what_the_firmware_says(tmp_path):
    write(tmp_path, "/sys/class/dmi/id/sys_vendor", "Amazon EC2\n")
    write(tmp_path, "/sys/class/dmi/id/product_name", "m5.large\n")

    assert identity.host(str(tmp_path))["hardware"] == "Amazon EC2 m5.large"
