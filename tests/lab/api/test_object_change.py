# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""object_change against the lab's API, as the account that the shipped manifests make, by library and by kubectl; with
an API that answers late, wrongly or not at all."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._object_change import lock, run
from lab import controller
from lab.api import control

from .changing import CANARY, PEER, POOL, SYSTEM, V1, an_api, set_pool
from .schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changing import Api

BY_KUBECTL = pytest.mark.parametrize("via", ["kubectl"])


def _unfinalized(obj: dict[str, Any]) -> None:
    obj["spec"].pop("finalizers", None)


def _unlabelled(obj: dict[str, Any]) -> None:
    del obj["metadata"]["labels"]


def test_a_field_is_changed_and_put_back(api):
    before = api.pool()["spec"]["ipipMode"]
    change = set_pool("CrossSubnet", expect={"spec": {"ipipMode": before}})
    checked = api.change(change, check=True)
    assert (checked.why, checked.changed, checked.record) == ("", True, [])
    assert api.pool()["spec"]["ipipMode"] == before
    done = api.change(change)
    assert (done.why, done.results, done.differences) == ("", checked.results, checked.differences)
    assert done.results[0]["fields"] == [{"field": "spec.ipipMode", "before": before, "after": "CrossSubnet"}]
    assert done.differences[0]["before"] == f"spec.ipipMode: {before}\n"
    pool = api.pool()
    assert pool["spec"]["ipipMode"] == "CrossSubnet"
    assert "netmedic-calico" in [each["manager"] for each in pool["metadata"]["managedFields"]]
    assert done.record[0]["resource_version"] == pool["metadata"]["resourceVersion"]
    again = api.change(change)
    assert (again.why, again.changed, again.record) == ("", False, [])
    assert api.pool()["metadata"]["resourceVersion"] == pool["metadata"]["resourceVersion"]
    undone = api.undo(done.record)
    assert (undone.why, undone.changed) == ("", True)
    assert api.pool()["spec"]["ipipMode"] == before
    assert api.undo(done.record).changed is False
    forward = api.undo(undone.record)
    assert (forward.why, api.pool()["spec"]["ipipMode"]) == ("", "CrossSubnet")
    api.undo(forward.record)


def test_an_object_is_made_and_deleted_again(api):
    done = api.change({"action": "create", "object": PEER})
    assert (done.why, done.changed) == ("", True)
    assert api.get("bgppeers.crd.projectcalico.org", "outside")["spec"] == PEER["spec"]
    assert api.change({"action": "create", "object": PEER}).changed is False
    other = {**PEER, "spec": {**PEER["spec"], "asNumber": 1}}
    assert "its spec.asNumber is another" in api.change({"action": "create", "object": other}).why
    gone = api.change({"action": "delete", "api_version": V1, "kind": "BGPPeer", "name": "outside"})
    assert (gone.why, gone.changed, api.is_there("bgppeers", "outside")) == ("", True, False)
    back = api.undo(gone.record)
    assert back.why == ""
    assert api.get("bgppeers.crd.projectcalico.org", "outside")["spec"] == PEER["spec"]
    # Another object of that name is not the one that was made first.
    assert "another object of that name" in api.undo(done.record).why
    assert api.undo(back.record).changed is True
    assert api.undo(done.record).changed is False


def test_a_node_is_made_again_with_its_status(api):
    """As a kubelet registers it: nobody else would tell the addresses of a machine that is gone."""
    addresses = [{"type": "InternalIP", "address": "10.200.0.77"}]
    status = {"addresses": addresses, "conditions": [{"type": "Ready", "status": "Unknown"}]}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gone"}, "status": status}
    api.store.create(api.store.kinds.find("nodes"), "", node)
    gone = api.change({"action": "delete", "api_version": "v1", "kind": "Node", "name": "gone"})
    assert (gone.why, api.is_there("nodes", "gone")) == ("", False)
    back = api.undo(gone.record)
    assert (back.why, api.get("nodes", "gone")["status"]) == ("", status)
    # What a kubelet tells since then does not keep it from being taken away again.
    assert api.undo(back.record).changed is True


