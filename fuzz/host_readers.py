# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the readers of a host's small files, and of what small servers on it answer, are called."""

from __future__ import annotations

from typing import Any

from fuzz.readers import NOW, _plain


def kernel_routes(data: bytes) -> Any:
    """Read which routes BIRD gives to the kernel."""
    from ansible_collections.netmedic.calico.plugins.module_utils._bird import exports

    return exports.parse_protocols(_plain(data)), exports.parse_routes(_plain(data))


def openntpd(data: bytes) -> Any:
    """Read what ntpctl says."""
    from ansible_collections.netmedic.calico.plugins.module_utils._clock import openntpd as parser

    return parser.parse(_plain(data))


def server_address(data: bytes) -> Any:
    """Read the API server's address in a kubeconfig, and the text itself as such an address."""
    from ansible_collections.netmedic.calico.plugins.module_utils._facts import control_plane

    text = _plain(data)
    told = control_plane.Told({"KUBERNETES_SERVICE_PORT": text[:16]})
    for url in (control_plane.server_of(text), text):
        told.add("kubelet", url)
        told.add("calico", url)
    ends = [control_plane.endpoint(control_plane.server_of(text)), control_plane.endpoint(text)]
    return told.api, ends, [control_plane.resolved(one, "/dev/null") for one in ends if one]


def boot_script(data: bytes) -> Any:
    """Look for programs for filters in a script."""
    from ansible_collections.netmedic.calico.plugins.module_utils._firewall import boot_scripts

    text = _plain(data)
    return boot_scripts.calls(text), boot_scripts._is_script_with_calls(text)


def runtime_folder(data: bytes) -> Any:
    """Read which folder a runtime takes CNI configurations from."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import cni_folders

    return cni_folders.parse(_plain(data))


def distribution(data: bytes) -> Any:
    """Read a configuration of k3s or RKE2."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import distributions

    return distributions.parse_config(_plain(data))


def health(data: bytes) -> Any:
    """Read what Felix or Typha answers of its health."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import health as parser

    return parser.parse(_plain(data))


def strain(data: bytes) -> Any:
    """Read the small files of control groups."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import strain as parser

    text = _plain(data)
    numbers = parser._processors(text), parser._decimal(text)
    return numbers, parser._groups(text), parser._values(text), parser._losses(text)


def certificate_names(data: bytes) -> Any:
    """Read whom certificates name, those of a PEM file and the input itself as one."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import x509_names

    return [x509_names.parse_names(der) for der in (data, *x509_names.blocks(_plain(data)))]


def first_moment(data: bytes) -> Any:
    """Read when a log begins, and a kernel's release."""
    from ansible_collections.netmedic.calico.plugins.module_utils._host import bpf_programs, calico_log

    return calico_log.time_of(_plain(data), NOW), bpf_programs._version(_plain(data))
