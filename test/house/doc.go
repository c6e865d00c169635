// Package house holds the rules of the house as tests: which folder may import which
// and why, what a package and a file must look like, that documents point at things
// that exist. Every failure says how to put it right. There is nothing to import here.
package house
