# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole pass, against a server that answers over real HTTP."""

from __future__ import annotations

import json
import pathlib
import threading
import time

import pytest

from ansible_collections.netmedic.calico.plugins.module_utils._cluster import (
    asking,
    greeting,
    options,
    prune,
    read,
    reading,
)

RBAC = pathlib.Path(__file__).parents[5] / "roles" / "collect" / "files" / "rbac.yml"
CRD = "/apis/crd.projectcalico.org/v1"


@pytest.fixture
def gather(monkeypatch, transport, params):
    """Gather by the standard library instead of the client."""
    monkeypatch.setattr(greeting, "connect", lambda *_arguments: transport)
    monkeypatch.setattr(asking, "_FIRST_WAIT", 0.01)

    def run(**changes):
        return read.gather({**params, **changes}, {}, "/nonexistent")["calico_cluster"]

    return run


def sources(fact):
    return {one["source"]: one["status"] for one in fact["sources"]}


def detail(fact, source):
    return next(one["detail"] for one in fact["sources"] if one["source"] == source)


def names(fact, plural):
    return [one["metadata"]["name"] for one in fact["objects"].get(plural, ())]


def test_what_a_healthy_cluster_tells(gather):
    fact = gather()
    assert (fact["reached"], fact["why"], fact["version"]) == (True, "", "v1.29.3")
    assert fact["taken_at"] == "2026-11-21T00:00:00Z"
    assert fact["group"] == "crd.projectcalico.org/v1"
    assert names(fact, "nodes") == ["node-1", "node-2", "node-3"]
    assert sorted(names(fact, "pods")) == ["calico-node-1", "calico-node-2", "calico-node-3"]
    assert names(fact, "daemonsets") == ["calico-node"]
    assert names(fact, "services") == ["calico-typha"]
    assert fact["objects"]["configmaps"][0]["data"] == {"calico_backend": "bird", "other": ""}
    assert set(sources(fact).values()) <= {"ok", "absent"}


def test_others_are_only_counted(gather, api):
    fact = gather()
    assert fact["workload_pods"] == {"node-1": 2, "node-2": 2, "node-3": 1}
    assert fact["service_endpoints"] == {"node-1": 1}
    assert "app-1" not in json.dumps(fact)
    api.tables = False
    assert gather()["workload_pods"] == fact["workload_pods"]


def test_counting_can_be_left_out(gather, api):
    fact = gather(workloads=False)
    assert fact["workload_pods"] == {}
    assert fact["service_endpoints"] == {}
    assert "/api/v1/pods" not in api.paths()


def test_the_same_twice(gather):
    assert gather() == gather()


def test_pages_make_no_difference(gather, api):
    whole = gather()
    api.asked.clear()
    assert gather(page_size=1) == whole
    assert sum(path == "/api/v1/nodes" for path in api.paths()) == 3


def test_no_secret_comes_out(gather, api, canary):
    fact = gather()
    assert canary not in json.dumps(fact)
    assert [(one["name"], one["exists"], one["keys"], one["readable"]) for one in fact["secrets"]] == [
        ("bgp-secrets", True, ["other", "rr"], True),
        ("gone", False, [], True),
    ]
    asked = [path for path in api.paths() if "/secrets" in path]
    assert asked == [
        *("/api/v1/namespaces/calico-system/secrets/" + name for name in ("bgp-secrets", "gone")),
        # Where the move to the operator may have left it.
        "/api/v1/namespaces/kube-system/secrets/gone",
    ]


def test_only_reviews_are_sent(gather, api):
    gather()
    sent = {path for method, path, _query in api.asked if method != "GET"}
    assert sent == {"/apis/authorization.k8s.io/v1/subjectaccessreviews"}


def test_what_calico_node_may_not_read_is_said(gather, api):
    api.readable = False
    assert "calico-node in calico-system may not get, list, watch it" in gather()["secrets"][0]["why"]


def granted():
    """What the shipped manifest grants, as a function of what is asked."""
    yaml = pytest.importorskip("yaml")
    rules = []
    for one in yaml.safe_load(RBAC.read_text(encoding="utf-8"))["items"]:
        if one["kind"] in ("Role", "ClusterRole"):
            rules += [(one["metadata"].get("namespace"), rule) for rule in one["rules"]]

    def allowed(verb, group, resource, namespace, name):
        return any(
            where in (None, namespace)
            and group in rule["apiGroups"]
            and resource in rule["resources"]
            and verb in rule["verbs"]
            and (not rule.get("resourceNames") or name in rule["resourceNames"])
            for where, rule in rules
        )

    return allowed


def test_the_shipped_role_is_enough(gather, api):
    everything = gather()
    api.allowed = granted()
    fact = gather()
    assert fact["secrets"][0]["exists"] is None
    assert "Role with get on secrets" in fact["secrets"][0]["why"]
    assert {**fact, "secrets": []} == {**everything, "secrets": []}


