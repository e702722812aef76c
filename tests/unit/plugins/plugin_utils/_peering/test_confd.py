# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected sessions against what Calico's own confd rendered in Calico's own tests.

Runs only where a copy of confd/tests of github.com/projectcalico/calico is at hand, which this project does not carry:

    NETMEDIC_CONFD_TESTS=/path/to/calico/confd/tests NETMEDIC_CONFD_VERSION=v3.28.5 pytest …/test_confd.py
"""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.netmedic.calico.plugins.plugin_utils._cluster import objects
from ansible_collections.netmedic.calico.plugins.plugin_utils._peering.expected import expected

FOLDER = Path(os.environ.get("NETMEDIC_CONFD_TESTS", "/nonexistent"))
VERSION = os.environ.get("NETMEDIC_CONFD_VERSION", "")
INPUTS, RENDERED = FOLDER / "mock_data" / "calicoctl", FOLDER / "compiled_templates"
PLURALS = {
    "Node": "caliconodes",
    "BGPPeer": "bgppeers",
    "BGPConfiguration": "bgpconfigurations",
    "IPPool": "ippools",
    "BGPFilter": "bgpfilters",
}
STANZA = re.compile(r"^protocol bgp (\S+) from bgp_template \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
TEMPLATE = re.compile(r"^template bgp bgp_template \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"(\d+)s")
# Where the rendered folder has another name than the input, the node's name, and what the tests change by hand:
# (input, rendered, node, keys of secrets, fields of the BGPPeer).
BY_HAND: list[tuple[str, str, str, dict[str, list[str]], dict[str, Any]]] = [
    ("mesh_password", "mesh/password/step1", "kube-master", {}, {}),
    ("mesh_password", "mesh/password/step2", "kube-master", {"my-secrets-1": ["a"]}, {}),
    ("mesh_password", "mesh/password/step1", "kube-master", {"my-secrets-1": ["b"]}, {}),
    ("password", "password/step1", "node1", {}, {}),
    ("password", "password/step2", "node1", {"my-secrets-1": ["b"]}, {}),
    ("password", "password/step3", "node1", {"my-secrets-1": ["a", "b"], "my-secrets-2": ["c"]}, {}),
    ("password", "password/step4", "node1", {"my-secrets-1": ["a", "b"]}, {}),
    ("password", "password/step5", "node1", {"my-secrets-1": ["a", "b"]}, {}),
    ("password", "password/step6", "node1", {"my-secrets-1": ["b"]}, {}),
    ("sourceaddr_gracefulrestart", "sourceaddr_gracefulrestart/step1", "node1", {}, {}),
    ("sourceaddr_gracefulrestart", "sourceaddr_gracefulrestart/step2", "node1", {}, {"sourceAddress": "None"}),
    (
        *("sourceaddr_gracefulrestart", "sourceaddr_gracefulrestart/step3", "node1", {}),
        {"sourceAddress": "None", "maxRestartTime": "10s"},
    ),
]


def cases() -> list[tuple[str, str, str, dict[str, list[str]], dict[str, Any]]]:
    found = []
    for path in sorted(INPUTS.rglob("input.yaml")):
        name = path.parent.relative_to(INPUTS).as_posix()
        if (RENDERED / name / "bird.cfg").is_file():
            found.append((name, name, "kube-master", {}, {}))
    return [*found, *(one for one in BY_HAND if (RENDERED / one[1]).is_dir() and (INPUTS / one[0]).is_dir())]


CASES = cases()
pytestmark = pytest.mark.skipif(not CASES, reason="NETMEDIC_CONFD_TESTS names no copy of Calico's confd/tests")


def documents(path: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one] if path.is_file() else []


def cluster(name: str, keys: dict[str, list[str]], change: dict[str, Any]) -> Any:
    """The objects of an input; those of a folder stepN replace those of the folder above."""
    path = INPUTS / name
    places = [path.parent, path] if path.name.startswith("step") else [path]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for document in (one for place in places for one in documents(place / "input.yaml")):
        for one in document.get("items", [document]):
            found[one["kind"], one["metadata"]["name"]] = copy.deepcopy(one)
    listed: dict[str, list[Any]] = {}
    for (kind, _name), one in found.items():
        if kind == "BGPPeer":
            one.setdefault("spec", {}).update(change)
        listed.setdefault(PLURALS.get(kind, kind), []).append(one)
    secrets = [
        {"namespace": "kube-system", "name": one, "exists": one in keys, "keys": keys.get(one, []), "readable": True}
        for one in ("my-secrets-1", "my-secrets-2")
    ]
    return objects.read({"reached": True, "objects": listed, "secrets": secrets})


def rendered(path: Path) -> dict[str, dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    template = TEMPLATE.search(text)
    common = template.group(1) if template else ""
    return {name: one_rendered(body, common) for name, body in STANZA.findall(text)}


def one_rendered(body: str, common: str) -> dict[str, Any]:
    def word(pattern: str) -> str:
        found = re.search(pattern, body) or re.search(pattern, common)
        return found.group(1) if found else ""

    return {
        "peer": word(r"neighbor (\S+)"),
        "port": int(word(r"neighbor \S+ port (\d+)") or 179),
        "peer_as": int(word(r"neighbor [^;]*as (\d+)")),
        "local_as": int(word(r"(?m)^\s*local as (\d+)")),
        "source": word(r"source address ([^;]+)"),
        "passive": "passive on" in body,
        "cluster_id": word(r"rr cluster id ([^;]+)") if "rr client" in body else "",
        "password": bool(word(r"(password) ")),
        "ttl_security": int(word(r"ttl security on;\s*multihop (\d+)") or 0),
        "multihop": bool(word(r"(multihop)")),
        "restart": word(r"graceful restart time (\d+)"),
        "keepalive": word(r"keepalive time (\d+)"),
    }


def planned(stanza: Any) -> dict[str, Any]:
    def seconds(text: str) -> str:
        found = SECONDS.match(text)
        return found.group(1) if found else ""

    return {
        "peer": stanza.peer,
        "port": stanza.port,
        "peer_as": stanza.peer_as,
        "local_as": stanza.local_as,
        "source": stanza.source,
        "passive": stanza.passive,
        "cluster_id": stanza.cluster_id if stanza.rr_client else "",
        "password": stanza.password is not None and stanza.password.readable is True,
        "ttl_security": stanza.ttl_security,
        "multihop": stanza.multihop,
        "restart": seconds(stanza.restart_time),
        "keepalive": seconds(stanza.keepalive),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]}-{'+'.join(case[3])}")
@pytest.mark.parametrize(("family", "file"), [("ipv4", "bird.cfg"), ("ipv6", "bird6.cfg")])
def test_the_plan_is_what_confd_renders(case, family, file):
    name, folder, node, keys, change = case
    found = expected(cluster(name, keys, change), VERSION)
    plan = {one.name: planned(one) for one in found.stanzas(node, family)}
    wanted = {key: one for key, one in rendered(RENDERED / folder / file).items() if not key.startswith("Local_")}
    assert plan == wanted
