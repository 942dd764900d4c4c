// Package statemachines holds the definitions of the journeys: one Go file each, from which <journey>.asl.json is
// generated, which SAM deploys and the local stack runs.
package statemachines

import "embed"

// Files holds "<journey>.asl.json".
//
//go:embed *.asl.json
var Files embed.FS
