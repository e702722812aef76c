# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the readers of an API server's answers are called: one answers everything with what the fuzzer wants."""

from __future__ import annotations

import importlib
import json
import time
from typing import Any

_CLUSTER = "ansible_collections.netmedic.calico.plugins.module_utils._cluster"
_ALL_SECONDS = 60.0
_PAGE = 500


def _module(name: str) -> Any:
    return importlib.import_module(f"{_CLUSTER}.{name}")


class Answers:
    """Stands in for a way to the API: every request is answered with the same bytes."""

    via = where = "the fuzzer"
    server = "https://api"
    workers = 1
    patches = True

    def __init__(self, data: bytes) -> None:
        self._answer = _module("asking").Answer(200, data, data[:40].decode("utf-8", "replace"))

    def request(self, *_request: Any) -> Any:
        """Return them."""
        return self._answer


def api_answers(data: bytes) -> Any:
    """Read an answer as every kind of list, as single objects, as what is counted, as what is served."""
    kinds, pods = _module("kinds"), _module("calico_pods")
    asker = _module("asking").Asker(Answers(data), 1.0, time.monotonic() + _ALL_SECONDS, sleep=lambda _seconds: None)
    reader = _module("lists").Reader(asker, _PAGE)
    got = [reader.attempt(kinds.Kind(plural), "", ()) for plural in sorted(_module("prune").BY_KIND)]
    for counter in (_module("counting").Pods(()), _module("counting").Endpoints()):
        try:
            got.append(reader.count("counted", kinds.PODS, counter))
        except _module("problems").ApiError as problem:
            got.append(_module("lists").failed("counted", problem))
    found = pods.workloads([one for part in got for one in part.objects][:50])
    got += [pods.pods(reader, found[:2]), pods.config_maps(reader, found[:1]), pods.events(reader, found[:2])]
    got += [pods.services(reader, pods.typha_services(found, [])[:2]), pods.labels_of_namespaces(reader, ["n"])[0]]
    for one in found[:10]:
        _module("webhooks").matching(one.found, pods.places(found[:5], {}))
    _module("secrets").look(asker, "n", "s", "a")
    fresh = _module("leases").without_fresh(_many(got), asker.date)
    return len(got), _served(asker), len(fresh.objects), _module("read")._time_of(asker.date)


def _many(got: Any) -> Any:
    objects = [one for part in got for one in part.objects] or [{}]
    return got[0]._replace(objects=(objects * 100)[:200])


def _served(asker: Any) -> Any:
    try:
        return len(_module("discover").ask(asker).plurals)
    except _module("problems").ApiError as problem:
        return problem.kind


def api_packed(data: bytes) -> Any:
    """Read packed objects."""
    try:
        told = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        told = None
    return len(_module("packing").unpack(told)), len(_module("packing").unpacked(told))


def api_complaints(data: bytes) -> Any:
    """Read what goes with errors: messages, kubectl's complaints, tokens."""
    problems, trouble, kubectl = _module("problems"), _module("trouble"), _module("kubectl")
    text = data.decode("utf-8", "replace")
    found: list[Any] = [problems.message_of(data), kubectl.parse_error(text), kubectl._first_line(text)]
    found += [trouble.of_text(text), trouble.of_error(OSError(text)), _module("client").expiry_of_token(text)]
    found += [_module("redact").without(text, ["known"]), _module("find").component(_pod(text))]
    found.append(problems.of_connection("", "https://api", "the fuzzer", text).sentence)
    return [str(one)[:200] for one in found]


def _pod(image: str) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "c", "image": image}]}}
