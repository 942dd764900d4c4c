// Package archtest holds no code. Its tests check that the tree keeps to its architecture: which way imports point,
// what lies where, and what template.yaml, the definitions and the metrics say that nothing generates.
package archtest
