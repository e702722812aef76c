# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who a client is: bearer tokens of the administrator and of service accounts, and impersonation.

Tokens of service accounts have the form and claims of real ones, but are signed with a shared secret (HS256): only this
server ever reads them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .store import Store

AUTHENTICATED = "system:authenticated"
MASTERS = "system:masters"
ISSUER = "https://kubernetes.default.svc.cluster.local"
_PREFIX = "system:serviceaccount:"


class User(NamedTuple):
    """Somebody: name, groups, uid ("" where there is none)."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""

    def described(self) -> dict[str, Any]:
        """As reviews show it (UserInfo)."""
        found: dict[str, Any] = {"username": self.name}
        if self.uid:
            found["uid"] = self.uid
        return {**found, "groups": list(self.groups)}


ADMINISTRATOR = User("kubernetes-admin", (MASTERS, AUTHENTICATED))
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account is."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{_PREFIX}{namespace}:{name}", groups, uid)


class Tokens:
    """Issues and reads tokens."""

    def __init__(self, administrator: str, secret: bytes) -> None:
        """`administrator`: the token of group system:masters. `secret` signs all others."""
        self.administrator = administrator
        self._secret = secret

    def issue(self, namespace: str, name: str, uid: str, seconds: int, audiences: tuple[str, ...] = (ISSUER,)) -> str:
        """A token of a service account that is good for so many seconds."""
        now = int(time.time())
        claims = {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "nbf": now,
            "sub": f"{_PREFIX}{namespace}:{name}",
        }
        signed = f"{_coded(json.dumps({'alg': 'HS256'}).encode())}.{_coded(json.dumps(claims).encode())}"
        return f"{signed}.{_coded(self._signature(signed))}"

    def user(self, token: str, store: Store) -> User:
        """Who a token stands for; Unauthorized if it is nobody's, has expired or its service account is gone."""
        if hmac.compare_digest(token.encode(), self.administrator.encode()):
            return ADMINISTRATOR
        claims = self._claims(token)
        if claims.get("exp", 0) <= time.time():
            raise unauthorized()
        place = claims["kubernetes.io"]
        namespace, account = place["namespace"], place["serviceaccount"]
        found = store.peek(store.kinds.find("serviceaccounts"), namespace, account["name"])
        if found is None or found.uid != account["uid"]:
            raise unauthorized()
        return service_account(namespace, account["name"], found.uid)

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _dot, signature = token.rpartition(".")
        try:
            if not hmac.compare_digest(_plain(signature), self._signature(signed)):
                raise unauthorized()
            claims: dict[str, Any] = json.loads(_plain(signed.partition(".")[2]))
        except (binascii.Error, ValueError):
            raise unauthorized() from None
        return claims

    def _signature(self, signed: str) -> bytes:
        return hmac.new(self._secret, signed.encode(), hashlib.sha256).digest()


def authenticate(headers: Mapping[str, str], tokens: Tokens, store: Store) -> User:
    """Whose request this is; anonymous without credentials, Unauthorized with wrong ones."""
    scheme, _space, token = headers.get("authorization", "").partition(" ")
    if not scheme:
        return ANONYMOUS
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthorized()
    return tokens.user(token.strip(), store)


def impersonated(headers: Mapping[str, str]) -> User | None:
    """As whom the client wants to act (`kubectl --as`), None if as itself."""
    name = headers.get("impersonate-user", "")
    if not name:
        return None
    groups = tuple(each.strip() for each in headers.get("impersonate-group", "").split(",") if each.strip())
    if name.startswith(_PREFIX) and name.count(":") == 3 and not groups:
        namespace, account = name[len(_PREFIX) :].split(":")
        return service_account(namespace, account)
    return User(name, (*groups, *(() if AUTHENTICATED in groups else (AUTHENTICATED,))))


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
