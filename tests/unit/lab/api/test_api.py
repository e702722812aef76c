# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and their answers, in the words of a real API server."""

from __future__ import annotations

import json

import pytest

from .conftest import Asking, asking, pod

PODS = "/api/v1/namespaces/default/pods"
POOLS = "/apis/crd.projectcalico.org/v1/ippools"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


def test_discovery(ask):
    assert ask("GET", "/version")["gitVersion"] == "v1.29.3+netmedic.lab"
    assert ask("GET", "/api")["versions"] == ["v1"]
    groups = {each["name"]: each["preferredVersion"]["groupVersion"] for each in ask("GET", "/apis")["groups"]}
    assert groups["apps"] == "apps/v1"
    assert "projectcalico.org" not in groups
    found = {each["name"]: each for each in ask("GET", "/api/v1")["resources"]}
    assert found["pods"]["shortNames"] == ["po"]
    assert found["pods/eviction"]["kind"] == "Eviction"
    assert "list" in found["nodes"]["verbs"]
    assert ask.raw("GET", "/healthz").body == b"ok"
    assert ask.raw("GET", "/apis/nothing/v1").code == 404
    assert ask.raw("GET", "/apis/apps/v1/nothing").body == b"404 page not found\n"


def test_life_of_an_object(ask):
    made = ask("POST", PODS, {**pod("a"), "apiVersion": "v1", "kind": "Pod", "status": {"phase": "Running"}})
    assert made["status"]["phase"] == "Pending"
    assert made["spec"]["restartPolicy"] == "Always"
    assert made["metadata"]["managedFields"][0]["manager"] == "tests"
    patched = ask(
        "PATCH", f"{PODS}/a/status", {"status": {"phase": "Running"}}, content_type="application/merge-patch+json"
    )
    assert patched["status"]["phase"] == "Running"
    assert ask("GET", f"{PODS}/a")["kind"] == "Pod"
    listed = ask("GET", "/api/v1/pods")
    assert (listed["kind"], len(listed["items"])) == ("PodList", 1)
    assert "kind" not in listed["items"][0]
    ask("DELETE", f"{PODS}/a", {"gracePeriodSeconds": 0})
    assert ask.refused(404, "GET", f"{PODS}/a") == 'pods "a" not found'


def test_refusals(ask):
    assert "already exists" in ask.refused(409, "POST", "/api/v1/namespaces", {"metadata": {"name": "default"}})
    assert ask.refused(404, "POST", "/api/v1/namespaces/no/pods", pod("a")) == 'namespaces "no" not found'
    assert "does not match the expected API version" in ask.refused(
        400, "POST", PODS, {"apiVersion": "v2", "kind": "Pod"}
    )
    assert "is missing in" in ask.refused(400, "POST", POOLS, {"metadata": {"name": "a"}})
    assert ask.refused(400, "POST", PODS, b"{")
    assert "unknown format" in ask.refused(415, "POST", PODS, b"x", content_type="application/vnd.kubernetes.protobuf")
    assert "only the following media types" in ask.refused(406, "GET", PODS, accept="text/html")
    assert "not supported" in ask.refused(405, "DELETE", "/api/v1/namespaces")
    assert ask.refused(401, "GET", PODS, authorization="Bearer nobody") == "Unauthorized"
    ask("POST", POOLS, {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "a"}})
    without_version = {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "a"}}
    assert "must be specified for an update" in ask.refused(422, "PUT", f"{POOLS}/a", without_version)


def test_selectors(ask):
    for name, node in (("a", "n1"), ("b", "n2")):
        ask("POST", PODS, pod(name, node, app=name))

    def names(query):
        return [each["metadata"]["name"] for each in ask("GET", f"{PODS}?{query}")["items"]]

    assert names("labelSelector=app%20in%20(a,c)") == ["a"]
    assert names("labelSelector=app!%3Da") == ["b"]
    assert names("fieldSelector=spec.nodeName%3Dn2") == ["b"]
    assert names("fieldSelector=metadata.name%3Da") == ["a"]
    assert "field label not supported: spec.x" in ask.refused(400, "GET", f"{PODS}?fieldSelector=spec.x%3D1")


