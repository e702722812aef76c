# Written by `make docs` from scripts/policy_sources and the linter's rules. Do not edit.

package calico.image_unpinned

import rego.v1

import data.lib.calico

resource := input

warn contains msg if {
	not calico.accepted(resource, "image_unpinned")
	some place in broken
	msg := concat("", [
		"image_unpinned: An image of Calico has no version of its own (",
		place,
		"). ",
		"Pods that are made anew run another version than the rest, on one node after the other. ",
		"Name a released version (:v3.31.2), best with its digest (@sha256:\u2026).",
	])
}

ours := `(^|/)(calico/[a-z0-9-]+|tigera/operator|flannel(-io)?/flannel|[a-z-]*hardened-calico)([:@]|$)`

pinned(image) if contains(image, "@sha256:")

pinned(image) if {
	regex.match(`:[^:/@]+$`, image)
	not regex.match(`:(latest|master|main|release|stable|edge)[^:/@]*$`, image)
}

broken contains container.image if {
	some key in ["containers", "initContainers"]
	some container in resource.spec.template.spec[key]
	regex.match(ours, container.image)
	not pinned(container.image)
}
