// SPDX-License-Identifier: Apache-2.0

// Package suite pins the official conformance suite of Gateway API, which ../build compiles.
package suite

import _ "sigs.k8s.io/gateway-api/conformance"
