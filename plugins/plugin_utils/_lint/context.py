# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All documents that are linted together, by kind, and what the operator told beside them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .._evidence import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .model import Document, Path

PROVIDERS = (
    *("aws", "azure", "gcp", "openstack", "ibm", "alibaba", "digitalocean", "hetzner", "oci"),
    "none",
)
CALICO_GROUPS = ("projectcalico.org", "crd.projectcalico.org", "")
NEVER, CROSS, ALWAYS = "Never", "CrossSubnet", "Always"
ENCAPSULATIONS = {
    "IPIP": (ALWAYS, NEVER),
    "IPIPCrossSubnet": (CROSS, NEVER),
    "VXLAN": (NEVER, ALWAYS),
    "VXLANCrossSubnet": (NEVER, CROSS),
    "None": (NEVER, NEVER),
}
_WORKLOADS = ("DaemonSet", "Deployment", "StatefulSet", "Pod")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Settings:
    """What is known besides the documents. provider: one of PROVIDERS, '' where it is not told ("none": a network of
    one's own that carries pods' addresses). service_cidrs, node_cidrs: prefixes. ignore: ids of rules."""

    provider: str = ""
    service_cidrs: tuple[str, ...] = ()
    node_cidrs: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Pool(NamedTuple):
    """A pool of an IPPool or of an Installation. path: where it stands; of_operator: in an Installation. disabled: also
    where another plugin than Calico gives pods their addresses."""

    document: Document
    path: Path
    cidr: str
    ipip: str
    vxlan: str
    block_size: int | None
    nat: bool
    disabled: bool
    uses: tuple[str, ...]
    export_disabled: bool
    of_operator: bool

    @property
    def network(self) -> Network | None:
        """Its range, host bits cut; None where it is none."""
        return network(self.cidr)

    @property
    def version(self) -> int:
        """4 or 6; 0 where its range is none."""
        found = self.network
        return found.version if found else 0

    @property
    def for_pods(self) -> bool:
        """Pods get addresses from it."""
        return not self.disabled and "LoadBalancer" not in self.uses

    @property
    def mode_path(self) -> Path:
        """Where its encapsulation stands, or ought to."""
        if self.of_operator:
            return (*self.path, "encapsulation")
        return (*self.path, "vxlanMode" if self.vxlan != NEVER else "ipipMode")

    @property
    def name(self) -> str:
        """How findings call it."""
        return f"The pool {self.cidr or 'without a range'}"


class Container(NamedTuple):
    """A container of a workload. path: where it stands."""

    document: Document
    path: Path
    raw: dict[str, object]

    @property
    def name(self) -> str:
        """Its name."""
        return plain.text(self.raw.get("name") or "")

    @property
    def image(self) -> str:
        """Its image as written."""
        return plain.text(self.raw.get("image") or "")

    def variable(self, name: str) -> tuple[str | None, Path]:
        """A variable's value and where it stands; None where it is not set, or not to a value."""
        for index, one in enumerate(plain.sequence(self.raw.get("env"))):
            told = plain.mapping(one)
            if told.get("name") == name:
                value = told.get("value")
                path = (*self.path, "env", index, "value")
                return (None if value is None else plain.text(value)), path
        return None, (*self.path, "env")

    def names(self, name: str) -> bool:
        """Whether a variable is set, to whatever."""
        return any(one.get("name") == name for one in plain.mappings(self.raw.get("env")))

    def key_of(self, name: str) -> tuple[str, str]:
        """The ConfigMap and the key that a variable is taken from; '' and ''."""
        for one in plain.mappings(self.raw.get("env")):
            if one.get("name") == name:
                source = plain.mapping(plain.mapping(one.get("valueFrom")).get("configMapKeyRef"))
                return plain.text(source.get("name") or ""), plain.text(source.get("key") or "")
        return "", ""


