# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._host import kube_proxy


class Process:
    comm, pid = "kube-proxy", 7

    def __init__(self, root, *argv):
        self.root, self.argv = root, argv

    def inside(self, path):
        return f"{self.root}{path}"


@pytest.mark.parametrize(
    ("argv", "is_on"),
    [
        (("kube-proxy", "--masquerade-all"), True),
        (("kube-proxy", "--masquerade-all=true", "--v=2"), True),
        (("kube-proxy", "--masquerade-all=false"), False),
        (("k3s", "agent", "--kube-proxy-arg=masquerade-all"), True),
        (("kube-proxy", "--cluster-cidr=10.244.0.0/16"), False),
    ],
)
def test_options(argv, is_on):
    assert bool(kube_proxy.look([Process("", *argv)])) is is_on


@pytest.mark.parametrize(("line", "is_on"), [("  masqueradeAll: true", True), ("  masqueradeAll: false", False)])
def test_its_configuration(tmp_path, line, is_on):
    (tmp_path / "config.conf").write_text(f"kind: KubeProxyConfiguration\niptables:\n{line}\n")
    found = kube_proxy.look([Process(str(tmp_path), "kube-proxy", "--config=/config.conf")])
    assert bool(found) is is_on
