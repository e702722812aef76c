# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of a node's files look at, as variables for the script: places and words stand in one place only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...module_utils._address.signs import HOLDERS
from ...module_utils._bird import log
from ...module_utils._facts import addresses, control_plane, host, host_logs, speakers, typha_names
from ...module_utils._firewall import boot_scripts, persistence, ufw
from ...module_utils._host import (
    calico_log_words,
    certificates,
    cni,
    cni_folders,
    distributions,
    identity,
    kernel_features,
    kubelet,
    network_managers,
    other_plugins,
    overlay,
    tunnels,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_CALICO = ("calico-node", "calico-felix", "calico-typha", "calico", "confd", "bird", "bird6")
_RUNIT = ("runsvdir", "runsv", "svlogd")
_CLOCKS = ("chronyd", "ntpd", "systemd-timesyncd")
_COMM_LENGTH = 15
# Beside those that say something by themselves, flags of kubelet's that name files.
_FILE_FLAGS = ("kubeconfig", distributions.FILE_FLAG.strip("-="))
# Variables of Calico's processes, as a pattern of sed's.
_CALICO_VARIABLES = (
    "CALICO_NETWORKING_BACKEND",
    "IP6*",
    "IP6*_AUTODETECTION_METHOD",
    "FELIX_[A-Z]*MTUV*6*",
    "FELIX_MTUIFACEPATTERN",
    "[A-Z0-9_]*TYPHA[A-Z0-9_]*_SERVICE_HOST",
)
# What Felix and the others write at these levels counts whatever it is about.
_ALWAYS = (*calico_log_words.LEVELS[1:], calico_log_words.VERIFIED)


def settings() -> dict[str, str]:
    """Return the variables by name; those that are lists have spaces between their words, those of lines newlines."""
    parts = sorted({*kernel_features.NEEDS, *(name for others, _options in _needs() for name in others)})
    return {
        "names": _spaced(dict.fromkeys(name[:_COMM_LENGTH] for name in _processes())),
        "kubelets": _spaced(name[:_COMM_LENGTH] for name in kubelet.KUBELETS),
        "runtimes": _spaced(name[:_COMM_LENGTH] for name in kubelet.RUNTIMES),
        "kubelet_flags": r"\|".join((*kubelet.FLAGS.values(), *_FILE_FLAGS)),
        "told_flags": "|".join(kubelet.FLAGS.values()),
        "runtime_sockets": _spaced(kubelet.SOCKETS),
        "outside": _spaced(addresses.OUTSIDE.values()),
        "kernel_parts": "|".join(parts),
        "kernel_files": f"/({'|'.join(parts).replace('_', '[-_]')})[.]ko",
        "kernel_options": "|".join(sorted({option for _others, options in _needs() for option in options})),
        "cni_folders": _spaced(cni.FOLDERS),
        "cni_kubeconfig": cni.KUBECONFIG,
        "certificate_files": _spaced(certificates.FILES),
        "certificate_folders": _spaced(certificates.FOLDERS),
        "certificate_variables": r"\|".join(certificates.VARIABLES),
        "calico_variables": r"\|".join(dict.fromkeys((*_CALICO_VARIABLES, *_variables()))),
        "kubeconfigs": _spaced(certificates.KUBECONFIGS),
        "manager_file": network_managers.NM_FILE,
        "manager_folders": _spaced(network_managers.NM_FOLDERS),
        "manager_states": network_managers.NM_STATES,
        "networkd_folders": _spaced(network_managers.NETWORKD_FOLDERS),
        "networkd_states": network_managers.NETWORKD_STATES,
        "calico_pods": _spaced(host_logs.CALICO_PODS),
        "log_services": _spaced(host_logs.SERVICES),
        "log_levels": "\n".join((*calico_log_words.LEVELS, *calico_log_words.TOLD_CALMLY, calico_log_words.VERIFIED)),
        "log_words": "\n".join(dict.fromkeys((*_ALWAYS, *(words for _kind, words in calico_log_words.CALICO_LINES)))),
        "bird_words": "\n".join((log.CHANGED, *log.MARKERS)),
        "kubelet_units": _spaced(f"-u {unit}" for unit in distributions.UNITS),
        "kubelet_logs": _spaced(host_logs.KUBELET_LOGS),
        "kubelet_words": "\n".join(dict.fromkeys(words for _kind, words in calico_log_words.KUBELET_LINES)),
        "typha_pods": _spaced(host_logs.TYPHA_PODS),
        "cni_log": host_logs.CNI_LOG,
        **_boot(),
        **_control_plane(),
        **_distributions(),
    }


def _control_plane() -> dict[str, str]:
    return {
        "typha_port": str(control_plane.TYPHA_PORT),
        "api_port": str(control_plane.API_PORT),
        "health_ports": _spaced(map(str, control_plane.HEALTH_PORTS)),
        "server_kubeconfigs": _spaced(control_plane.KUBECONFIGS),
        "vxlan_devices": _spaced(overlay.VXLAN),
        "wireguard_devices": _spaced(overlay.WIREGUARD),
        "tunnel_devices": _spaced(tunnels.NAMES),
    }


def _distributions() -> dict[str, str]:
    return {
        "k3s_variables": r"\|".join(distributions.VARIABLES),
        "k3s_folder": distributions.K3S,
        "microk8s_file": distributions.MICROK8S,
        "runtime_configurations": _spaced(cni_folders.CONFIGURATIONS),
        "runtime_settings": "|".join(cni_folders.SETTINGS),
    }


def _variables() -> tuple[str, ...]:
    ours = (*control_plane.VARIABLES, *control_plane.TYPHA_HEALTH_SET, *typha_names.CLIENT, *typha_names.SERVER)
    return (*ours, *identity.NAMES, *certificates.VARIABLES, *tunnels.SETTINGS)


def _boot() -> dict[str, str]:
    pairs = [f"{service}:{path}" for service, files in persistence.IPTABLES.items() for _family, path in files]
    return {
        "boot_units": persistence.UNITS,
        "boot_services": _spaced(persistence.SERVICES),
        "boot_sysv": _spaced(persistence.SYSV),
        "boot_openrc": _spaced(persistence.OPENRC),
        "boot_iptables": _spaced(pairs),
        "boot_nft": _spaced(persistence.NFT),
        "boot_scripts": _spaced(boot_scripts.SCRIPTS),
        "boot_script_folders": _spaced(boot_scripts.FOLDERS),
        "boot_other_services": _spaced(boot_scripts.SERVICES),
        "filter_programs": boot_scripts.PROGRAMS.replace("(?:", "("),
        "unit_folders": _spaced(boot_scripts.UNIT_FOLDERS),
        "ufw_file": ufw.CONFIGURATION,
        "firewalld_file": persistence.FIREWALLD,
    }


def _processes() -> tuple[str, ...]:
    daemons = [name for _links, programs, _files in other_plugins.PLUGINS.values() for name in programs]
    ours = (*_CALICO, *_RUNIT, *_CLOCKS, *kubelet.KUBELETS, *kubelet.RUNTIMES)
    return (*ours, *host.NETWORK_MANAGERS, *HOLDERS, *daemons, *speakers.NAMES, "kube-proxy")


def _needs() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return list(kernel_features.NEEDS.values())


def _spaced(words: Iterable[str]) -> str:
    return " ".join(words)
