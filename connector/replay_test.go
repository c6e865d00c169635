package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace/millrace/model"
	"github.com/millrace/millrace/stream"
)

// replayed reads all blocks of a replay source over three rows a second apart.
func replayed(t *testing.T, options map[string]string, at int64) (rows [][]stream.Value, reads func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(path, []byte("at,v\n10,1\n11,\n12,3\n99,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"path": path, "format": "csv", "timestamp_unit": "s", "bundle": "3"}
	for k, v := range options {
		all[k] = v
	}
	schema := stream.NewSchema(stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "v", Type: stream.Integer})
	src, err := OpenSource("s", &model.Source{Connector: "replay", Options: all}, schema, Reading{}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := src.Reader(context.Background(), 0, Position{Offset: at})
	if err != nil {
		t.Fatal(err)
	}
	pool, decoder := stream.NewPool(4), src.NewDecoder()
	for block := (&Block{}); ; {
		err := reader.Next(context.Background(), block)
		if errors.Is(err, io.EOF) {
			return rows, func() { _ = src.Close() }
		}
		if err != nil {
			t.Fatal(err)
		}
		b := pool.Get(schema, nil)
		if _, err := decoder.Decode(block, b, nil); err != nil {
			t.Fatal(err)
		}
		for i := range b.Len {
			rows = append(rows, b.Row(i))
		}
		b.Release()
	}
}

func TestReplay(t *testing.T) {
	for _, ingest := range []string{"share", "copy"} {
		for _, copies := range []string{"1", "4"} {
			for at := range int64(8) {
				rows, done := replayed(t, map[string]string{"number_of_rows": "8", "ingest": ingest, "copies": copies, "lap": "5 s"}, at)
				got := ""
				for _, r := range rows {
					got += fmt.Sprint(r[0].I/1_000_000, ":", r[1], " ")
				}
				want := []string{"10:1 ", "11:NULL ", "12:3 ", "15:1 ", "16:NULL ", "17:3 ", "20:1 ", "21:NULL "}
				all := ""
				for _, w := range want[at:] {
					all += w
				}
				if got != all {
					t.Errorf("%s, %s copies, from row %d: %s, want %s", ingest, copies, at, got, all)
				}
				done()
			}
		}
	}
}

func TestReplayFindsLap(t *testing.T) {
	rows, done := replayed(t, map[string]string{"number_of_rows": "4"}, 3)
	defer done()
	if got := rows[0][0].I / 1_000_000; got != 13 {
		t.Errorf("the second lap begins at %d s, want one row's share behind the last: 13", got)
	}
}

// TestReplayRefuses: records that cannot be decoded, or that the reader gave up, and files
// without rows.
func TestReplayRefuses(t *testing.T) {
	schema := stream.NewSchema(stream.Field{Name: "at", Type: stream.Timestamp}, stream.Field{Name: "v", Type: stream.Integer})
	for text, want := range map[string]string{
		"at,v\n10,1\n11,x\n": "in.csv:3",
		"at,v\n10,1\n11," + strings.Repeat("9", RecordBytesMax) + "\n": "record longer than",
		"at,v\n": "there is no row to replay",
	} {
		path := filepath.Join(t.TempDir(), "in.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		options := map[string]string{"path": path, "format": "csv", "timestamp_unit": "s"}
		_, err := OpenSource("s", &model.Source{Connector: "replay", Options: options}, schema, Reading{}, Env{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
