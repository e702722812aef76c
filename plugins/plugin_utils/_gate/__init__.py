# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate before Calico: is it the machine, the kubelet, the DaemonSet or the control plane, before it is BGP?"""

from __future__ import annotations
