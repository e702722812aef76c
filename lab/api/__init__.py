# Copyright: (c) 2026, netmedic.calico contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of the Kubernetes API for the lab. It is not Kubernetes.

No API server binary can be had where the lab runs, so this one answers as an API server does for the kinds that the
project deals with (`kinds.KINDS`), well enough for clients that nobody here wrote: `kubectl`, the `kubernetes`
client, `kubernetes.core`. What it leaves out is said in docs/lab-api.md. Its version carries "+netmedic.lab".
"""
