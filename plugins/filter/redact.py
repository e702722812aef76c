# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter redact: a report, a bundle's files, or other data, as it may be shared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import keyed, scan
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

DOCUMENTATION = r"""
name: redact
short_description: Make of a report, or of a bundle's files, what can be shared
version_added: 1.2.0
author: netmedic.calico contributors
description:
  - Cuts secrets, keys, tokens and certificates, and replaces names of nodes, hosts and domains, addresses of IPv4, IPv6
    and Ethernet, e-mail addresses, UUIDs and the identifiers of clouds, the same one always in the same way.
  - Addresses that share a prefix still share one of that length, so that subnets stay what they are. Private,
    link-local,
    loopback and multicast addresses stay in their blocks.
  - The shape of the data stays, and so does the diagnosis.
  - The result is looked through for all that was replaced. If something is still there the filter fails and says of
    what
    kind it is, never what it is.
positional: key
options:
  _input:
    description:
      - A report, as P(netmedic.calico.classify#filter) returns it, or any other data of JSON's types.
      - A mapping of which every value is a text and some key is C(bundle.json), C(environment.yml) or has a slash is
        taken
        for the files of a bundle by their paths. The result then has C(redaction.json) as well.
    type: raw
    required: true
  key:
    description:
      - What the replacements follow from. With the same key the same name or address is always replaced in the same
        way.
        Keep it to yourself. It is not in the result.
      - Empty takes a random one, so that no other result can be compared with this one.
    type: str
    default: ""
  words:
    description: Further words to replace, such as the name of an organisation.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Keep a report that can be shown to others
  netmedic.calico.save_report:
    report: "{{ bgp_report | netmedic.calico.redact(redact_key) }}"
    directory: /srv/shared
  run_once: true
  no_log: true # the key is among the task's arguments
"""

RETURN = r"""
_value:
  description: The same data, redacted.
  type: raw
"""


def redact(given: Any, key: Any = "", words: Any = ()) -> Any:
    """The data as it may be shared."""
    if not isinstance(key, str):
        raise AnsibleFilterError("redact wants its key as a text")
    more = [words] if isinstance(words, str) else words
    if not isinstance(more, (list, tuple)) or not all(isinstance(word, str) for word in more):
        raise AnsibleFilterError("redact wants words as a list of texts")
    weak = keyed.why_weak(key)
    if weak:
        Display().warning(weak)
    redactor = Redactor(key or keyed.random_key(), more)
    if _is_bundle(given):
        result = redactor.texts({str(path): str(text) for path, text in given.items()})
        made: Any = result.texts
        leaks = result.leaks
    else:
        made, leaks, _count = redactor.data(given)
    for leak in leaks:
        raise AnsibleFilterError(f"redact gives nothing back: after redaction {scan.told(leak)}")
    return made


def _is_bundle(given: Any) -> bool:
    return (
        isinstance(given, Mapping)
        and bool(given)
        and all(isinstance(text, str) for text in given.values())
        and any(str(path) in ("bundle.json", "environment.yml") or "/" in str(path) for path in given)
    )


class FilterModule:
    """Filter registration."""

    def filters(self) -> dict[str, Any]:
        """The filters of this file."""
        return {"redact": redact}