class Context:
    """The documents, ready to be asked."""

    def __init__(self, documents: Sequence[Document], settings: Settings) -> None:
        self.documents = tuple(documents)
        self.settings = settings

    def of(self, *kinds: str) -> Iterator[Document]:
        """Documents of these kinds, of whatever group."""
        return (one for one in self.documents if one.kind in kinds)

    def calico(self, *kinds: str) -> Iterator[Document]:
        """Calico's own objects of these kinds."""
        return (one for one in self.of(*kinds) if one.group in CALICO_GROUPS)

    @cached_property
    def installations(self) -> tuple[Document, ...]:
        """The operator's Installations."""
        return tuple(one for one in self.of("Installation") if one.group in ("operator.tigera.io", ""))

    @cached_property
    def pools(self) -> tuple[Pool, ...]:
        """Every pool."""
        found = [_of_ippool(one) for one in self.calico("IPPool")]
        for one in self.installations:
            listed = plain.sequence(network_of(one).get("ipPools"))
            found += [_of_installation(one, index, plain.mapping(pool)) for index, pool in enumerate(listed)]
        return tuple(found)

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Every container of every workload, those that only begin it as well."""
        found = []
        for one in self.of(*_WORKLOADS):
            spec, path = pod_of(one)
            for key in ("initContainers", "containers"):
                listed = plain.sequence(spec.get(key))
                found += [Container(one, (*path, key, n), plain.mapping(each)) for n, each in enumerate(listed)]
        return tuple(found)

    @cached_property
    def agents(self) -> tuple[Container, ...]:
        """The containers called calico-node of DaemonSets."""
        return tuple(
            one
            for one in self.containers
            if one.name == "calico-node" and one.document.kind == "DaemonSet" and "containers" in one.path
        )

    @cached_property
    def _configs(self) -> dict[tuple[str, str], dict[str, object]]:
        return {(one.namespace, one.name): plain.mapping(one.raw.get("data")) for one in self.of("ConfigMap")}

    def config(self, name: str, key: str, namespace: str) -> str | None:
        """A value of a ConfigMap that is given."""
        known = self._configs
        value = known.get((namespace, name), known.get(("", name), {})).get(key)
        return None if value is None else plain.text(value)

    @cached_property
    def kubernetes_provider(self) -> str:
        """What the first Installation that tells it says."""
        told = (plain.text(one.spec.get("kubernetesProvider") or "") for one in self.installations)
        return next((one for one in told if one), "")

    @cached_property
    def source_check_off(self) -> bool:
        """Felix has the instances' check of source and destination switched off."""
        return any(one.spec.get("awsSrcDstCheck") == "Disable" for one in self.calico("FelixConfiguration"))

    def variable(self, container: Container, name: str) -> str | None:
        """A variable's value, also where a ConfigMap that is given has it."""
        value, _path = container.variable(name)
        if value is None and all(container.key_of(name)):
            return self.config(*container.key_of(name), container.document.namespace)
        return value

    @cached_property
    def mesh(self) -> Document | None:
        """The BGPConfiguration that all nodes obey."""
        return next((one for one in self.calico("BGPConfiguration") if one.name == "default"), None)

    @cached_property
    def peers(self) -> tuple[Document, ...]:
        """Calico's BGPPeers."""
        return tuple(self.calico("BGPPeer"))


def network_of(installation: Document) -> dict[str, object]:
    """What an Installation says of the network."""
    return plain.mapping(installation.spec.get("calicoNetwork"))


def pod_of(workload: Document) -> tuple[dict[str, object], Path]:
    """The specification of a workload's pods, and where it stands."""
    if workload.kind == "Pod":
        return workload.spec, ("spec",)
    template = plain.mapping(workload.spec.get("template"))
    return plain.mapping(template.get("spec")), ("spec", "template", "spec")


def network(written: str) -> Network | None:
    """A prefix, host bits cut; None where it is none."""
    try:
        return ipaddress.ip_network(written.strip(), strict=False) if "/" in written else None
    except ValueError:
        return None


def _of_ippool(one: Document) -> Pool:
    spec = one.spec
    return Pool(
        one,
        ("spec",),
        plain.text(spec.get("cidr") or ""),
        plain.text(spec.get("ipipMode") or NEVER),
        plain.text(spec.get("vxlanMode") or NEVER),
        _whole(spec.get("blockSize")),
        spec.get("natOutgoing") is True,
        spec.get("disabled") is True,
        plain.texts(spec.get("allowedUses")),
        spec.get("disableBGPExport") is True,
        False,
    )


def _of_installation(one: Document, index: int, pool: dict[str, object]) -> Pool:
    told = plain.text(pool.get("encapsulation") or "")
    # What the operator takes for meant (its pool_controller.go): IPIP, and for IPv6 nothing.
    told = told or ("None" if ":" in plain.text(pool.get("cidr") or "") else "IPIP")
    ipip, vxlan = ENCAPSULATIONS.get(told, (NEVER, ALWAYS))
    return Pool(
        one,
        ("spec", "calicoNetwork", "ipPools", index),
        plain.text(pool.get("cidr") or ""),
        ipip,
        vxlan,
        _whole(pool.get("blockSize")),
        pool.get("natOutgoing") != "Disabled",
        not _is_calicos(one),
        plain.texts(pool.get("allowedUses")),
        pool.get("disableBGPExport") is True,
        True,
    )


def _is_calicos(installation: Document) -> bool:
    """Pods get their addresses from Calico: it is the CNI plugin, which by default it is but with the clouds' own."""
    told = plain.text(plain.mapping(installation.spec.get("cni")).get("type") or "")
    if told:
        return told == "Calico"
    return plain.text(installation.spec.get("kubernetesProvider") or "") not in ("AKS", "EKS", "GKE")


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value else None