def test_a_conflict_in_the_middle_is_settled_by_reading_anew(api):
    api.disturb({"what": "conflict", "count": 2, "dry_run": False, "kinds": ["ippools"]})
    done = api.change(set_pool("CrossSubnet"))
    assert (done.why, api.pool()["spec"]["ipipMode"]) == ("", "CrossSubnet")
    assert api.undo(done.record).why == ""


def test_what_somebody_changes_between_reading_and_writing_is_decided_anew(api, monkeypatch):
    """The dry run has gone well; then somebody else is faster."""
    real, met = run.Live.write, []

    def write(self, ref, before, after, attempt):
        if not met:
            met.append(1)
            api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["spec"].update(ipipMode="Always"))
        return real(self, ref, before, after, attempt)

    before = api.pool()["spec"]["ipipMode"]
    monkeypatch.setattr(run.Live, "write", write)
    done = api.change(set_pool("CrossSubnet", expect={"spec": {"ipipMode": before}}))
    assert "spec.ipipMode of IPPool default-ipv4-ippool is not what it was" in done.why
    assert (done.record, api.pool()["spec"]["ipipMode"]) == ([], "Always")
    met.clear()
    labelled = {"action": "patch", **POOL, "patch": {"metadata": {"labels": {"a": "b"}}}}
    api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["spec"].update(ipipMode=before))
    done = api.change(labelled)
    assert (done.why, api.pool()["spec"]["ipipMode"]) == ("", "Always"), "the other's change was overwritten"
    api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["spec"].update(ipipMode=before))
    met.append(1)
    assert api.undo(done.record).why == ""


def test_a_throttled_request_waits_as_long_as_it_is_told(api):
    api.disturb({"what": "throttle", "count": 1, "retry_after": 2, "verbs": ["patch"], "dry_run": False})
    began = time.monotonic()
    done = api.change(set_pool("CrossSubnet"))
    assert done.why == ""
    assert time.monotonic() - began >= 2
    assert api.undo(done.record).why == ""


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_error_and_then_success(api, status):
    api.disturb({"what": "error", "status": status, "count": 2, "verbs": ["patch", "update"], "dry_run": False})
    done = api.change(set_pool("CrossSubnet"))
    assert (done.why, len(done.record)) == ("", 1)
    assert api.undo(done.record).why == ""


def test_errors_without_an_end_are_given_up(api):
    before = api.pool()
    api.disturb({"what": "error", "status": 500, "verbs": ["patch"], "dry_run": False})
    done = api.change(set_pool("CrossSubnet"))
    assert done.why.startswith("Nothing was changed. ")
    assert "with 500" in done.why
    assert (done.changed, done.record, api.pool()) == (False, [], before)


def test_an_answer_that_was_lost_is_settled_by_reading(api):
    before = int(api.pool()["metadata"]["resourceVersion"])
    api.disturb({"what": "lost", "count": 1, "dry_run": False, "kinds": ["ippools"]})
    mode = api.pool()["spec"]["ipipMode"]
    done = api.change(set_pool("CrossSubnet", expect={"spec": {"ipipMode": mode}}))
    assert (done.why, done.changed) == ("", True)
    assert done.record[0]["fields"] == [{"path": ["spec", "ipipMode"], "before": mode, "after": "CrossSubnet"}]
    assert int(api.pool()["metadata"]["resourceVersion"]) > before
    assert api.undo(done.record).why == ""
    api.disturb({"what": "lost", "count": 1, "dry_run": False, "kinds": ["bgppeers"]})
    made = api.change({"action": "create", "object": PEER})
    assert (made.why, made.changed, len(made.record)) == ("", True, 1)
    api.disturb({"what": "lost", "count": 1, "dry_run": False, "kinds": ["bgppeers"]})
    gone = api.undo(made.record)
    assert (gone.why, gone.changed, api.is_there("bgppeers", "outside")) == ("", True, False)


