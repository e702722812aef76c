# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names by which Felix and Typha know each other (TLS with certificates on both ends): each end tells what it
expects of the other, whom its own certificate names, and which authorities it trusts.

typha/pkg/tlsutils: the certificate must be signed by one of the own CAs, and its common name or a URI in it must be the
expected one. Imported where Felix has no connection to Typha, or a Typha runs.
"""

from __future__ import annotations

from .._address import settings
from .._host import x509_names
from .._host.processes import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Dict

    from .._host.processes import Process
    from .._host.x509_names import Names

    Facts = Dict[str, Any]

# The other end's common name and URI, the own certificate, the CAs.
CLIENT = ("FELIX_TYPHACN", "FELIX_TYPHAURISAN", "FELIX_TYPHACERTFILE", "FELIX_TYPHACAFILE")
SERVER = ("TYPHA_CLIENTCN", "TYPHA_CLIENTURISAN", "TYPHA_SERVERCERTFILE", "TYPHA_CAFILE")
_MOST_TOLD = 6
_LIMIT = 1 << 18
_LONGEST = 128


def of_client(processes: Sequence[Process], service: str) -> Facts:
    """Return names() of Felix, the first of `processes` that may be read, and service_address, which Kubernetes told it
    of a service of that name in its own namespace."""
    variable = service.upper().replace("-", "_") + "_SERVICE_HOST"
    environment = settings.read(processes, (*CLIENT, variable)) or {}
    facts: Facts = {}
    if variable in environment:
        facts["service_address"] = environment[variable][:_LONGEST]
    if processes:
        facts.update(names(environment, CLIENT, processes[0].inside))
    return facts


def of_server(process: Process) -> Facts:
    """Return names() of a Typha."""
    return names(process.environ(SERVER), SERVER, process.inside)


def names(environment: Mapping[str, str], variables: Sequence[str], inside: Callable[[str], str]) -> Facts:
    """Return expects (the name that the other end's certificate must have), certificate (whom the own one names, and
    by whom it is signed) and trusts (the CAs): {} without TLS. `inside` says where a file is to be opened."""
    cn, uri, own, trusted = (environment.get(name, "") for name in variables)
    facts: Facts = {}
    expects = {key: value[:_LONGEST] for key, value in (("cn", cn), ("uri", uri)) if value}
    if expects:
        facts["expects"] = expects
    if own or trusted:
        certificates = _read_names(own, inside)
        if certificates:
            first = certificates[0]
            facts["certificate"] = {
                key: value
                for key, value in (
                    ("cn", first.subject),
                    ("uris", first.uris),
                    ("issuer", first.issuer),
                    ("issuer_key", first.issuer_key),
                )
                if value
            }
        authorities = _read_names(trusted, inside)
        if authorities:
            facts["trusts"] = [{"cn": one.subject, "key": one.key} for one in authorities[:_MOST_TOLD]]
    return facts


def _read_names(path: str, inside: Callable[[str], str]) -> list[Names]:
    text = read_text(inside(path), _LIMIT) if path.startswith("/") else ""
    found = [x509_names.parse_names(der) for der in x509_names.blocks(text)]
    return [one for one in found if one is not None]