def test_pages_are_of_one_moment(ask):
    for name in ("a", "b", "c"):
        ask("POST", PODS, pod(name))
    first = ask("GET", f"{PODS}?limit=2")
    assert first["metadata"]["remainingItemCount"] == 1
    ask("POST", PODS, pod("d"))
    rest = ask("GET", f"{PODS}?limit=2&continue={first['metadata']['continue']}")
    assert [each["metadata"]["name"] for each in rest["items"]] == ["c"]
    assert rest["metadata"] == {"resourceVersion": first["metadata"]["resourceVersion"]}
    ask.api.forget()
    gone = ask.raw("GET", f"{PODS}?limit=2&continue={first['metadata']['continue']}")
    assert gone.code == 410
    following = json.loads(gone.body)["metadata"]["continue"]
    late = ask("GET", f"{PODS}?limit=2&continue={following}")
    assert [each["metadata"]["name"] for each in late["items"]] == ["c", "d"]
    assert "not valid" in ask.refused(400, "GET", f"{PODS}?limit=2&continue=nonsense")


def test_tables_and_metadata(ask):
    ask("POST", PODS, pod("a"))
    table = ask("GET", PODS, accept=TABLE)
    assert [each["name"] for each in table["columnDefinitions"]][:4] == ["Name", "Ready", "Status", "Restarts"]
    assert table["rows"][0]["cells"][:4] == ["a", "0/1", "Pending", "0"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert "spec" in ask("GET", f"{PODS}?includeObject=Object", accept=TABLE)["rows"][0]["object"]
    assert ask("GET", f"{PODS}/a", accept=TABLE)["kind"] == "Table"
    partial = ask("GET", f"{PODS}/a", accept=PARTIAL)
    assert (partial["kind"], "spec" in partial) == ("PartialObjectMetadata", False)
    assert ask.raw("GET", f"{PODS}/a", accept="application/yaml").body.startswith(b"kind: Pod")


@pytest.mark.parametrize("kind", [each.resource for each in asking().api.store.kinds if "list" in each.verbs])
def test_every_kind_has_a_table_that_fits(ask, kind):
    kind = ask.api.store.kinds.find(kind)
    namespace = "default" if kind.namespaced else ""
    ask.api.store.load(kind, [{"metadata": {"name": "it", "namespace": namespace}}])
    place = f"/apis/{kind.group}" if kind.group else "/api"
    table = ask("GET", f"{place}/{kind.version}/{kind.plural}?fieldSelector=metadata.name%3Dit", accept=TABLE)
    assert len(table["rows"][0]["cells"]) == len(table["columnDefinitions"])


def lines(response, count):
    """The first events of a watch."""
    chunks = iter(response.chunks)
    return [json.loads(next(chunks)) for _number in range(count)]


def test_watch(ask):
    ask("POST", PODS, pod("a", app="x"))
    version = ask("GET", PODS)["metadata"]["resourceVersion"]
    merge = {"content_type": "application/merge-patch+json"}
    ask("PATCH", f"{PODS}/a", {"metadata": {"labels": {"app": "y"}}}, **merge)
    ask("PATCH", f"{PODS}/a", {"metadata": {"labels": {"app": "x"}}}, **merge)
    everything = ask.raw("GET", f"{PODS}?watch=1&resourceVersion={version}")
    assert [each["type"] for each in lines(everything, 2)] == ["MODIFIED", "MODIFIED"]
    selected = ask.raw("GET", f"{PODS}?watch=1&resourceVersion={version}&labelSelector=app%3Dx")
    assert [each["type"] for each in lines(selected, 2)] == ["DELETED", "ADDED"]
    from_the_start = lines(ask.raw("GET", f"{PODS}?watch=1"), 1)
    assert (from_the_start[0]["type"], from_the_start[0]["object"]["kind"]) == ("ADDED", "Pod")
    table = lines(ask.raw("GET", f"{PODS}?watch=1", accept=TABLE), 1)[0]["object"]
    assert (table["kind"], len(table["rows"])) == ("Table", 1)


def test_a_watch_ends_with_a_bookmark(ask):
    response = ask.raw("GET", f"{PODS}?watch=1&resourceVersion=1001&timeoutSeconds=1&allowWatchBookmarks=true")
    events = [json.loads(each) for each in response.chunks]
    assert [each["type"] for each in events] == ["BOOKMARK"]
    assert int(events[0]["object"]["metadata"]["resourceVersion"]) == ask.api.store.version


def test_a_watch_from_too_long_ago_is_an_error_event(ask):
    ask.api.forget()
    ask("POST", PODS, pod("a"))
    (event,) = lines(ask.raw("GET", f"{PODS}?watch=1&resourceVersion=1"), 1)
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


def test_subresources(ask):
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod("x")["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    ask("POST", deployments, {"metadata": {"name": "d"}, "spec": spec})
    assert ask("GET", f"{deployments}/d/scale")["spec"] == {"replicas": 1}
    merge = {"content_type": "application/merge-patch+json"}
    assert ask("PATCH", f"{deployments}/d/scale", {"spec": {"replicas": 3}}, **merge)["status"]["selector"] == "a=b"
    assert ask("GET", f"{deployments}/d")["spec"]["replicas"] == 3
    unplaced = pod("p")
    del unplaced["spec"]["nodeName"]
    ask("POST", PODS, unplaced)
    binding = {"apiVersion": "v1", "kind": "Binding", "target": {"kind": "Node", "name": "n"}}
    assert ask("POST", f"{PODS}/p/binding", binding)["status"] == "Success"
    assert "already assigned" in ask.refused(409, "POST", f"{PODS}/p/binding", binding)
    assert ask.raw("GET", f"{PODS}/p/log").code == 200
    assert ask("POST", f"{PODS}/p/eviction", {"metadata": {"name": "p"}})["status"] == "Success"
    assert "deletionTimestamp" in ask("GET", f"{PODS}/p")["metadata"]
    assert ask.raw("GET", f"{PODS}/p/nothing").code == 404


def test_service_accounts_have_what_they_are_given(ask):
    ask("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "me"}})
    request = {"spec": {"expirationSeconds": 600}}
    issued = ask("POST", "/api/v1/namespaces/default/serviceaccounts/me/token", request)
    me = Asking(ask.api, issued["status"]["token"])
    rights = '"list" resource "pods"'.replace('"list"', "list")
    assert rights in me.refused(403, "GET", "/api/v1/pods")
    name = "system:serviceaccount:default:me"
    who = me("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert who["status"]["userInfo"]["username"] == name
    asked = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    mine = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert me("POST", mine, asked)["status"]["allowed"] is False
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    ask("POST", f"{rbac}/clusterroles", {"metadata": {"name": "r"}, "rules": rules})
    subject = {"kind": "ServiceAccount", "name": "me", "namespace": "default"}
    reference = {"kind": "ClusterRole", "name": "r", "apiGroup": "rbac.authorization.k8s.io"}
    ask("POST", f"{rbac}/clusterrolebindings", {"metadata": {"name": "b"}, "roleRef": reference, "subjects": [subject]})
    assert me("POST", mine, asked)["status"]["allowed"] is True
    assert me("GET", "/api/v1/pods")["items"] == []
    assert "cannot impersonate" in me.refused(403, "GET", "/api/v1/pods", impersonate_user="root")
    as_them = ask.raw("GET", "/api/v1/nodes", impersonate_user=name)
    assert as_them.code == 403
    ask("DELETE", "/api/v1/namespaces/default/serviceaccounts/me")
    assert me.refused(401, "GET", "/api/v1/pods") == "Unauthorized"


def test_a_webhook_that_cannot_be_reached_is_in_the_way(ask):
    client = {"service": {"namespace": "default", "name": "hook", "path": "/check"}, "caBundle": "eA=="}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    webhook = {
        "name": "check.example.org",
        "clientConfig": client,
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    ask("POST", hooks, {"metadata": {"name": "h"}, "webhooks": [webhook]})
    refused = 'Internal error occurred: failed calling webhook "check.example.org": failed to call webhook: Post '
    refused += '"https://hook.default.svc:443/check?timeout=10s": '
    assert ask.refused(500, "POST", PODS, pod("a")) == refused + 'service "hook" not found'
    ask(
        "POST",
        "/api/v1/namespaces/default/services",
        {"metadata": {"name": "hook"}, "spec": {"ports": [{"port": 443}]}},
    )
    assert ask.refused(500, "POST", PODS, pod("a")) == refused + 'no endpoints available for service "hook"'
    subsets = [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 443}]}]
    ask("POST", "/api/v1/namespaces/default/endpoints", {"metadata": {"name": "hook"}, "subsets": subsets})
    assert ask("POST", PODS, pod("a"))["kind"] == "Pod"


def test_calicos_groups():
    for shape, groups in (("crd", ["crd.projectcalico.org"]), ("native", ["projectcalico.org"])):
        found = [each["name"] for each in asking(shape)("GET", "/apis")["groups"]]
        assert [each for each in found if "projectcalico" in each] == groups
    ask = asking("aggregated")
    kept = {"labels": {"a": "b"}, "uid": "v3"}  # Calico's own uid is not shown
    annotations = {"projectcalico.org/metadata": json.dumps(kept)}
    pool = {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "spec": {"cidr": "10.0.0.0/8"}}
    ask("POST", POOLS, {**pool, "metadata": {"name": "p", "annotations": annotations}})
    shown = ask("GET", "/apis/projectcalico.org/v3/ippools/p")
    assert (shown["apiVersion"], shown["metadata"]["labels"]) == ("projectcalico.org/v3", {"a": "b"})
    assert "annotations" not in shown["metadata"]
    merge = {"content_type": "application/merge-patch+json"}
    ask("PATCH", "/apis/projectcalico.org/v3/ippools/p", {"spec": {"cidr": "11.0.0.0/8"}}, **merge)
    assert ask("GET", f"{POOLS}/p")["spec"]["cidr"] == "11.0.0.0/8"
    service = "/apis/apiregistration.k8s.io/v1/apiservices/v3.projectcalico.org"
    down = {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}}
    ask("PATCH", f"{service}/status", down, **merge)
    assert ask.refused(503, "GET", "/apis/projectcalico.org/v3/ippools") == "service unavailable"


def test_kinds_come_and_go_with_their_definitions(ask):
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    ask("DELETE", f"{crds}/ippools.crd.projectcalico.org")
    assert ask.raw("GET", POOLS).code == 404
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}}
    spec = {
        "group": "example.org",
        "names": {"kind": "Thing", "plural": "things"},
        "scope": "Namespaced",
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
    }
    ask("POST", crds, {"metadata": {"name": "things.example.org"}, "spec": spec})
    assert ask("GET", "/apis/example.org/v1/things")["kind"] == "ThingList"


