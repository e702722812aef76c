# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulated API of one lab: on the host's loopback, and at <gateway>:6443 for the lab's nodes.

It writes into the state directory: api/ (certificates and its log), kubeconfig (group system:masters),
kubeconfig-netmedic and kubeconfig-netmedic-remediate (service accounts of these names in the namespace netmedic), and,
once it answers, api.json:

    {"pid": 123, "port": 40001, "server": "https://127.0.0.1:40001", "inside": "https://10.200.0.254:6443",
     "kubeconfig": "/run/…/kubeconfig", "kubeconfig_netmedic": "/run/…/kubeconfig-netmedic",
     "control": "/run/…/api/control", "certificate_authority": "/run/…/api/ca.crt", "version": "v1.29.3+netmedic.lab"}

"inside" is "" in a state directory that is no lab's; a lab's fabric is waited for. The objects of the lab's cluster
come from `lab.controller.seed(state, store)` before the first request; `lab.controller.start(state, store)` follows.
"""

from __future__ import annotations

import importlib
import os
import secrets
import threading
from typing import Any, NamedTuple

from .. import fabric, topology
from ..api_process import SCHEMAS
from ..errors import LabError
from ..state import State
from . import certificates, kinds, listening
from .api import Api
from .control import SOCKET, Control
from .discovery import VERSION
from .errors import AlreadyExists
from .identity import Tokens
from .rules.validation import Schemas
from .server import Server, tls

PORT = 6443
NAMESPACE, ACCOUNTS = "netmedic", ("netmedic", "netmedic-remediate")
_TOKEN_SECONDS = 30 * 86400
_RETRY_SECONDS = 0.5


class Daemon(NamedTuple):
    """A running API and what it is made of."""

    api: Api
    server: Server
    control: Control
    controller: Any
    ended: threading.Event

    def stop(self) -> None:
        """Stop the controller, the control channel and the server."""
        self.ended.set()
        if self.controller is not None:
            self.controller.stop()
        self.control.stop()
        self.server.stop()


class Outages:
    """Lets the server refuse connections while a disturbance says that it is down for everybody."""

    def __init__(self, api: Api, server: Server) -> None:
        self._api = api
        self._server = server

    def changed(self) -> None:
        """Look at what is switched on, and again when the first of it ends."""
        down = [each for each in self._api.disturbances.settings() if _is_outage(each)]
        if not down:
            self._server.resume()
            return
        self._server.refuse()
        if all("for_seconds" in each for each in down):
            timer = threading.Timer(max(each["for_seconds"] for each in down) + 0.05, self.changed)
            timer.daemon = True
            timer.start()


def _is_outage(setting: dict[str, Any]) -> bool:
    limits = {"kinds", "verbs", "users", "count", "every"} & setting.keys()
    return setting["what"] == "down" and setting.get("how", "refused") == "refused" and not limits


def start(directory: str | None, *, calico: str = "crd", schemas: str | None = None, controlled: bool = True) -> Daemon:
    """Start the API of the lab in this directory; it answers when this returns. `controlled`: with the controller."""
    state = State(directory)
    state.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    gateway = _gateway(state)
    api = Api(
        kinds.served(calico),
        Tokens(secrets.token_urlsafe(32), secrets.token_bytes(32)),
        Schemas.load(schemas or os.environ.get(SCHEMAS) or None),
    )
    issued = certificates.issue(["127.0.0.1", *([gateway] if gateway else [])])
    for name, content in (("ca.crt", issued.authority), ("server.crt", issued.certificate), ("server.key", issued.key)):
        state.write_text(f"api/{name}", content)
    controller = _controller() if controlled else None
    if controller is not None:
        controller.seed(state, api.store)
    server = Server(api.answer, tls(state.path("api", "server.crt"), state.path("api", "server.key")))
    loopback = listening.bound("127.0.0.1")
    port = loopback.getsockname()[1]
    server.listen(loopback)
    ended = threading.Event()
    if gateway:
        waiting = threading.Thread(target=_listen_inside, args=(state, gateway, server, ended), daemon=True)
        waiting.start()
    outages = Outages(api, server)
    control = Control(state.path("api", SOCKET), api, outages.changed)
    _write_access(state, api, issued.authority, f"https://127.0.0.1:{port}")
    state.write(
        "api.json",
        {
            "pid": os.getpid(),
            "port": port,
            "server": f"https://127.0.0.1:{port}",
            "inside": f"https://{gateway}:{PORT}" if gateway else "",
            "kubeconfig": str(state.path("kubeconfig")),
            "kubeconfig_netmedic": str(state.path("kubeconfig-netmedic")),
            "control": str(state.path("api", SOCKET)),
            "certificate_authority": str(state.path("api", "ca.crt")),
            "version": VERSION,
        },
    )
    started = controller.start(state, api.store) if controller is not None else None
    if started is not None:
        api.log = started.log
    return Daemon(api, server, control, started, ended)


def _gateway(state: State) -> str:
    """The fabric's address in the first subnet, "" in a directory that is no lab's."""
    shape = state.read("lab.json")
    return topology.topology(shape["topology"]).subnets[0].gateway if isinstance(shape, dict) else ""


def _listen_inside(state: State, address: str, server: Server, ended: threading.Event) -> None:
    """Listen in the fabric's network, as soon as there is one: the machines of a lab start while this does."""
    while not ended.is_set():
        process = state.process(fabric.NAME)
        if process is not None:
            try:
                server.listen(listening.bound_in(process.pid, address, PORT))
            except OSError:
                pass  # its bridges are still being made
            else:
                return
        ended.wait(_RETRY_SECONDS)


def _controller() -> Any:
    """The lab's controller, None where there is none."""
    try:
        found = importlib.import_module("lab.controller")
    except ModuleNotFoundError as error:
        if error.name != "lab.controller":
            raise
        return None
    return found if hasattr(found, "seed") and hasattr(found, "start") else None


def _write_access(state: State, api: Api, authority: str, server: str) -> None:
    store = api.store
    accounts = store.kinds.find("serviceaccounts")
    for kind, place, obj in (
        (store.kinds.find("namespaces"), "", {"metadata": {"name": NAMESPACE}}),
        *((accounts, NAMESPACE, {"metadata": {"name": name}}) for name in ACCOUNTS),
    ):
        try:
            store.create(kind, place, obj)
        except AlreadyExists:
            continue
    for name in ACCOUNTS:
        token = api.tokens.issue(NAMESPACE, name, store.entry(accounts, NAMESPACE, name).uid, _TOKEN_SECONDS)
        state.write_text(f"kubeconfig-{name}", certificates.kubeconfig(server, authority, name, token))
    administrator = certificates.kubeconfig(server, authority, "kubernetes-admin", api.tokens.administrator)
    state.write_text("kubeconfig", administrator)


def access(state: State) -> dict[str, Any]:
    """What api.json says; LabError if the API of this lab does not run."""
    found = state.read("api.json")
    if not isinstance(found, dict):
        raise LabError(f"no API runs for the lab in {state.directory}")
    return found