def test_an_api_that_falls_silent_after_the_change_leaves_a_record_that_says_so(api):
    mode = api.pool()["spec"]["ipipMode"]
    real = control.call

    def after_write(self, ref, before, after, attempt, write=run.Live.write):
        api.disturb({"what": "lost", "dry_run": False}, {"what": "error", "status": 503, "verbs": ["get"]})
        return write(self, ref, before, after, attempt)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.Live, "write", after_write)
        patch.setattr("ansible_collections.netmedic.calico.plugins.module_utils._cluster.asking._PATIENT", {})
        done = api.change(set_pool("CrossSubnet"))
    assert real is control.call
    assert "Whether IPPool default-ipv4-ippool was changed is not known" in done.why
    assert done.record[0]["unsure"] is True
    api.disturb()
    assert api.pool()["spec"]["ipipMode"] == "CrossSubnet"
    assert api.undo(done.record).why == ""
    assert api.pool()["spec"]["ipipMode"] == mode


def test_one_refusal_and_nothing_is_changed(api):
    before = api.everything()
    refusals = {
        "forbidden": {"action": "patch", "api_version": "v1", "kind": "ServiceAccount", "namespace": SYSTEM,
                      "name": "calico-node", "patch": {"metadata": {"labels": {"a": "b"}}}},
        "is gone": {"action": "patch", **POOL, "name": "gone", "patch": {"spec": {"ipipMode": "Never"}}},
        "is another object of that name": set_pool("CrossSubnet", uid="another"),
        "is not what it was": set_pool("CrossSubnet", expect={"spec": {"natOutgoing": None}}),
        "serves no IPPooll": {"action": "patch", **POOL, "kind": "IPPooll", "patch": {"spec": {"a": 1}}},
        "Unsupported value": set_pool("Sometimes"),
        "would be put back: the Helm release": set_pool("CrossSubnet", owner_reverts="the Helm release sets it"),
    }  # fmt: skip
    for words, change in refusals.items():
        if words == "Unsupported value" and not SCHEMAS.is_dir():
            continue
        done = api.change({"action": "create", "object": PEER}, change)
        assert words in done.why, done.why
        assert (done.changed, done.record) == (False, [])
    api.disturb({"what": "denied", "kinds": ["ippools"], "message": "not on a Friday. Ask the council."})
    done = api.change({"action": "create", "object": PEER}, set_pool("CrossSubnet"))
    assert "denied the request: not on a Friday." in done.why
    assert "council" not in done.why
    assert "rbac.yml" not in done.why
    assert api.everything() == before


def test_a_webhook_that_nobody_answers_refuses(api):
    hook = {
        "metadata": {"name": "policy"},
        "webhooks": [{
            "name": "policy.example.org", "failurePolicy": "Fail", "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"namespace": SYSTEM, "name": "gone"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["ippools"]}],
        }],
    }  # fmt: skip
    kind = api.store.kinds.find("validatingwebhookconfigurations")
    api.make("validatingwebhookconfigurations", hook)
    done = api.change(set_pool("CrossSubnet"))
    api.store.delete(kind, "", "policy")
    assert "policy.example.org" in done.why
    assert "Look at that webhook" in done.why


def test_a_later_failure_keeps_the_record_of_what_was_done(api):
    api.disturb({"what": "error", "status": 500, "verbs": ["patch"], "dry_run": False})
    done = api.change({"action": "create", "object": PEER}, set_pool("CrossSubnet"))
    assert done.why.startswith("1 of 2 changes were made, which the record tells.")
    assert [entry["kind"] for entry in done.record] == ["BGPPeer"]
    api.disturb()
    assert api.undo(done.record).why == ""


