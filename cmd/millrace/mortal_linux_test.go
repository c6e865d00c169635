package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// mortal makes files without permission such for root, too, in the programs that the rest
// of a script starts. Privileges belong to a thread, which the script's goroutine keeps and
// which ends with it.
func mortal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: mortal")
	}
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread()
	if err := dropPrivileges(unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH); err != nil {
		ts.Fatalf("root keeps its privileges: %v", err)
	}
}

// dropPrivileges takes capabilities from this thread and from the programs it starts.
func dropPrivileges(privileges ...uint) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var has [2]unix.CapUserData
	if err := unix.Capget(&header, &has[0]); err != nil {
		return err
	}
	for _, p := range privileges {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(p), 0, 0, 0); err != nil {
			return fmt.Errorf("privilege %d: %w", p, err)
		}
		has[p/32].Effective &^= 1 << (p % 32)
		has[p/32].Permitted &^= 1 << (p % 32)
		has[p/32].Inheritable &^= 1 << (p % 32)
	}
	return unix.Capset(&header, &has[0])
}
