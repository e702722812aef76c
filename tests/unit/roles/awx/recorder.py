# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that keeps what the modules of awx.awx send it and gives it back.

It is no AWX: it checks nothing and runs nothing.
"""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

API = "/api/v2/"
# Of these the list of unified_job_templates has all, with this type.
UNIFIED = {"job_templates": "job_template", "workflow_job_templates": "workflow_job_template"}
LINKS = ("credentials", "always_nodes", "success_nodes", "failure_nodes", "notification_templates_")


class Recorder:
    """Objects by kind, links between them, surveys, and the secrets that came in headers."""

    def __init__(self, present):
        self.kinds, self.linked, self.surveys, self.tokens, self.asked = {}, {}, {}, set(), []
        for kind, name in present:
            self.create(kind, {"name": name})

    def named(self, kind):
        return {one.get("identifier") or one["name"]: one for one in self.kinds.get(kind, {}).values()}

    def links(self, kind, name, link):
        """The identifiers or names of what is linked with an object."""
        found = self.linked.get(f"{kind}/{self.named(kind)[name]['id']}/{link}", [])
        return [one.get("identifier") or one["name"] for one in found]

    def create(self, kind, fields):
        number = sum(map(len, self.kinds.values())) + 1
        url = f"{API}{kind}/{number}/"
        made = {
            "scm_revision": "",
            "summary_fields": {},
            "type": UNIFIED.get(kind, kind),
            **fields,
            "id": number,
            "url": url,
        }
        made["related"] = {"survey_spec": f"{url}survey_spec/"}
        return self.kinds.setdefault(kind, {}).setdefault(number, made)

    def get(self, path, wanted):
        parts = path.split("/")
        if parts[-1] == "survey_spec":
            return 200, self.surveys.get(path, {})
        if len(parts) == 2:
            return 200, self.kinds[parts[0]][int(parts[1])]
        found = self.linked.get(path, []) if len(parts) == 3 else self._all(path)
        wanted.pop("organization", None)
        matching = [one for one in found if all(str(one.get(key)) == value for key, value in wanted.items())]
        return 200, {"count": len(matching), "next": None, "results": matching}

    def _all(self, kind):
        if kind == "unified_job_templates":
            return [one for each in UNIFIED for one in self.kinds.get(each, {}).values()]
        return list(self.kinds.get(kind, {}).values())

    def post(self, path, data):
        parts = path.split("/")
        if parts[-1] == "survey_spec":
            self.surveys[path] = data
            return 200, {}
        if parts[-1] == "create_approval_template":
            made = self.create("workflow_approval_templates", data)
            self.kinds[parts[0]][int(parts[1])]["related"]["unified_job_template"] = made["url"]
            return 201, made
        if len(parts) == 3 and parts[-1].startswith(LINKS):
            linked = self.linked.setdefault(path, [])
            linked.append(next(one for each in self.kinds.values() for one in each.values() if one["id"] == data["id"]))
            return 204, None
        return 201, self.create(path, data)

    def patch(self, path, data):
        kind, number = path.split("/")
        self.kinds[kind][int(number)].update(data)
        return 200, self.kinds[kind][int(number)]


@contextlib.contextmanager
def serving(recorder):
    """The address at which it listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(lambda path, query, _data: recorder.get(path, query))

        def do_POST(self):
            self._answer(lambda path, _query, data: recorder.post(path, data))

        def do_PATCH(self):
            self._answer(lambda path, _query, data: recorder.patch(path, data))

        def _answer(self, answer):
            url = urlsplit(self.path)
            data = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            path = url.path.removeprefix(API).strip("/")
            recorder.tokens.add(self.headers.get("Authorization"))
            recorder.asked.append((self.command, path))
            status, body = answer(path, dict(parse_qsl(url.query)), data)
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
