# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC: decisions, refusals, reviews, escalation."""

from __future__ import annotations

import pytest

from lab.api.errors import ApiError
from lab.api.kinds import KINDS
from lab.api.rules import escalation, rbac, reviews
from lab.api.rules.rbac import Request

GROUP = rbac.GROUP
ACCOUNT = "system:serviceaccount:calico:node"
USER = {"kind": "User", "apiGroup": GROUP, "name": "ann"}


def role(name, *rules, namespace="", labels=None, aggregates=None):
    metadata = {"name": name, "labels": labels or {}, **({"namespace": namespace} if namespace else {})}
    found = {"metadata": metadata, "rules": list(rules)}
    if aggregates is not None:
        found["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": aggregates}]}
    return found


def rule(verbs, resources, groups="", names=()):
    found = {"verbs": verbs.split(), "resources": resources.split(), "apiGroups": [groups]}
    return {**found, "resourceNames": list(names)} if names else found


def binding(name, kind, role_name, *subjects, namespace=""):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    reference = {"apiGroup": GROUP, "kind": kind, "name": role_name}
    return {"metadata": metadata, "roleRef": reference, "subjects": list(subjects)}


def reader(**objects):
    return lambda plural: objects.get(plural, [])


CLUSTER = reader(
    clusterroles=[
        role(
            "reader",
            rule("get list watch", "pods nodes/status */scale"),
            {"nonResourceURLs": ["/api/*"], "verbs": ["get"]},
        ),
        role("one", rule("get", "secrets", names=["a"])),
        role("all", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),
        role("gathered", aggregates={"gather": "yes"}),
        role("part", rule("create", "events"), labels={"gather": "yes"}),
        role("escalator", rule("escalate bind", "clusterroles roles", GROUP)),
        role("binder", rule("bind", "clusterroles", GROUP, ["all"])),
    ],
    roles=[role("local", rule("update", "daemonsets", "apps"), namespace="calico")],
    clusterrolebindings=[
        binding("b-reader", "ClusterRole", "reader", USER),
        binding("b-one", "ClusterRole", "one", {"kind": "Group", "name": "staff"}),
        binding(
            "b-gathered", "ClusterRole", "gathered", {"kind": "ServiceAccount", "name": "node", "namespace": "calico"}
        ),
        binding("b-lost", "ClusterRole", "lost", {"kind": "User", "name": "bob"}),
        binding("b-escalator", "ClusterRole", "escalator", {"kind": "User", "name": "eve"}),
        binding("b-binder", "ClusterRole", "binder", {"kind": "User", "name": "ben"}),
        binding("b-all", "ClusterRole", "all", {"kind": "User", "name": "root"}),
    ],
    rolebindings=[
        binding("r-local", "Role", "local", {"kind": "ServiceAccount", "name": "node"}, namespace="calico"),
        binding("r-reader", "ClusterRole", "one", {"kind": "User", "name": "cid"}, namespace="calico"),
    ],
)


@pytest.mark.parametrize(
    ("user", "groups", "request_", "allowed"),
    [
        ("ann", (), Request("list", "", "pods"), True),
        ("ann", (), Request("list", "", "pods", namespace="x"), True),
        ("ann", (), Request("delete", "", "pods"), False),
        ("ann", (), Request("list", "apps", "pods"), False),
        ("ann", (), Request("get", "", "pods", "log"), False),
        ("ann", (), Request("get", "", "nodes", "status", name="n"), True),
        ("ann", (), Request("get", "", "nodes"), False),
        ("ann", (), Request("get", "", "deployments", "scale"), True),
        ("ann", (), Request("get", path="/api/v1"), True),
        ("ann", (), Request("get", path="/metrics"), False),
        ("ann", (), Request("post", path="/api/v1"), False),
        ("dan", ("staff",), Request("get", "", "secrets", namespace="x", name="a"), True),
        ("dan", ("staff",), Request("get", "", "secrets", namespace="x", name="b"), False),
        ("dan", ("staff",), Request("list", "", "secrets"), False),
        ("cid", (), Request("get", "", "secrets", namespace="calico", name="a"), True),
        ("cid", (), Request("get", "", "secrets", namespace="other", name="a"), False),
        ("cid", (), Request("get", "", "secrets", name="a"), False),
        (ACCOUNT, (), Request("create", "", "events", namespace="x"), True),
        (ACCOUNT, (), Request("update", "apps", "daemonsets", namespace="calico", name="x"), True),
        (ACCOUNT, (), Request("update", "apps", "daemonsets", namespace="other"), False),
        ("anybody", (rbac.MASTERS,), Request("delete", "", "nodes", name="n"), True),
        ("anybody", (), Request("get", path="/healthz"), False),
    ],
)
def test_decisions(user, groups, request_, allowed):
    assert rbac.decide(CLUSTER, user, groups, request_).allowed is allowed


