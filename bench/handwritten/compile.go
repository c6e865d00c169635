package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

//go:embed c/*
var programs embed.FS

// findCompiler looks for a C compiler: $CC, then the usual names.
func findCompiler() string {
	for _, name := range []string{os.Getenv("CC"), "cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// compile builds a loop's C program and writes the rows for it.
func compile(ctx context.Context, compiler, folder, name string, d *dataset) (contender, error) {
	for _, file := range []string{"loop.h", name + ".c"} {
		text, err := programs.ReadFile("c/" + file)
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, file), text, 0o600)
		}
		if err != nil {
			return contender{}, err
		}
	}
	program := filepath.Join(folder, name)
	out, err := exec.CommandContext(ctx, compiler, "-O3", "-march=native", "-o", program, program+".c").CombinedOutput()
	if err != nil {
		return contender{}, fmt.Errorf("%s: %w\n%s", compiler, err, out)
	}
	rows, lookups := program+".bin", program+".lookups.bin"
	if err := d.write(rows); err != nil {
		return contender{}, err
	}
	if err := d.lookups.write(lookups); err != nil {
		return contender{}, err
	}
	return contender{"C", func(ctx context.Context, n int64, sums bool) (o outcome, err error) {
		args := []string{rows, strconv.FormatInt(d.lap.Microseconds(), 10), strconv.FormatInt(n, 10)}
		switch {
		case name == "YSB":
			args = append(args, lookups)
		case sums:
			args = append(args, "sum")
		}
		out, err := exec.CommandContext(ctx, program, args...).Output()
		if err != nil {
			return o, fmt.Errorf("the C program: %w", err)
		}
		_, err = fmt.Sscan(string(out), &o.results, &o.sum, &o.seconds)
		return o, err
	}}, nil
}