def test_a_token_that_expires_in_the_middle(api):
    api.disturb({"what": "expired_token", "verbs": ["patch"], "dry_run": False})
    done = api.change({"action": "create", "object": PEER}, set_pool("CrossSubnet"))
    assert "does not accept the credentials" in done.why
    api.disturb()
    assert api.undo(done.record).why == ""


def test_what_somebody_else_changed_since_is_not_undone(api):
    mode = api.pool()["spec"]["ipipMode"]
    done = api.change(set_pool("CrossSubnet"), {"action": "create", "object": PEER})

    def other(pool):
        pool["metadata"].setdefault("labels", {})["theirs"] = "yes"

    api.edit("ippools.crd.projectcalico.org", POOL["name"], other)  # another field
    api.edit("bgppeers.crd.projectcalico.org", "outside", lambda peer: peer["spec"].update(asNumber=5))
    undone = api.undo(done.record)
    assert "spec.asNumber of BGPPeer outside is not as it was made" in undone.why
    assert (undone.changed, api.pool()["spec"]["ipipMode"]) == (False, "CrossSubnet")
    api.edit("bgppeers.crd.projectcalico.org", "outside", lambda peer: peer["spec"].update(asNumber=64999))
    api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["spec"].update(ipipMode="Always"))
    assert "spec.ipipMode of IPPool default-ipv4-ippool is not put back" in api.undo(done.record).why
    api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["spec"].update(ipipMode="CrossSubnet"))
    assert api.undo(done.record).why == ""
    assert (api.pool()["spec"]["ipipMode"], api.pool()["metadata"]["labels"]["theirs"]) == (mode, "yes")
    api.edit("ippools.crd.projectcalico.org", POOL["name"], _unlabelled)


def test_several_changes_of_one_object_are_undone_in_reverse(api):
    before = api.pool()["spec"]
    first = api.change(set_pool("CrossSubnet"), {"action": "patch", **POOL, "patch": {"spec": {"natOutgoing": None}}})
    second = api.change(set_pool("Always"))
    assert first.why == second.why == ""
    undone = api.undo([*first.record, *second.record])
    assert (undone.why, api.pool()["spec"]) == ("", before)


def test_a_variable_of_a_container(api):
    template = ["spec", "template", "spec", "containers", {"name": "calico-node"}, "env"]
    before = api.get("daemonsets.apps", "calico-node", SYSTEM)["spec"]
    change = {
        "action": "patch", "api_version": "apps/v1", "kind": "DaemonSet", "namespace": SYSTEM, "name": "calico-node",
        "set": [
            {"path": [*template, {"name": "FELIX_HEALTHHOST"}, "value"], "value": "127.0.0.1", "was": [None]},
            {"path": [*template, {"name": "CALICO_IPV4POOL_IPIP"}], "value": None},
        ],
    }  # fmt: skip
    done = api.change(change)
    assert done.why == ""
    env = {each["name"]: each for each in api.get("daemonsets.apps", "calico-node", SYSTEM)["spec"]["template"]["spec"]
           ["containers"][0]["env"]}  # fmt: skip
    assert env["FELIX_HEALTHHOST"]["value"] == "127.0.0.1"
    assert "CALICO_IPV4POOL_IPIP" not in env
    assert api.change(change).changed is False
    undone = api.undo(done.record)
    assert (undone.why, api.get("daemonsets.apps", "calico-node", SYSTEM)["spec"]) == ("", before)


def test_a_field_that_the_release_does_not_know(api):
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas are not here")
    done = api.change({"action": "patch", **POOL, "patch": {"spec": {"wireguard": True}}})
    assert "has no field spec.wireguard in this release" in done.why


def test_owners_are_told_by_the_object(api):
    labels = {"app.kubernetes.io/managed-by": "Helm"}
    api.edit("ippools.crd.projectcalico.org", POOL["name"], lambda pool: pool["metadata"].update(labels=labels))
    assert "it would be put back by Helm" in api.change(set_pool("CrossSubnet")).why
    done = api.change(set_pool("CrossSubnet", despite_owner=True))
    assert done.why == ""
    assert api.undo(done.record).why == ""
    api.edit("ippools.crd.projectcalico.org", POOL["name"], _unlabelled)


