# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.bgppeer_contradiction

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "bgppeer_contradiction")
	some place in broken
	msg := concat("", [
		"bgppeer_contradiction: A BGPPeer contradicts itself (",
		place,
		"). ",
		"Calico refuses it, or makes no session of it. ",
		"Give one of node and nodeSelector, one of peerIP (and asNumber) and peerSelector, one word on the next hop.",
	])
}

given(key) if calico.get(resource.spec, key, "") != ""

peers contains key if {
	some key in ["peerIP", "peerSelector", "localWorkloadSelector"]
	given(key)
}

broken contains "node and nodeSelector" if {
	calico.is_a(resource, "BGPPeer")
	given("node")
	given("nodeSelector")
}

broken contains "peerIP, peerSelector, localWorkloadSelector" if {
	calico.is_a(resource, "BGPPeer")
	count(peers) != 1
}

broken contains "asNumber and peerSelector" if {
	calico.is_a(resource, "BGPPeer")
	given("peerSelector")
	calico.get(resource.spec, "asNumber", 0) != 0
}

broken contains "reachableBy" if {
	calico.is_a(resource, "BGPPeer")
	given("reachableBy")
	not given("peerIP")
}

broken contains "keepOriginalNextHop and nextHopMode" if {
	calico.is_a(resource, "BGPPeer")
	resource.spec.keepOriginalNextHop == true
	given("nextHopMode")
}