def test_what_allows_is_said():
    assert rbac.decide(CLUSTER, "ann", (), Request("list", "", "pods")).reason == (
        'RBAC: allowed by ClusterRoleBinding "b-reader" of ClusterRole "reader" to User "ann"'
    )
    request = Request("update", "apps", "daemonsets", namespace="calico")
    assert rbac.decide(CLUSTER, ACCOUNT, (), request).reason == (
        'RBAC: allowed by RoleBinding "r-local/calico" of Role "local" to ServiceAccount "node/calico"'
    )
    assert rbac.decide(CLUSTER, "bob", (), request).reason == (
        'RBAC: clusterrole.rbac.authorization.k8s.io "lost" not found'
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            Request("list", "", "pods"),
            'pods is forbidden: User "ann" cannot list resource "pods" in API group "" at the cluster scope',
        ),
        (
            Request("get", "", "pods", "log", "ns", "p"),
            'pods "p" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "ns"',
        ),
        (
            Request("patch", "apps", "daemonsets", namespace="ns", name="d"),
            (
                'daemonsets.apps "d" is forbidden: User "ann" cannot patch resource "daemonsets" in API group "apps" '
                'in the namespace "ns"'
            ),
        ),
        (Request("get", path="/metrics"), 'forbidden: User "ann" cannot get path "/metrics"'),
    ],
)
def test_the_refusal_to_the_letter(request_, message):
    error = rbac.forbidden("ann", request_)
    assert (error.code, error.reason, error.message) == (403, "Forbidden", message)


def test_a_name_cannot_smuggle_markup_into_the_refusal():
    assert "&lt;script&gt;" in rbac.forbidden("<script>", Request("get", "", "pods")).message


def reviewed(name, spec, user="ann", groups=(), metadata=None):
    return reviews.review(CLUSTER, user, groups, KINDS.find(name), {"metadata": metadata or {}, "spec": spec})["status"]


def test_access_reviews():
    wanted = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    assert reviewed("selfsubjectaccessreviews", wanted)["allowed"] is True
    assert reviewed("selfsubjectaccessreviews", wanted, user="nobody") == {"allowed": False}
    status = reviewed("subjectaccessreviews", {**wanted, "user": "nobody", "groups": ["system:masters"]})
    assert status == {"allowed": True}
    path = {"nonResourceAttributes": {"verb": "get", "path": "/api/v1"}}
    assert reviewed("selfsubjectaccessreviews", path)["allowed"] is True


@pytest.mark.parametrize(
    ("name", "spec", "words"),
    [
        (
            "selfsubjectaccessreviews",
            {},
            "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttri",
        ),
        (
            "subjectaccessreviews",
            {"resourceAttributes": {}},
            'spec.user: Invalid value: "": at least one of user or gr',
        ),
        (
            "localsubjectaccessreviews",
            {"user": "a", "resourceAttributes": {"namespace": "b"}},
            'spec.resourceAttributes.namespace: Invalid value: "b": must match metadata.namespace',
        ),
        (
            "selfsubjectaccessreviews",
            {"resourceAttributes": {}, "nonResourceAttributes": {}},
            "spec.nonResourceAttributes: Invalid value: {}: cannot be specified in combination with resourceAttributes",
        ),
    ],
)
def test_reviews_that_ask_nothing(name, spec, words):
    with pytest.raises(ApiError) as refused:
        reviewed(name, spec)
    assert refused.value.code == 422
    assert words in refused.value.message