def test_a_node_is_cordoned_and_a_pod_restarted(api):
    done = api.change({"action": "cordon", "name": "node-2"})
    assert (done.why, api.get("nodes", "node-2")["spec"]["unschedulable"]) == ("", True)
    assert api.change({"action": "cordon", "name": "node-2"}).changed is False
    assert api.change({"action": "uncordon", "name": "node-2"}).why == ""
    assert "unschedulable" not in api.get("nodes", "node-2")["spec"]
    pod = next(each for each in api.store.list(api.store.kinds.find("pods"), SYSTEM, labels={"k8s-app": "calico-node"}))
    change = {"action": "restart_pod", "namespace": SYSTEM, "name": pod["metadata"]["name"]}
    assert api.change({**change, "uid": "of-a-former-pod"}).changed is False
    done = api.change({**change, "uid": pod["metadata"]["uid"]})
    assert (done.why, done.changed) == ("", True)
    left = [each["metadata"] for each in api.store.list(api.store.kinds.find("pods"), SYSTEM)]
    assert all("deletionTimestamp" in each for each in left if each["uid"] == pod["metadata"]["uid"])
    assert api.change({**change, "uid": pod["metadata"]["uid"]}).changed is False
    assert (api.undo(done.record).why, api.undo(done.record).changed) == ("", False)


@pytest.fixture
def passwords(api: Api) -> Iterator[None]:
    """BGP passwords in kube-system, an empty calico-system, and the account allowed to move them."""
    for name in ("rbac-bgp-passwords.yml",):
        assert (controller.seeding.OF_REPAIRS[1].name) == name
    api.make("namespaces", {"metadata": {"name": "calico-system"}})
    for each in controller.seeding.shipped(controller.seeding.OF_REPAIRS[1]):
        if each["metadata"].get("namespace") == "calico-system":
            controller.seeding.ensure(api.store, each, "test")
    secret = {
        "metadata": {
            "name": "bgp-secrets",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "x", "uid": "x"}],
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": CANARY})},
        },
        "type": "Opaque",
        "data": {name: base64.b64encode(f"{CANARY}-{name}".encode()).decode() for name in ("rr", "mesh", "unused")},
    }
    secret["metadata"].pop("ownerReferences")
    api.make("secrets", secret, SYSTEM)
    yield
    api.store.delete(api.store.kinds.find("secrets"), SYSTEM, "bgp-secrets")
    api.store.delete(api.store.kinds.find("rolebindings"), "calico-system", "netmedic-remediate-bgp-passwords")
    for name in ("namespaces",):
        api.edit(name, "calico-system", _unfinalized)
        api.store.delete(api.store.kinds.find(name), "", "calico-system")


