// Package archtest holds no code. Its tests check that the tree keeps to its architecture: which way imports point, what
// lies where, and that template.yaml, the functions' folders and the sample events tell the same story.
package archtest