def test_disturbances(ask):
    switch = ask.api.disturbances.set
    switch([{"what": "throttle", "retry_after": 7}])
    throttled = ask.raw("GET", PODS)
    assert (throttled.code, dict(throttled.headers)["Retry-After"]) == (429, "7")
    switch([{"what": "missing", "kinds": ["ippools.crd.projectcalico.org"]}])
    assert ask.raw("GET", POOLS).code == 404
    assert "ippools" not in {each["name"] for each in ask("GET", "/apis/crd.projectcalico.org/v1")["resources"]}
    switch([{"what": "forbidden", "kinds": ["secrets"]}])
    assert "cannot list resource" in ask.refused(403, "GET", "/api/v1/secrets")
    switch([{"what": "down", "users": ["kubernetes-admin"]}])
    assert ask.raw("GET", PODS).code == 0
    switch([])
    assert ask.raw("GET", PODS).code == 200
    watch = ask.raw("GET", "/api/v1/namespaces?watch=1")
    chunks = iter(watch.chunks)
    next(chunks)
    ask.api.cut_watches()
    assert len(list(chunks)) < 10


def test_field_validation(ask):
    wrong = {**pod("a"), "nonsense": 1}
    assert 'unknown field "nonsense"' in ask.refused(400, "POST", f"{PODS}?fieldValidation=Strict", wrong)
    warned = ask.raw("POST", PODS, wrong)
    assert dict(warned.headers)["Warning"] == '299 - "unknown field \\"nonsense\\""'
    assert "nonsense" not in json.loads(warned.body)
