# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""C(kubectl) as a way to the API, where the C(kubernetes) client is not installed: on a control-plane node, say.

One process for each request, so it is slower, and it always fetches whole objects.
"""

from __future__ import annotations

import json
import subprocess

from .._host import commands
from .._record import NamedTuple
from . import problems, redact, trouble
from .asking import LARGEST_PAGE, Answer
from .problems import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .access import Access

# Each is a process with some ten threads and fifty megabytes.
WORKERS = 3
# Where it is, beside the usual directories, and what stands for it where a distribution brings its own.
_PROGRAMS = (
    ("kubectl",),
    ("/var/lib/rancher/rke2/bin/kubectl",),
    ("/usr/local/bin/k3s", "kubectl"),
    ("microk8s.kubectl",),
    ("microk8s", "kubectl"),
)
_ERROR = "Error from server"
# What it asks for on standard output when it has no credentials at all.
_PROMPT = "Please enter Username"
_LONGER_THAN_IT = 5.0
# Which command sends what it reads to a path as it is; none does so with PATCH.
_SENT_BY = {"POST": "create", "PUT": "replace", "DELETE": "delete"}
_INVALID = " is invalid"
_DENIED = "denied the request"


class Program(NamedTuple):
    """How kubectl is called. `own`: it needs no kubeconfig, for it belongs to a distribution."""

    argv: tuple[str, ...]
    own: bool = False


def find(program: str) -> Program | None:
    """Return the kubectl to use: the program named, or with 'auto' or '' the first there is. None if there is none."""
    if program not in ("", "auto"):
        path = commands.find_program(program)
        return Program((path,)) if path else None
    for name, *rest in _PROGRAMS:
        path = commands.find_program(name)
        if path:
            return Program((path, *rest), bool(rest) or name != "kubectl")
    return None


class Kubectl:
    """A way to the API. Its request() may be called by several threads at once."""

    via = "kubectl"
    workers = WORKERS
    patches = False

    def __init__(self, access: Access, program: Program) -> None:
        """Ask nobody yet but kubectl itself. Raises ApiError."""
        for name, shows in (
            ("api_key", "everybody on this host would see it"),
            ("proxy", "kubectl has no option for it"),
        ):
            if getattr(access, name) and not access.in_cluster:
                raise ApiError(
                    problems.CONFIG,
                    f"The option {name} cannot be used with kubectl: {shows}. Put it into a kubeconfig, or install the "
                    "Python library kubernetes.",
                )
        self.where = access.where
        self._argv = [*program.argv, *_flags(access)]
        self.server = self._server() if not access.host else redact.text(access.host)

    def request(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        accept: str,
        body: dict[str, Any] | None,
        seconds: float,
    ) -> Answer:
        """Return the answer, whatever its status. Raises ApiError if there is none. `accept` cannot be passed on."""
        from urllib.parse import urlencode

        del accept
        raw = path + (f"?{urlencode(query)}" if query else "")
        limit = [f"--request-timeout={max(seconds, 1.0):.0f}s"]
        if method in _SENT_BY:
            return self._send([*self._argv, *limit, _SENT_BY[method], "--raw", raw, "-f", "-"], body, seconds)
        ran = commands.run([*self._argv, *limit, "get", "--raw", raw], seconds + _LONGER_THAN_IT, LARGEST_PAGE + 1)
        if ran.failure.startswith("more than"):
            return Answer(200, ran.stdout.encode())
        return self._told(ran.rc, ran.stdout, ran.stderr, ran.failure, seconds)

    def _send(self, argv: list[str], body: dict[str, Any] | None, seconds: float) -> Answer:
        try:
            done = subprocess.run(
                argv,
                input=json.dumps(body).encode(),
                capture_output=True,
                timeout=seconds + _LONGER_THAN_IT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return self._told(-1, "", "", "timeout", seconds)
        except OSError as error:
            return self._told(-1, "", "", str(error), seconds)
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        return self._told(done.returncode, out, err, "", seconds)

    def _told(self, status: int, out: str, err: str, failure: str, seconds: float) -> Answer:
        if failure == "timeout":
            raise problems.of_connection("timeout", self.server, self.where, f" within {seconds:.0f} s")
        if failure:
            raise ApiError(problems.CONFIG, f"{self._argv[0]} could not be run ({failure}). Name another with kubectl.")
        if status == 0:
            return Answer(200, out.encode())
        if problems.ANONYMOUS in err or "getting credentials" in err:
            raise problems.nobody(self.where)
        answer = parse_error(err)
        if answer is not None:
            return answer
        if _PROMPT in out:
            raise ApiError(
                problems.UNAUTHORISED,
                f"There are no credentials for {self.server} in {self.where}. Use a kubeconfig that has some.",
            )
        found = trouble.of_text(err)
        if not found and ("context" in err or "kubeconfig" in err or "error loading config" in err):
            raise ApiError(problems.CONFIG, f"kubectl cannot use {self.where}: {_first_line(err)}.")
        raise problems.of_connection(found, self.server, self.where, "" if found else _first_line(err))

    def _server(self) -> str:
        """Return the address in the kubeconfig, without what is secret; words if kubectl does not tell."""
        path = "jsonpath={.clusters[0].cluster.server}"
        ran = commands.run([*self._argv, "config", "view", "--minify", "-o", path], 10.0)
        return redact.text(ran.stdout.strip(), 300) if ran.rc == 0 and "://" in ran.stdout else "the API server"


def _flags(access: Access) -> list[str]:
    if access.in_cluster:
        return []  # kubectl knows a pod's account itself
    flags = []
    for name, value in (
        ("kubeconfig", access.kubeconfig if ":" not in access.kubeconfig else ""),
        ("context", access.context),
        ("server", access.host),
        ("certificate-authority", access.ca_cert),
    ):
        if value:
            flags.append(f"--{name}={value}")
    if access.validate_certs is False:
        flags.append("--insecure-skip-tls-verify=true")
    return flags


def parse_error(err: str) -> Answer | None:
    """Return the API's answer that kubectl's complaint stands for, None if it is about something else.

    Forms (kubectl 1.20 to 1.32): "Error from server (NotFound): the server could not find …", "error: You must be
    logged in to the server (Unauthorized)", 'The IPPool "default" is invalid: spec.cidr: …', of several causes one in a
    line. What a webhook denies has the status that the webhook likes; as kubectl does not tell it, it counts as 400.
    """
    for line in err.splitlines():
        if "You must be logged in to the server" in line:
            return Answer(401, b"")
        if line.startswith(_ERROR):
            reason, _colon, message = line[len(_ERROR) :].partition(": ")
            status = problems.status_of_reason(reason.strip(" ()")) or (400 if _DENIED in line else 500)
            return _answer(status, message)
        if line.startswith(("The ", "* The ")) and _INVALID in line:
            return _answer(422, " ".join(one.strip() for one in err[err.index(line) :].splitlines()[:6]))
    return None


def _answer(status: int, message: str) -> Answer:
    return Answer(status, json.dumps({"kind": "Status", "message": redact.text(message, 500)}).encode())


def _first_line(err: str) -> str:
    lines = [line for line in err.splitlines() if line.strip() and not line.startswith(("E1", "W1", "I1"))]
    return redact.text(" ".join((lines or ["it says nothing"])[0].split()), 200).rstrip(".")