def test_a_secret_is_copied_and_made_readable(api, passwords):
    copy = {
        "action": "copy_secret",
        "from": {"namespace": SYSTEM, "name": "bgp-secrets"},
        "to": {"namespace": "calico-system", "name": "bgp-secrets"},
        "keys": ["rr"],
    }
    allow = {
        "action": "allow_secret", "namespace": "calico-system", "name": "bgp-secrets", "service_account": "calico-node",
    }  # fmt: skip
    assert api.change(copy, allow, check=True).why == ""
    done = api.change(copy, allow)
    assert (done.why, [one["kind"] for one in done.record]) == ("", ["Secret", "Role", "RoleBinding"])
    source = api.get("secrets", "bgp-secrets", SYSTEM)
    made = api.get("secrets", "bgp-secrets", "calico-system")
    assert (made["type"], made["data"]) == (source["type"], {"rr": source["data"]["rr"]})
    assert not {"annotations", "ownerReferences"} & made["metadata"].keys()
    assert made["metadata"]["uid"] != source["metadata"]["uid"]
    role = api.get("roles.rbac.authorization.k8s.io", "calico-node-bgp-secrets", "calico-system")
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["bgp-secrets"],
            "verbs": ["get", "list", "watch"],
        }
    ]
    assert api.change(copy, allow).changed is False
    more = api.change({**copy, "keys": ["rr", "mesh"]})
    assert (more.why, more.record[0]["keys"]) == ("", ["mesh"])
    assert (
        "could not be put back"
        in api.change(
            {"action": "delete", "api_version": "v1", "kind": "Secret", "namespace": SYSTEM, "name": "bgp-secrets"}
        ).why
    )
    assert "has no key other" in api.change({**copy, "keys": ["other"]}).why
    assert api.undo([*done.record, *more.record]).why == ""
    assert not api.is_there("secrets", "bgp-secrets", "calico-system")
    assert not api.is_there("roles.rbac.authorization.k8s.io", "calico-node-bgp-secrets", "calico-system")


def test_other_values_are_not_replaced_without_a_word(api, passwords):
    other = {"metadata": {"name": "bgp-secrets"}, "data": {"rr": base64.b64encode(b"other").decode()}}
    api.make("secrets", other, "calico-system")
    copy = {
        "action": "copy_secret",
        "from": {"namespace": SYSTEM, "name": "bgp-secrets"},
        "to": {"namespace": "calico-system", "name": "bgp-secrets"},
        "keys": ["rr"],
    }
    assert "has other values for rr" in api.change(copy).why
    api.disturb({"what": "denied", "kinds": ["secrets"], "message": f"rr must not be {CANARY}"})
    assert "What it says is not shown" in api.change({**copy, "irreversible": True}).why
    api.disturb()
    done = api.change({**copy, "irreversible": True})
    assert (done.why, done.record[0]["restorable"]) == ("", False)
    assert "cannot be put back" in api.undo(done.record).why
    api.store.delete(api.store.kinds.find("secrets"), "calico-system", "bgp-secrets")


def test_nobody_gets_more_than_the_manifest_gives(api):
    api.account = "netmedic"
    done = api.change(set_pool("CrossSubnet"))
    assert 'cannot get resource "ippools"' in done.why
    assert "roles/remediate/files/rbac.yml of this collection" in done.why


