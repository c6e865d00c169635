package connector

import (
	"slices"
	"testing"
)

// TestDescribe: a connector that is added is described, too.
func TestDescribe(t *testing.T) {
	found := map[string]Description{}
	for _, d := range Describe() {
		if len(d.Options) == 0 && d.Name != connectorBlackhole {
			t.Errorf("connector %s has no options", d.Name)
		}
		found[d.Name] = d
	}
	for _, name := range append(slices.Clone(sourceConnectors), sinkConnectors...) {
		if found[name].Name == "" {
			t.Errorf("connector %s is not described", name)
		}
	}
	file := found[connectorFile]
	for _, option := range []string{"path", "format", "header", "delimiter", "compression", "follow"} {
		if !slices.Contains(file.OptionNames(), option) {
			t.Errorf("connector file has no option %s: %v", option, file.OptionNames())
		}
	}
	if !file.Reads || !file.Writes || !slices.Equal(file.Aliases, []string{"filesystem"}) {
		t.Errorf("connector file: %+v", file)
	}
	datagen := found[connectorDatagen]
	if !slices.Contains(datagen.OptionNames(), "fields.<column>.min") {
		t.Errorf("datagen: %v", datagen.OptionNames())
	}
}
