# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin save_redacted: bundles and reports on the controller, as they may be shared."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction import keyed, share
from ansible_collections.netmedic.calico.plugins.plugin_utils._redaction.redactor import Redactor

ARGUMENTS = {
    "inputs": {"type": "list", "elements": "path", "required": True},
    "directory": {"type": "path", "required": True},
    "key": {"type": "str", "default": "", "no_log": True},
    "words": {"type": "list", "elements": "str", "default": []},
}

# What docs/redaction.md says at length.
_STAYS = (
    "Names of namespaces, pods, Services, pools, policies, labels and interfaces stay, and so does what only sentences "
    "tell, such as a company or a telephone number: name such words in redact_words, and read what you share."
)


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Redact all inputs under one key; write all of them or none."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, redact and write; nothing is connected to."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(ARGUMENTS)
        paths = [path for path in arguments["inputs"] if path]
        where = arguments["directory"]
        if not paths or not where:
            return {
                **result,
                "failed": True,
                "msg": "Nothing was written: say what to redact, and into which directory.",
            }
        weak = keyed.why_weak(arguments["key"])
        if weak:
            Display().warning(weak)
        redactor = Redactor(arguments["key"] or keyed.random_key(), arguments["words"])
        try:
            share.keep_apart(paths, where)
            made = share.share(share.sources(paths), where, redactor, check=self._task.check_mode)
        except share.NotRedactedError as error:
            return {**result, "failed": True, "msg": str(error)}
        except OSError as error:
            return {**result, "failed": True, "msg": f"It cannot be written into {where}: {error.strerror or error}."}
        for path, why in (told for one in made for told in one.left_out):
            if "cut off or damaged" in why:
                Display().warning(f"{path}: {why}")
        how = (
            "The key that was given was used: what it made before was replaced in the same way."
            if arguments["key"]
            else "No key was given: a random one was used and forgotten, so that another run replaces differently."
        )
        return {
            **result,
            "changed": any(one.changed for one in made),
            "paths": [one.path for one in made],
            "replaced": [one.replaced for one in made],
            "left_out": [[f"{path}: {why}" for path, why in one.left_out] for one in made],
            "random_key": not arguments["key"],
            "msg": f"{how} {_STAYS}",
        }