def test_rules_review():
    status = reviewed("selfsubjectrulesreviews", {"namespace": "calico"}, user=ACCOUNT)
    assert status["resourceRules"] == [
        {"verbs": ["create"], "apiGroups": [""], "resources": ["events"]},
        {"verbs": ["update"], "apiGroups": ["apps"], "resources": ["daemonsets"]},
    ]
    assert status["nonResourceRules"] == []
    assert status["incomplete"] is False
    assert reviewed("selfsubjectrulesreviews", {"namespace": "x"}, user="bob")["incomplete"] is True
    with pytest.raises(ApiError, match="no namespace on request"):
        reviewed("selfsubjectrulesreviews", {})


def test_nobody_gives_what_he_has_not():
    escalation.check_write(CLUSTER, "ann", (), "clusterroles", role("mine", rule("get", "pods")))
    wanted = role("mine", rule("get delete", "pods secrets"), {"nonResourceURLs": ["/metrics"], "verbs": ["get"]})
    with pytest.raises(ApiError) as refused:
        escalation.check_write(CLUSTER, "ann", ("a", "b"), "clusterroles", wanted)
    assert refused.value.code == 403
    assert refused.value.message == (
        'clusterroles.rbac.authorization.k8s.io "mine" is forbidden: user "ann" (groups=["a" "b"]) is attempting to '
        "grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "delete"]}\n'
        '{NonResourceURLs:["/metrics"], Verbs:["get"]}'
    )


def test_bindings_are_judged_by_their_role():
    escalation.check_write(CLUSTER, "ann", (), "clusterrolebindings", binding("x", "ClusterRole", "reader", USER))
    with pytest.raises(ApiError, match="attempting to grant RBAC permissions"):
        escalation.check_write(CLUSTER, "ann", (), "clusterrolebindings", binding("x", "ClusterRole", "all", USER))
    escalation.check_write(CLUSTER, "ben", (), "clusterrolebindings", binding("x", "ClusterRole", "all", USER))
    with pytest.raises(ApiError) as refused:
        escalation.check_write(CLUSTER, "ann", (), "clusterrolebindings", binding("x", "ClusterRole", "lost", USER))
    assert (refused.value.code, refused.value.message) == (
        404,
        'clusterrole.rbac.authorization.k8s.io "lost" not found',
    )


def test_who_may_escalate_or_is_a_master_may_give_anything():
    everything = role("x", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    escalation.check_write(CLUSTER, "eve", (), "clusterroles", everything)
    escalation.check_write(CLUSTER, "nobody", (rbac.MASTERS,), "clusterroles", everything)
    escalation.check_write(CLUSTER, "nobody", (), "configmaps", everything)


def test_aggregation_gathers_anything_and_wants_everything():
    with pytest.raises(ApiError, match="must have cluster-admin privileges to use the aggregationRule"):
        escalation.check_write(CLUSTER, "ann", (), "clusterroles", role("x", aggregates={"a": "b"}))


def test_the_garbage_collector_may_write_roles():
    old = role("x", rule("delete", "nodes"))
    new = {**old, "metadata": {**old["metadata"], "finalizers": [], "ownerReferences": []}}
    escalation.check_write(CLUSTER, "nobody", (), "clusterroles", new, old)


def test_subresources_of_all_kinds_and_named_objects_are_covered():
    held = [rule("get", "*/scale"), rule("get", "secrets", names=["a", "b"])]
    assert not escalation.uncovered(held, [rule("get", "deployments/scale"), rule("get", "secrets", names=["a"])])
    assert escalation.uncovered(held, [rule("get", "secrets")]) == [rule("get", "secrets")]
