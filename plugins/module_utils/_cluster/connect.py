# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way to the API is taken: the C(kubernetes) client or kubectl, with what of a host's or pod's credentials."""

from __future__ import annotations

import os
import sys

from . import client, kubectl, problems
from .access import Access, choose
from .problems import ApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .asking import Transport


def connect(params: Mapping[str, Any], environ: Mapping[str, str] | None = None, root: str = "") -> Transport:
    """Return the way to the API for the module's parameters. Nothing is sent yet. Raises ApiError.

    With via 'auto', kubectl is only a fallback. `root` stands before the paths that are looked at, for tests.
    """
    environ = os.environ if environ is None else environ
    via = params.get("via") or "auto"
    program = kubectl.find(params.get("kubectl") or "auto") if via != "client" else None
    try:
        access = choose(params, environ, root)
    except ApiError:
        # MicroK8s' and k3s' own kubectl find their cluster by themselves.
        if program is None or not program.own or params.get("kubeconfig") or via == "in-cluster":
            raise
        return kubectl.Kubectl(Access(f"{program.argv[0]}, which knows its cluster"), program)
    lacking = ""
    if via != "kubectl":
        lacking = client.why_not()
        if not lacking:
            return client.Client(access)
    if program is not None:
        return kubectl.Kubectl(access, program)
    raise ApiError(problems.CONFIG, _nothing(via, lacking, params.get("kubectl") or "auto"))


def _nothing(way: str, lacking: str, wanted: str) -> str:
    install = f"Install it for the Python that runs this module ({sys.executable}): pip install kubernetes"
    if way == "client":
        return f"{lacking}. {install}."
    named = "kubectl" if wanted == "auto" else wanted
    if way == "kubectl":
        return f"There is no {named} on this host. Install it, or name it with the option kubectl."
    return f"{lacking}, and there is no {named} on this host either. {install}; or run the module where one of them is."
