// Package statemachines holds the definitions of the journeys, one file each, named after the journey's type.
package statemachines

import "embed"

// Files holds "<journey>.asl.json".
//
//go:embed *.asl.json
var Files embed.FS