def test_the_shipped_role_grants_nothing_that_is_not_asked(gather, api):
    api.allowed = granted()
    api.objects[f"{CRD}/tiers"] = []
    asked = set()

    def note(verb, group, resource, namespace, name):
        asked.add((verb, group, resource))
        return granted_now(verb, group, resource, namespace, name)

    granted_now, api.allowed = api.allowed, note
    api.objects["/apis/projectcalico.org/v3/tiers"] = []
    api.objects["/apis/operator.tigera.io/v1/installations"] = api.objects[
        "/apis/operator.tigera.io/v1/tigerastatuses"
    ] = []
    gather()
    yaml = pytest.importorskip("yaml")
    documents = [one for one in yaml.safe_load(RBAC.read_text(encoding="utf-8"))["items"] if "rules" in one]
    for rule in (rule for one in documents for rule in one["rules"]):
        for resource in rule["resources"]:
            if "tier" in resource and "status" not in resource:
                continue  # asked by Calico's API server, not by us
            for verb in rule["verbs"]:
                assert any((verb, group, resource) in asked for group in rule["apiGroups"]), (verb, resource)


def test_an_account_without_rights(gather, api):
    api.allowed = lambda *_asked: False
    fact = gather()
    assert fact["reached"] is True
    assert sources(fact)["nodes"] == "forbidden"
    assert "rbac.yml" in detail(fact, "nodes")
    assert {sources(fact)[name] for name in ("bgppeers", "apiservices", "pods", "workload_pods")} == {"forbidden"}
    assert fact["objects"] == {}
    assert fact["group"] == ""


@pytest.mark.parametrize("code", [401, 403, 404, 405, 410, 429, 500, 502, 503, 504])
def test_one_kind_that_fails_costs_itself_only(gather, api, answer_with, code):
    whole = gather()
    api.hooks[f"{CRD}/bgppeers"] = answer_with.code(code, "Reason")
    fact = gather()
    expected = {403: "forbidden", 404: "absent"}.get(code, "failed")
    assert sources(fact)["bgppeers"] == expected
    assert len(detail(fact, "bgppeers")) > 20
    assert fact["objects"]["nodes"] == whole["objects"]["nodes"]
    assert sum(path == f"{CRD}/bgppeers" for path in api.paths()) <= 8


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"<html>log in</html>", b"\xff\xfe", b'{"items": 5}', b"[" * 100000]
)
def test_broken_answers_cost_their_kind_only(gather, api, answer_with, raw):
    api.hooks["/api/v1/nodes"] = answer_with.raw(raw)
    fact = gather()
    assert "nodes" not in fact["objects"]
    assert sources(fact)["ippools"] == "ok"
    if raw != b'{"items": 5}':
        assert sources(fact)["nodes"] == "failed"
        assert "no JSON object" in detail(fact, "nodes")
        assert sources(fact)["workload_pods"] == "partial"


def test_errors_that_pass_are_not_told(gather, api, answer_with):
    whole = gather()
    api.hooks["/api/v1/nodes"] = answer_with.code(503, until=2)
    api.hooks[f"{CRD}/ippools"] = answer_with.code(429, headers=[("Retry-After", "0")], until=3)
    api.hooks[f"{CRD}/bgppeers"] = answer_with.half(until=1)
    api.hooks["/apis/apps/v1/daemonsets"] = answer_with.code(410, until=1)
    assert gather() == whole


def test_a_list_that_breaks_off_is_partial(gather, api, answer_with):
    def hook(handler, before):
        if before:
            return answer_with.code(500)(handler, 0)
        return False

    api.hooks["/api/v1/nodes"] = hook
    fact = gather(page_size=4)
    assert sources(fact)["nodes"] == "partial"
    assert names(fact, "nodes") == ["node-1", "node-2"]


def test_a_stale_token_begins_the_list_anew(gather, api, answer_with):
    def hook(handler, before):
        return answer_with.code(410, "Expired")(handler, 0) if before == 1 else False

    api.hooks["/api/v1/nodes"] = hook
    assert names(gather(page_size=2), "nodes") == ["node-1", "node-2", "node-3"]


def test_lists_without_an_end_are_given_up(gather, api):
    def hook(handler, before):
        handler.send(200, {"items": [], "metadata": {"continue": "again"}})
        return True

    api.hooks["/api/v1/nodes"] = api.hooks["/apis/discovery.k8s.io/v1/endpointslices"] = hook
    fact = gather()
    assert "circles" in detail(fact, "nodes")
    assert api.paths().count("/api/v1/nodes") == 2


@pytest.mark.parametrize(
    ("hook", "words"),
    [
        (("code", 401), "have expired, were revoked"),
        (("code", 500), "Look at kube-apiserver"),
        (("code", 503), "Look at kube-apiserver"),
        (("code", 404), "is no API server"),
        (("code", 302), "redirects elsewhere"),
        (("raw", b"<html>"), "is no JSON object"),
        (("half",), "closed the connection"),
    ],
)
def test_an_api_that_is_none_is_not_reached(gather, api, answer_with, hook, words):
    api.hooks["/version"] = getattr(answer_with, hook[0])(*hook[1:])
    fact = gather()
    assert fact["reached"] is False
    assert words in fact["why"]
    assert fact["sources"] == [{"source": "api", "status": "failed", "detail": fact["why"], "count": 0}]
    assert fact["objects"] == {}
    assert fact["taken_at"]


