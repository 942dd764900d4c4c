//go:build !race

package growthtest

const raced = false
