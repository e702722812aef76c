# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bird.cfg and bird6.cfg, alone or with the files that they include after them. No password leaves the parser."""

from __future__ import annotations

import re

from ...module_utils._bird import config
from . import lines
from .parsed import Parsed, Problem

_NAME = "bird.cfg"


def parse(text: str) -> Parsed[config.Config]:
    """Return what a configuration says. Included files, which are not in the text, stand in `missing`."""
    body = lines.printed(text)
    found = config.parse(_NAME, {_NAME: body}.get)
    if not found.router_id and not found.peerings and not found.disabled and "protocol" not in body:
        return Parsed(found, (Problem(0, "", "no configuration of BIRD's"),))
    return Parsed(found)


# BIRD learns of no interface without it, and confd's templates of all releases have it.
_DEVICE = re.compile(r"^\s*protocol\s+device\b", re.MULTILINE)
_LEFT_OUT = re.compile(r"^[ \t]*(?:#[ \t]*)?[\[(<]?(?:\.{3,}|\u2026)[\])>]?[ \t]*$", re.MULTILINE)


def is_excerpt(text: str) -> bool:
    """Say whether somebody shows a part of a rendered configuration: dots in the place of lines, or no beginning."""
    return _LEFT_OUT.search(text) is not None or _DEVICE.search(text) is None
