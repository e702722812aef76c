# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether confd can read the secrets that BGP passwords are kept in. Only references are known here, no values.

confd looks in the namespace of its variable NAMESPACE, and in kube-system where it has none (secret_watcher.go). The
operator sets it, the plain manifests do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .._cluster.model import Cluster, Container, Secret, SecretRef, Workload

_DEFAULT = "kube-system"


class Place(NamedTuple):
    """A namespace in which confd looks for secrets, and the service account (with its own namespace) that it has."""

    namespace: str
    account: str
    account_namespace: str


def namespace_of(cluster: Cluster) -> str:
    """Where calico-node looks for secrets."""
    return next((found for workload in cluster.node_agents if (found := _told(workload))), _DEFAULT)


def places(cluster: Cluster) -> list[Place]:
    """Where calico-node's DaemonSets look: two places while the operator takes the manifest's over."""
    found = [
        Place(_told(one) or _DEFAULT, one.service_account or "calico-node", one.namespace)
        for one in cluster.node_agents
        if not one.deleting
    ]
    return list(dict.fromkeys(found))


def _told(workload: Workload) -> str:
    container = workload.container("calico-node")
    return _variable(container, workload.namespace) if container else ""


def _variable(container: Container, own: str) -> str:
    told = container.env.get("NAMESPACE", "")
    return told or (own if container.env_from.get("NAMESPACE") == "field metadata.namespace" else "")


class Secrets:
    """The secrets that were asked about."""

    def __init__(self, cluster: Cluster) -> None:
        self.namespace = namespace_of(cluster)
        self._found = {(one.namespace, one.name): one for one in cluster.secrets}
        self._elsewhere: dict[str, list[str]] = {}
        for one in cluster.secrets:
            if one.exists and one.namespace != self.namespace:
                self._elsewhere.setdefault(one.name, []).append(one.namespace)

    def readable(self, reference: SecretRef) -> bool | None:
        """Whether calico-node can read this key; None: not known."""
        secret = self._found.get((self.namespace, reference.name))
        if secret is None or (secret.exists is None and secret.readable is not False):
            return None
        if not secret.exists or secret.readable is False or _lacks(secret, reference):
            return False
        return secret.readable

    def wrong(self, reference: SecretRef) -> tuple[str, str] | None:
        """The kind of problem and a sentence, if calico-node cannot read this key."""
        where = f"{self.namespace}/{reference.name}"
        secret = self._found.get((self.namespace, reference.name))
        if secret is None or (secret.exists is None and secret.readable is not False):
            return None
        if secret.exists is False:
            other = self._elsewhere.get(reference.name)
            if other:
                return (
                    "secret_elsewhere",
                    f"The secret {where} does not exist; there is one in {', '.join(sorted(other))}.",
                )
            return "secret_missing", f"The secret {where} does not exist."
        if _lacks(secret, reference):
            return "secret_key_missing", f'The secret {where} has no key "{reference.key}".'
        if secret.readable is False:
            why = f": {secret.why}" if secret.why else ""
            return "secret_unreadable", f"calico-node may not read the secret {where}{why}."
        return None


def _lacks(secret: Secret, reference: SecretRef) -> bool:
    """Its keys are known, and the one that is wanted is not among them."""
    return bool(secret.keys) and reference.key not in secret.keys
