# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.mtu_misconfigured_value

import rego.v1

import data.lib.calico

resource := input

deny contains msg if {
	not calico.accepted(resource, "mtu_misconfigured_value")
	some place in broken
	msg := concat("", [
		"mtu_misconfigured_value: An MTU is set that no device can have (",
		place,
		"). ",
		"Interfaces are not made, or large packets are lost. ",
		"Leave it out or write 0, so that Calico finds it out, or a value from 576 to 9216.",
	])
}

told[key] := resource.spec[key] if {
	calico.is_a(resource, "FelixConfiguration")
	some key in ["ipipMTU", "vxlanMTU", "vxlanMTUV6", "wireguardMTU", "wireguardMTUV6"]
}

told["calicoNetwork.mtu"] := resource.spec.calicoNetwork.mtu if resource.kind == "Installation"

broken contains key if {
	some key, value in told
	value != 0
	value < 576
}

broken contains key if {
	some key, value in told
	value > 9216
}
