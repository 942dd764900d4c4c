//go:build race

package growthtest

const raced = true
