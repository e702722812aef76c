# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a maintainer asks for beside the facts: outputs and logs of a node, bounded, without secrets, as one parcel."""

from __future__ import annotations

from .._payload import install

install()
