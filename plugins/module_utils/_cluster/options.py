# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the API is reached: options named as those of the collection kubernetes.core, with its variables as fallbacks."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

WAYS = ("auto", "client", "kubectl", "in-cluster")
_FROM_ENVIRONMENT = {
    "kubeconfig": "K8S_AUTH_KUBECONFIG",
    "context": "K8S_AUTH_CONTEXT",
    "host": "K8S_AUTH_HOST",
    "api_key": "K8S_AUTH_API_KEY",
    "ca_cert": "K8S_AUTH_SSL_CA_CERT",
    "validate_certs": "K8S_AUTH_VERIFY_SSL",
    "proxy": "K8S_AUTH_PROXY",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "proxy": {"type": "str"},
    "timeout": {"type": "float", "default": 30.0},
    "kubectl": {"type": "str", "default": "auto"},
    "via": {"type": "str", "default": "auto", "choices": list(WAYS)},
}
_OF_READING: dict[str, dict[str, Any]] = {
    "page_size": {"type": "int", "default": 500},
    "workloads": {"type": "bool", "default": True},
}


def spec(env_fallback: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """Return the argument spec of cluster_info."""
    return {**connection(env_fallback), **{name: dict(option) for name, option in _OF_READING.items()}}


def connection(env_fallback: Callable[..., Any]) -> dict[str, dict[str, Any]]:
    """Return the options of every module that asks the API."""
    found = {name: dict(option) for name, option in _OPTIONS.items()}
    for name, variable in _FROM_ENVIRONMENT.items():
        found[name]["fallback"] = (env_fallback, [variable])
    return found


def out_of_range(params: dict[str, Any]) -> str:
    """Return what is wrong with the options' values, '' if nothing is."""
    if not 0 < params["timeout"] <= 3600:
        return f"timeout must be greater than 0 and at most 3600, not {params['timeout']:g}."
    if not 1 <= params.get("page_size", 1) <= 10_000:
        return f"page_size must be from 1 to 10000, not {params['page_size']}."
    if params.get("host") and params.get("context"):
        return "context chooses from a kubeconfig; it cannot be given together with host."
    return ""
