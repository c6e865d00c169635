package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestRecordingIsGenerated checks that the recording in the repository is what this
// program writes; after a change run: go generate ./examples/demo/generate
func TestRecordingIsGenerated(t *testing.T) {
	name := filepath.Join(t.TempDir(), "vehicles.csv")
	if err := write(name, record()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../vehicles.csv")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("examples/demo/vehicles.csv is not what the generator writes; run: go generate ./examples/demo/generate")
	}
}