def test_one_holder_at_a_time(api):
    mine = api.lock("acquired", "me")
    assert (mine.why, mine.changed, mine.holder) == ("", True, "me")
    theirs = api.lock("acquired", "you")
    assert f"me holds the lock (Lease kube-system/{lock.NAME}) since {mine.since}, until {mine.until}" in theirs.why
    renewed = api.lock("renewed", "me")
    assert (renewed.why, renewed.changed, renewed.since) == ("", False, mine.since)
    assert api.lock("released", "you").holder == "me"

    def age(lease):
        lease["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z"

    api.edit("leases", lock.NAME, age, SYSTEM)
    checked = api.lock("acquired", "you", check=True)
    assert (checked.why, checked.taken_over_from) == ("", "me")
    taken = api.lock("acquired", "you")
    assert (taken.changed, taken.holder, taken.taken_over_from) == (True, "you", "me")
    assert api.get("leases", lock.NAME, SYSTEM)["spec"]["leaseTransitions"] == 1
    assert "The lock was lost" in api.lock("renewed", "me").why
    assert (api.lock("released", "you").holder, api.is_there("leases", lock.NAME, SYSTEM)) == ("", False)
    assert "Nobody holds" in api.lock("renewed", "me").why


def test_of_two_that_want_it_at_once_one_gets_it(api):
    import threading

    found = []
    threads = [
        threading.Thread(target=lambda number=number: found.append(api.lock("acquired", f"run {number}")))
        for number in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    winners = [one.holder for one in found if not one.why]
    assert len(winners) == 1
    assert all(f"{winners[0]} holds the lock" in one.why for one in found if one.why)
    api.lock("released", winners[0])


@BY_KUBECTL
def test_by_kubectl_objects_are_changed_and_put_back(api, via):
    mode = api.pool()["spec"]["ipipMode"]
    change = set_pool("CrossSubnet", expect={"spec": {"ipipMode": mode}})
    api.disturb(
        {"what": "conflict", "count": 1, "dry_run": False, "kinds": ["ippools"]},
        {"what": "lost", "count": 1, "dry_run": False, "kinds": ["bgppeers"], "verbs": ["create"]},
        {"what": "error", "status": 500, "count": 1, "dry_run": False, "verbs": ["delete"]},
    )
    done = api.change(change, {"action": "create", "object": PEER})
    assert (done.why, api.pool()["spec"]["ipipMode"]) == ("", "CrossSubnet")
    assert done.results[0]["fields"] == [{"field": "spec.ipipMode", "before": mode, "after": "CrossSubnet"}]
    assert [one["changed"] for one in done.results] == [True, True]
    assert "netmedic-calico" in [each["manager"] for each in api.pool()["metadata"]["managedFields"]]
    undone = api.undo(done.record)
    assert (undone.why, api.pool()["spec"]["ipipMode"], api.is_there("bgppeers", "outside")) == ("", mode, False)


@BY_KUBECTL
def test_by_kubectl_refusals_are_told_apart(api, via):
    for words, change in {
        "cannot get resource": {
            "action": "patch",
            "api_version": "v1",
            "kind": "ServiceAccount",
            "namespace": SYSTEM,
            "name": "calico-node",
            "patch": {"metadata": {"labels": {"a": "b"}}},
        },
        "Unsupported value" if SCHEMAS.is_dir() else "": set_pool("Sometimes"),
    }.items():
        assert words in api.change(change).why
    api.disturb({"what": "denied", "kinds": ["ippools"], "message": "not on a Friday. Ask the council."})
    done = api.change(set_pool("CrossSubnet"))
    assert "denied the request: not on a Friday" in done.why
    assert "council" not in done.why


@BY_KUBECTL
def test_by_kubectl_a_secret_is_copied(api, via, passwords):
    copy = {
        "action": "copy_secret",
        "from": {"namespace": SYSTEM, "name": "bgp-secrets"},
        "to": {"namespace": "calico-system", "name": "bgp-secrets"},
        "keys": ["rr"],
    }
    done = api.change(copy)
    assert done.why == ""
    assert list(api.get("secrets", "bgp-secrets", "calico-system")["data"]) == ["rr"]
    assert (api.undo(done.record).why, api.is_there("secrets", "bgp-secrets", "calico-system")) == ("", False)


@BY_KUBECTL
def test_by_kubectl_one_holder_at_a_time(api, via):
    mine = api.lock("acquired", "me")
    assert (mine.why, mine.changed, mine.holder) == ("", True, "me")
    assert f"me holds the lock (Lease kube-system/{lock.NAME}) since {mine.since}" in api.lock("acquired", "you").why
    assert api.lock("released", "me").holder == ""


@pytest.mark.parametrize(("calico", "asked"), [("native", V1), ("aggregated", "projectcalico.org/v3"), ("crd", "")])
def test_whichever_group_is_served(calico, asked):
    for api in an_api(calico):
        done = api.change({**set_pool("CrossSubnet"), "api_version": asked})
        assert done.why == ""
        group = {"native": "projectcalico.org/v3", "aggregated": "projectcalico.org/v3", "crd": V1}[calico]
        assert done.results[0]["api_version"] == group
        assert (
            api.get(f"ippools.{group.partition('/')[0]}", POOL["name"])["spec"]["ipipMode"] == "CrossSubnet"
            if (calico != "aggregated")
            else api.pool()["spec"]["ipipMode"] == "CrossSubnet"
        )
        assert api.undo(done.record).why == ""
