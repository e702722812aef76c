# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.bgppeer_wrong_address

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "bgppeer_wrong_address")
	some place in broken
	msg := concat("", [
		"bgppeer_wrong_address: A BGPPeer names an address at which no peer can be (",
		place,
		"). ",
		"Calico passes the peer over, and the routes that it was made for are missing. ",
		"Write the peer's address, a port only if it is not 179: 192.0.2.1, 192.0.2.1:1790, [2001:db8::1]:1790.",
	])
}

broken contains "peerIP" if {
	calico.is_a(resource, "BGPPeer")
	written := calico.get(resource.spec, "peerIP", "")
	written != ""
	not regex.match(`^([0-9]{1,3}([.][0-9]{1,3}){3}(:[0-9]{1,5})?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%[^:]+)?|\[[0-9a-fA-F:]*:[0-9a-fA-F:.]*\](:[0-9]{1,5})?)$`, written)
}

broken contains "peerIP" if {
	calico.is_a(resource, "BGPPeer")
	regex.match(`^(127[.]|0[.]0[.]0[.]0($|:)|22[4-9][.]|23[0-9][.]|::1?$|\[::1?\]|\[?[fF][fF][0-9a-fA-F]{2}:)`, resource.spec.peerIP)
}

broken contains "reachableBy" if {
	calico.is_a(resource, "BGPPeer")
	written := calico.get(resource.spec, "reachableBy", "")
	written != ""
	not regex.match(`^([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$`, written)
}
