package connector

import (
	"bytes"
	"errors"
	"testing"

	"github.com/millrace/millrace/model"
)

func TestPrintIdentifier(t *testing.T) {
	for format, want := range map[string]string{
		"ndjson": "out> {\"a\":\"x\",\"b\":\"1\",\"c\":0}\nout> {\"a\":\"y\",\"b\":null,\"c\":1}\n",
		"csv":    "a,b,c\nout> x,1,0\nout> y,,1\n",
	} {
		info, err := CheckSink(map[string]string{"connector": "print", "format": format, "print-identifier": "out", "sink.parallelism": "3"}, threeTexts.Fields)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s, err := OpenSink(&model.Sink{Connector: info.Connector, Options: info.Options}, threeTexts, threeTexts.Visible(), Env{Stdout: &out})
		if err != nil {
			t.Fatal(err)
		}
		sink := s.(ByteSink)
		rows := sink.NewEncoder().Encode(nil, threeRows([2]string{"x", "1"}, [2]string{"y", "NULL"}), 0, 2)
		if err := errors.Join(sink.Write(rows), sink.Close()); err != nil || out.String() != want {
			t.Errorf("%v %q, not %q", err, out.String(), want)
		}
	}
}
