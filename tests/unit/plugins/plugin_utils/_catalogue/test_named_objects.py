# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a log or a router names is named in the finding: the Secret, the object that refers to it, the limit."""

from __future__ import annotations

import pytest

from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils._catalogue.settings import put
from ansible_collections.netmedic.calico.tests.unit.plugins.plugin_utils.told import commands, log, summary, told

ROUTER = "10.0.0.254"
FORBIDDEN = (
    'Can\'t read password for BGPPeer rack-1 error=secrets "bgp-pw" is forbidden: User '
    '"system:serviceaccount:calico-system:calico-node" cannot get resource "secrets" in API group "" in the namespace '
    '"calico-system"'
)
MESH = "Can't read password referenced by BGP Configuration default in secret kube-system:mesh-pw, key password"


@pytest.mark.parametrize(
    ("text", "what", "field", "secret"),
    [
        (FORBIDDEN, "BGPPeer/rack-1", "spec.password.secretKeyRef", "calico-system/bgp-pw"),
        (MESH, "BGPConfiguration/default", "spec.nodeMeshPassword", "kube-system/mesh-pw"),
    ],
)
def test_the_log_alone_names_the_secret_and_who_refers_to_it(mesh, text, what, field, secret):
    log(mesh, "node-2", "confd", "password_secret", text)
    where = told(mesh)["bgp_password_secret_unreadable"].subject.where
    assert (where["object"], where["field"], where["secret"]) == (what, field, secret)
    assert f"cannot read the Secret {secret} with the BGP password of {what.replace('/', ' ')}." in summary(
        mesh, None, "bgp_password_secret_unreadable"
    )
    namespace, name = secret.split("/")
    assert f"-n {namespace} --verb=get,list,watch --resource=secrets --resource-name={name}" in commands(
        mesh, None, "bgp_password_secret_unreadable"
    )


@pytest.mark.parametrize(
    ("text", "what", "secret"),
    [
        ('Can\'t read password for BGPPeer rack-1 error=secrets "bgp" not found', "BGPPeer/rack-1", "NAMESPACE/bgp"),
        ("Can't read password for BGPPeer rack-1", "BGPPeer/rack-1", None),
        ('User "u" cannot list resource "secrets" in API group ""', "Secret", None),
    ],
)
def test_a_line_may_name_less(mesh, text, what, secret):
    log(mesh, "node-2", "confd", "password_secret", text)
    where = told(mesh)["bgp_password_secret_unreadable"].subject.where
    assert (where["object"], where.get("secret")) == (what, secret)


@pytest.mark.parametrize(
    ("spec", "nodes"),
    [
        ({"node": "node-2", "peerSelector": "rr == 'r1'"}, ("node-2",)),
        ({"nodeSelector": "rr == 'r1'", "peerIP": "10.0.0.11", "asNumber": 64512}, ("node-3",)),
        ({"nodeSelector": "rr == 'r1'", "peerSelector": "kubernetes.io/hostname == 'node-4'"}, ("node-4",)),
        ({"nodeSelector": "rr = ", "peerSelector": "kubernetes.io/hostname == 'node-4'"}, ("node-4",)),
        ({"nodeSelector": "rr == 'r1'", "peerIP": ROUTER, "asNumber": 64600}, ()),
    ],
)
def test_who_was_to_peer_by_a_selector_that_selects_nothing(mesh, kube, spec, nodes):
    put(kube, "BGPPeer", "racks", **spec)
    assert told(mesh, kube)["bgppeer_selects_nothing"].subject.nodes == nodes


def limited(mesh, error="Received: Maximum number of prefixes reached"):
    for name in mesh.addresses:
        mesh.trouble(name, ROUTER, "Idle", error, kind="Global", passive=False, neighbor_as=64600)
        mesh.daemon(name)["peers"]["packed"] = {
            "Mesh": {"": " ".join(one for one in mesh.addresses.values() if one != mesh.addresses[name])}
        }
        mesh.reach(name, ROUTER)


def test_a_limit_of_prefixes_tells_who_what_and_what_to_do(mesh, kube):
    put(kube, "BGPPeer", "rack-1", peerIP=ROUTER, asNumber=64600)
    limited(mesh)
    said = summary(mesh, kube, "external_router_config")
    assert f"The router {ROUTER} has a limit of prefixes for a neighbour" in said
    assert "raise the limit on the router, or have Calico announce fewer routes." in said
    assert "raise the limit of prefixes for the neighbours 10.0.0.9, 10.0.0.10" in commands(
        mesh, kube, "external_router_config"
    )
    assert told(mesh, kube)["external_router_config"].subject.where["setting"] == "limit of prefixes"


def test_the_limit_that_the_notification_holds_is_told(mesh):
    limited(mesh)
    text = "Global_10_0_0_254: Received: Maximum number of prefixes reached: 00010100000064"
    mesh.bgp("node-1")["log"] = [{"kind": "session_lost", "peer": ROUTER, "value": "", "text": text}]
    assert "a limit of 100 prefixes" in summary(mesh, None, "external_router_config")
    assert told(mesh)["external_router_config"].subject.where["limit"] == 100


def test_a_router_that_only_hangs_up_has_said_before_why(mesh):
    limited(mesh, "Socket: Connection reset by peer")
    text = "Global_10_0_0_254: Received: Maximum number of prefixes reached"
    mesh.bgp("node-1")["log"] = [{"kind": "session_lost", "peer": ROUTER, "value": "", "text": text}]
    item = told(mesh)["external_router_config"]
    assert item.subject.where["setting"] == "limit of prefixes"
    assert item.confidence > 0.9


def test_another_refusal_is_told_as_before(mesh):
    limited(mesh, "Received: Connection rejected")
    assert "refuses node-1" in summary(mesh, None, "external_router_config")
