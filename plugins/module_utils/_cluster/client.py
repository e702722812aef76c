# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C(kubernetes) client as a way to the API: it knows kubeconfigs, their plugins for credentials, proxies and TLS.

Only its configuration and its pool of connections are used. Its classes for objects cost more time than all the rest
together, so answers are taken as bytes. Versions differ in how requests are made through its own functions; the pool
is the same in all.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time

from . import problems, redact, trouble
from .asking import LARGEST_PAGE, Answer
from .kinds import JSON, MERGE
from .problems import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .access import Access

WORKERS = 8
_CONNECT_SECONDS = 10.0
_PIECE = 256 * 1024
_PLUGIN = re.compile(r"""(?:^|[\s{,])["']?(?:exec|auth-provider)["']?[ \t]*:""")


def why_not() -> str:
    """Return why the client cannot be used here, '' if it can."""
    try:
        import kubernetes.client
        import kubernetes.config  # noqa: F401
    except ImportError as error:
        return f"The Python library kubernetes cannot be imported ({error.name or 'it is broken'} is missing)"
    except Exception as error:  # noqa: BLE001 - a broken installation raises anything
        return f"The Python library kubernetes cannot be imported ({type(error).__name__})"
    return ""


class Client:
    """A way to the API. Its request() may be called by several threads at once."""

    patches = True

    def __init__(self, access: Access) -> None:
        """Read the configuration and open nothing yet. Raises ApiError."""
        self.via = "in-cluster" if access.in_cluster else "kubernetes client"
        self.where = access.where
        self.workers = WORKERS
        configuration = _configuration(access)
        self._secrets = [*access.secrets, *(str(one) for one in configuration.api_key.values())]
        self._host = str(configuration.host or "").rstrip("/")
        if self._host in ("", "None"):
            raise ApiError(problems.CONFIG, f"{self.where} names no server. Get a new one, or name another.")
        self.server = redact.without(self._host, self._secrets)
        self._configuration, self._pool = configuration, _pool(configuration, access)
        self._expiry = _expiry(configuration)
        self.anonymous = not _has_credentials(configuration)

    def request(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        accept: str,
        body: dict[str, Any] | None,
        seconds: float,
    ) -> Answer:
        """Return the answer, whatever its status. Raises ApiError if there is none."""
        from urllib.parse import urlencode

        import urllib3

        headers = {
            "Accept": accept,
            "Accept-Encoding": "gzip",
            "User-Agent": "netmedic.calico",
            **self._authorisation(),
        }
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), MERGE if method == "PATCH" else JSON
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        timeout = urllib3.Timeout(connect=min(_CONNECT_SECONDS, seconds), read=seconds)
        until = time.monotonic() + seconds
        response = None
        try:
            response = self._pool.request(
                method,
                url,
                headers=headers,
                body=data,
                timeout=timeout,
                preload_content=False,
                retries=False,
                redirect=False,
            )
            found = Answer(
                response.status,
                _read(response, until),
                response.headers.get("Date", ""),
                response.headers.get("Retry-After", ""),
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise self._problem(error, response is not None, seconds) from None
        if found.status in (401, 403) and problems.ANONYMOUS.encode() in found.body:
            raise problems.nobody(self.where)
        if found.status == 401 and self._expiry:
            raise ApiError(problems.UNAUTHORISED, f"The API at {self.server} does not accept {self._expiry}")
        return found

    def _authorisation(self) -> dict[str, str]:
        """Return the header with the credentials; a plugin may renew them here."""
        try:
            settings = self._configuration.auth_settings().values()
        except Exception as error:  # noqa: BLE001 - what a plugin that renews credentials comes to grief over
            raise ApiError(
                problems.UNAUTHORISED,
                f"The credentials from {self.where} could not be renewed ({type(error).__name__}). Log in again.",
            ) from None
        return {
            str(one["key"]): str(one["value"]) for one in settings if one.get("in") == "header" and one.get("value")
        }

    def _problem(self, error: Exception, answered: bool, seconds: float) -> ApiError:
        found = trouble.of_error(error)
        if answered and found != "timeout":
            return ApiError(problems.BROKEN, f"{self.server} broke off in the middle of an answer.")
        if found == "timeout":
            return problems.of_connection(found, self.server, self.where, f" within {seconds:.0f} s")
        return problems.of_connection(found, self.server, self.where, "" if found else _said(error, self._secrets))


def _said(error: Exception, secrets: Sequence[str]) -> str:
    text = redact.without(" ".join(str(error).split()), secrets)
    return f"{type(error).__name__}: {text}"[:200]


def _read(response: Any, until: float) -> bytes:
    """Return an answer's body, up to what a page may have. Raises what the library raises, and TimeoutError."""
    pieces, size = [], 0
    try:
        for piece in response.stream(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_PAGE:
                break
            if time.monotonic() > until:
                raise TimeoutError("timed out")
        else:
            response.release_conn()
            return b"".join(pieces)
    except BaseException:
        response.close()
        raise
    response.close()
    return b"".join(pieces)


def _configuration(access: Access) -> Any:
    """Return the library's configuration for this access. Raises ApiError."""
    from kubernetes import client

    configuration = client.Configuration()
    if access.kubeconfig:
        _load(configuration, access)
    if access.host:
        configuration.host = access.host
    if access.api_key:
        configuration.api_key = {"authorization": f"Bearer {access.api_key}"}
        configuration.api_key_prefix = {}
        configuration.refresh_api_key_hook = None
    if access.ca_cert:
        configuration.ssl_ca_cert = access.ca_cert
    if access.validate_certs is not None:
        configuration.verify_ssl = access.validate_certs
    if access.proxy:
        configuration.proxy = access.proxy
    configuration.connection_pool_maxsize = WORKERS
    configuration.retries = False
    return configuration


def _load(configuration: Any, access: Access) -> None:
    """Read the kubeconfig. Nothing is written back to it."""
    import contextlib
    import io
    import logging

    from kubernetes import config

    # The library logs what a plugin for credentials printed, and goes on without any; on a terminal it lets it print.
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=access.kubeconfig,
                context=access.context or None,
                client_configuration=configuration,
                persist_config=False,
            )
    except Exception as error:  # noqa: BLE001 - whatever is wrong in the file, the library stumbles over it somewhere
        raise ApiError(problems.CONFIG, _why_not_loaded(access, error)) from None
    finally:
        logging.disable(before)
    if not _has_credentials(configuration) and not access.api_key and _names_plugin(access.kubeconfig):
        raise problems.nobody(access.where)


def _has_credentials(configuration: Any) -> bool:
    return bool(configuration.api_key or configuration.cert_file or configuration.username)


def _names_plugin(path: str) -> bool:
    """Say whether one of these files (with colons between) gets credentials from a program or a provider."""
    return any(_PLUGIN.search(_start_of(one)) for one in path.split(os.pathsep))


def _start_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(4 * 1024 * 1024)
    except OSError:
        return ""


def _why_not_loaded(access: Access, error: Exception) -> str:
    from kubernetes import config

    if isinstance(error, OSError) and error.filename and error.filename != access.kubeconfig:
        return f"The file {error.filename}, which {access.where} names, cannot be read: {error.strerror}."
    if access.context:
        try:
            contexts: Any = config.list_kube_config_contexts(access.kubeconfig)  # type: ignore[no-untyped-call]
            names = [str(one["name"]) for one in contexts[0]]
        except Exception:  # noqa: BLE001 - the file as such is unusable, which the other sentence says
            names = []
        if names and access.context not in names:
            shown = ", ".join(sorted(names)[:10])
            return f"There is no context {access.context} in {access.where}; there are: {shown}."
    said = ""
    if type(error).__name__ == "ConfigException":
        # Behind "in" the library prints the whole entry, with certificates and keys.
        lacking = re.match(r"(?s).{0,200}Expected (?:key|object with name) ([\w.@:/-]{1,100}) in ", str(error))
        absent = re.match(r"File does not exist: ([^\n]{1,300})", str(error))
        told = f"it has no {lacking[1]}" if lacking else absent[0] if absent else ""
        said = f" ({redact.without(told, access.secrets)})" if told else ""
    return f"{access.where[0].upper()}{access.where[1:]} is no usable kubeconfig{said}. Get a new one, or name another."


def _pool(configuration: Any, access: Access) -> Any:
    """Return the library's pool of connections. Raises ApiError if certificates cannot be loaded."""
    from kubernetes import client

    try:
        if not configuration.verify_ssl:
            import urllib3

            urllib3.disable_warnings()
        return client.ApiClient(configuration).rest_client.pool_manager
    except Exception as error:  # noqa: BLE001 - files of certificates, URLs of proxies: all that was configured
        said = redact.without(str(error), access.secrets)[:200]
        raise ApiError(problems.CONFIG, f"What {access.where} says cannot be used: {said}.") from None


def _expiry(configuration: Any) -> str:
    """Return a sentence's end about credentials which tell themselves that they are past their time; '' otherwise."""
    token = next((str(one) for one in configuration.api_key.values()), "")
    at = expiry_of_token(token.rpartition(" ")[2])
    if at is not None and at < time.time():
        return f"the token, which expired at {_shown(at)} (401). Get a new one and run again."
    at = _expiry_of_certificate(configuration.cert_file)
    if not token and at is not None and at < time.time():
        return (
            f"the client certificate in the kubeconfig, which expired at {_shown(at)} (401). Renew it (kubeadm certs "
            "renew admin.conf, or log in again) and run again."
        )
    return ""


def _shown(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def expiry_of_token(token: str) -> float | None:
    """Return when a JSON web token expires, None if it is none or never does."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    at = claims.get("exp") if isinstance(claims, dict) else None
    return float(at) if isinstance(at, (int, float)) and not isinstance(at, bool) and 0 < at < 1e11 else None


def _expiry_of_certificate(path: str | None) -> float | None:
    if not path:
        return None
    from .._host import x509

    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            dates, _broken = x509.parse_pem(stream.read(256 * 1024))
    except OSError:
        return None
    return dates[0][1] if dates else None