def test_version_may_be_forbidden(gather, api, answer_with):
    api.hooks["/version"] = answer_with.code(403)
    fact = gather()
    assert (fact["reached"], fact["version"]) == (True, "")


def test_nobody_there(gather, api, transport):
    transport.server = "http://127.0.0.1:1"
    fact = gather()
    assert fact["reached"] is False
    assert "Nothing listens at http://127.0.0.1:1" in fact["why"]


@pytest.mark.parametrize("piece", [b"", b" "])
def test_an_api_that_hangs_is_waited_for_only_so_long(monkeypatch, gather, api, answer_with, piece):
    monkeypatch.setattr(greeting, "_ALL", 2)
    monkeypatch.setattr(greeting, "_ALL_AT_LEAST", 2.0)
    monkeypatch.setattr(reading, "_GRACE", 0.2)
    api.hooks["/api/v1/nodes"] = answer_with.slow(6, piece)
    began = time.monotonic()
    fact = gather(timeout=0.5)
    assert time.monotonic() - began < 5
    assert fact["reached"] is True
    assert sources(fact)["nodes"] == "failed"
    assert sources(fact)["ippools"] == "ok"


def test_an_api_that_dies_meanwhile_is_not_asked_again_and_again(monkeypatch, gather, api, transport):
    real = transport.request
    lock = threading.Lock()
    count = [0]

    def request(method, path, *rest):
        with lock:
            count[0] += 1
            if count[0] == 3:
                transport.server = "http://127.0.0.1:1"
        return real(method, path, *rest)

    transport.request = request
    fact = gather()
    assert fact["reached"] is True
    assert sources(fact)["ippools"] == "failed"
    assert count[0] < 40


def test_a_missing_daemon_set(gather, api):
    api.objects["/apis/apps/v1/daemonsets"] = []
    fact = gather()
    assert sources(fact)["daemonsets"] == "ok"
    assert len(names(fact, "pods")) == 3
    assert names(fact, "validatingwebhookconfigurations") == ["policy"]
    assert fact["secrets"][0]["exists"] is None


def test_a_webhook_that_nobody_answers(gather):
    (configuration,) = gather()["objects"]["validatingwebhookconfigurations"]
    (hook,) = configuration["webhooks"]
    assert hook["name"] == "pods.example.org"
    assert hook["clientConfig"] == {"service": {"namespace": "policy", "name": "hook", "endpointsReady": 0}}


def test_both_groups_and_native(gather, api):
    v3 = {one.replace("crd.projectcalico.org/v1", "projectcalico.org/v3"): [] for one in api.objects if CRD in one}
    service = {"metadata": {"name": "v3.projectcalico.org"}, "spec": {"service": {"name": "calico-api"}}}
    api.objects.update(v3)
    api.objects["/apis/apiregistration.k8s.io/v1/apiservices"] = [service]
    fact = gather()
    assert (fact["group"], fact["native_v3"]) == ("crd.projectcalico.org/v1", False)
    assert names(fact, "ippools") == ["default"]
    service["spec"] = {}
    for path in [one for one in api.objects if CRD in one]:
        api.objects[path.replace("crd.projectcalico.org/v1", "projectcalico.org/v3")] = api.objects.pop(path)
    fact = gather()
    assert (fact["group"], fact["native_v3"]) == ("projectcalico.org/v3", True)
    assert names(fact, "ippools") == ["default"]


def test_policies_of_nobody_are_dropped(gather, api):
    api.objects[f"{CRD}/globalnetworkpolicies"] = [{"metadata": {"name": "p"}, "spec": {"selector": "all()"}}]
    assert "globalnetworkpolicies" not in gather()["objects"]
    api.objects[f"{CRD}/hostendpoints"] = [{"metadata": {"name": "h"}, "spec": {"node": "node-1"}}]
    assert names(gather(), "globalnetworkpolicies") == ["p"]


@pytest.mark.parametrize(
    "wrong", [None, 5, "text", [], {}, {"metadata": None}, {"metadata": 5, "spec": [], "status": "x"}]
)
def test_objects_of_any_shape(gather, api, wrong):
    for path in list(api.objects):
        if "secrets" not in path:
            api.objects[path] = [*api.objects[path], wrong] if not isinstance(wrong, dict) else api.objects[path]
    del api.tables
    api.tables = False
    assert gather()["reached"] is True


def test_every_kind_that_is_read_can_be_pruned():
    assert set(prune.BY_KIND) >= set(reading._WORKLOADS)


def test_options():
    found = options.spec(lambda *_names: None)
    assert found["api_key"]["no_log"] is True
    assert found["kubeconfig"]["fallback"][1] == ["K8S_AUTH_KUBECONFIG"]
    fine = {"timeout": 30.0, "page_size": 500, "host": None, "context": None}
    assert options.out_of_range(fine) == ""
    for wrong in ({"timeout": 0}, {"page_size": 0}, {"host": "h", "context": "c"}):
        assert options.out_of_range({**fine, **wrong})
