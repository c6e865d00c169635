package main

import (
	"strings"
	"testing"
)

func TestReadScripts(t *testing.T) {
	read := func(text string) (string, error) {
		scripts, err := readScripts([]string{"-"}, nil, strings.NewReader(text))
		if err != nil {
			return "", err
		}
		return scripts[0].Text, nil
	}
	if got, err := read("\uFEFFSELECT 'ü'"); err != nil || got != "SELECT 'ü'" {
		t.Errorf("byte order mark: %q, %v", got, err)
	}
	for name, text := range map[string]string{
		"a zero byte":   "SELECT \x00",
		"not UTF-8":     "SELECT '\xff'",
		"far too large": strings.Repeat(" ", scriptBytesMax+1),
	} {
		if _, err := read(text); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	scripts, err := readScripts(nil, []string{"a", "b"}, nil)
	if err != nil || len(scripts) != 2 || scripts[1].Name != "-e#2" {
		t.Errorf("two -e: %v, %v", scripts, err)
	}
}
