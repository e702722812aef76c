# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.as_mismatch

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "as_mismatch")
	some place in broken
	msg := concat("", [
		"as_mismatch: A BGPPeer has no AS number to expect (",
		place,
		"). ",
		"BIRD refuses its whole configuration, that of all other peers as well, or the peer's OPEN. ",
		"Give the peer's own AS number, from 1 to 4294967295, as asNumber.",
	])
}

asked if calico.get(resource.spec, "peerIP", "") != ""

asked if calico.get(resource.spec, "localWorkloadSelector", "") != ""

broken contains "asNumber" if {
	calico.is_a(resource, "BGPPeer")
	asked
	calico.get(resource.spec, "peerSelector", "") == ""
	not calico.has(resource.spec, "asNumber")
}

broken contains key if {
	some kind in ["BGPPeer", "BGPConfiguration"]
	calico.is_a(resource, kind)
	some key in ["asNumber", "localASNumber"]
	calico.has(resource.spec, key)
	not regex.match(`^([1-9][0-9]{0,9}|[0-9]{1,5}[.][0-9]{1,5})$`, sprintf("%v", [resource.spec[key]]))
}
