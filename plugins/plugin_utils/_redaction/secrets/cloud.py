# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names somebody's account, project or machine at a provider."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..keyed import Keyed

_ARN = re.compile(r"\barn:(aws[\w-]*):([\w-]*):([\w-]*):(\d{12}|[\w-]*):([^\s\"',\]})]+)")
_ECR = re.compile(r"(?<!\d)\d{12}(?=\.dkr\.ecr\.)")
_ACCOUNT_NAMED = re.compile(
    r"(?i)((?:account|owner|project|tenant|subscription)[_ -]?(?:id|number)?\\?[\"']?\s*[:=]\s*\\?[\"']?)(\d{9,14})\b"
)
_AZURE = re.compile(
    r"(?i)(/?subscriptions/)([^/\s\"']+)((?:/resourcegroups/[^/\s\"']+)?(?:/providers/[\w.]+(?:/[\w.-]+)*)?)"
)
_AZURE_NAMES = re.compile(
    r"(?i)((?:resourcegroups|virtualmachines|virtualmachinescalesets|networkinterfaces|virtualnetworks|subnets|disks|"
    r"managedclusters|networksecuritygroups|routetables|loadbalancers|userassignedidentities)/)([\w.()-]+)"
)
_GCE = re.compile(r"(gce://)([^/\s\"']+)/([^/\s\"']+)/([^/\s\"']+)")
_GCP = re.compile(
    r"(projects/)([a-z0-9:.-]+)((?:/(?:global|zones/[\w-]+|regions/[\w-]+))?/?(?:(?:instances|networks|subnetworks|serviceAccounts|disks)/)?)([a-z0-9._@-]*)"
)
_PROVIDER = re.compile(
    r"((?:providerID|provider-id)\\?[\"']?:\s*\\?[\"']?(?!aws|gce|azure)[a-z][\w-]*://)([^\s\"',]+)"
    r"|((?<![\w])(?:ibm|openstack|vsphere|digitalocean|hcloud|linode|equinixmetal|packet|oci|baremetalhost|metal3|k3s|"
    r"rke2|kind)://)([^\s\"',]+)"
)


class Cloud:
    """Replaces such names, and keeps which provider it is."""

    def __init__(self, keyed: Keyed) -> None:
        self._keyed = keyed

    def replaced(self, text: str, folded: str) -> str:
        """Return the text with others. `folded`: it, or more than it, in small letters."""
        name = self._keyed.name
        if "arn:" in folded:
            text = _ARN.sub(
                lambda found: f"arn:{found[1]}:{found[2]}:{found[3]}:{self._digits(found[4])}:{name('name', found[5])}",
                text,
            )
        if ".dkr.ecr." in folded:
            text = _ECR.sub(lambda found: self._digits(found.group()), text)
        if "account" in folded or "owner" in folded or "project" in folded:
            text = _ACCOUNT_NAMED.sub(lambda found: found[1] + self._digits(found[2]), text)
        if "subscriptions/" in folded:
            text = _AZURE.sub(self._azure, text)
        if "gce://" in text:
            text = _GCE.sub(lambda found: f"{found[1]}{name('name', found[2])}/{found[3]}/{found[4]}", text)
        if "projects/" in folded:
            text = _GCP.sub(lambda found: f"{found[1]}{name('name', found[2])}{found[3]}{found[4]}", text)
        if "://" in text:
            text = _PROVIDER.sub(lambda found: f"{found[1] or found[3]}{self._path(found[2] or found[4])}", text)
        return text

    def _digits(self, text: str) -> str:
        return self._keyed.number(text) if text.isdigit() else text

    def _azure(self, found: re.Match[str]) -> str:
        hexadecimal = bool(re.match(r"[0-9a-fA-F-]{36}$", found[2]))
        who = self._keyed.hexadecimal(found[2]) if hexadecimal else self._keyed.name("name", found[2])
        return found[1] + who + _AZURE_NAMES.sub(lambda part: part[1] + self._keyed.name("name", part[2]), found[3])

    def _path(self, text: str) -> str:
        return "/".join(
            part
            and (
                self._keyed.hexadecimal(part)
                if re.match(r"[0-9a-f-]{32,36}$", part)
                else self._keyed.name("name", part)
            )
            for part in text.split("/")
        )
