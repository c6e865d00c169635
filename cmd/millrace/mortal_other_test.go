//go:build !linux

package main

import "github.com/rogpeppe/go-internal/testscript"

// mortal is for Linux.
func mortal(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("mortal: not here") }
