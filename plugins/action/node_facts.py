# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin node_facts: the module, on nodes without Python a shell script; and the node's clock against ours."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

from ansible_collections.netmedic.calico.plugins.plugin_utils._evidence import clock, plain

_MARK = '"taken_at_epoch"'
_NOT_SENT = "Data could not be sent"
_OVER_SSH = "can be reached over ssh:"


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core ships no type hints
    """Run the module as any task does. Who asks knows when he asked and when he was answered; the node does not.

    What only a node without Python needs is imported for it alone: this file is on every node's way.
    """

    _supports_check_mode = True
    _supports_async = True
    _asked: tuple[float, float] | None = None

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what the module returns, or else the script, with calico_chrony.offset_to_controller_seconds and its
        error bound."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        in_background = self._task.async_val and not self._connection.has_native_async
        try:
            result = merge_hash(result, self._execute_module(task_vars=task_vars, wrap_async=in_background))
        except AnsibleConnectionFailure as error:
            # Without an interpreter the node may hang up before the module has been sent, as a lost connection does.
            if _NOT_SENT not in str(error):
                raise
            result.update(failed=True, msg=str(error), rc=127)
        except AnsibleError as error:
            if "interpreter" not in str(error):
                raise
            result.update(failed=True, msg=str(error), rc=127)
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
            if result.get("failed"):
                return self._without_python(result)
        facts = result.get("ansible_facts")
        chrony = facts.get("calico_chrony") if isinstance(facts, dict) else None
        found = clock.offset(plain.mapping(facts), *self._asked) if self._asked else None
        if found is not None and isinstance(chrony, dict):
            chrony["offset_to_controller_seconds"], chrony["offset_to_controller_error_seconds"] = found
        if self._task.args.get("texts") and not in_background:
            self._add_texts(result)
        return result

    def _add_texts(self, result: dict[str, Any]) -> None:
        """Have the script read the node, too, if `texts` is true. What goes wrong with it is a warning."""
        from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import fallback

        options = self._options(fallback.argument_spec())
        if options["texts"]:
            result["texts"], trouble = fallback.texts(options, self._unlogged)
            result.update({"warnings": [*result.get("warnings", []), trouble]} if trouble else {})
            result["_ansible_verbose_override"] = True

    def _options(self, spec: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the task's arguments as the module has them. Executing it has put Ansible's own among them."""
        self._task.args = {name: value for name, value in self._task.args.items() if not name.startswith("_ansible_")}
        _validated, options = self.validate_argument_spec(spec)
        return dict(options)

    def _without_python(self, result: dict[str, Any]) -> dict[str, Any]:
        """Read the node by its shell, if want of a Python is why the module failed; else that stays the result."""
        from ansible_collections.netmedic.calico.plugins.plugin_utils._raw import fallback

        if not fallback.lacks_python(result):
            return result
        try:
            return fallback.read(result, self._options(fallback.argument_spec()), self._unlogged)
        except AnsibleConnectionFailure:
            # Why is cut from what is not logged; the first attempt, with the module, told it.
            why = plain.text(result.get("msg")).partition(_OVER_SSH)[2].strip()
            if not why:
                raise
            raise AnsibleConnectionFailure(f"Failed to connect to the host via ssh: {why}") from None

    def _unlogged(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Execute a command whose output -vvv does not show: packet filters as they are, passwords in comments and
        all. With no_log at the task nobody would learn why a node could not be reached."""
        contexts = [one for one in (self._play_context, getattr(self._connection, "_play_context", None)) if one]
        before = [one.no_log for one in contexts]
        for one in contexts:
            one.no_log = True
        try:
            return self._low_level_execute_command(*args, **kwargs)
        finally:
            for one, was in zip(contexts, before, strict=True):
                one.no_log = was

    def _low_level_execute_command(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Note when the very command was sent and answered that ran the module, without all that goes before it."""
        question = clock.Question()
        answer: dict[str, Any] = super()._low_level_execute_command(*args, **kwargs)
        if _MARK in str(answer.get("stdout", "")):
            self._asked = question.answered()
        return answer
