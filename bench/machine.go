package bench

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// processorTime is what the process has used of all cores.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak lets the process's peak memory begin anew, where the system can (Linux);
// elsewhere the peak is that of all workloads so far.
func resetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// cacheDefault is assumed where the machine does not tell its last-level cache.
const cacheDefault = 32 << 20

// lastLevelCache is the size of the largest cache, in bytes.
func lastLevelCache() int64 {
	files, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*/size") // the pattern is good
	size := int64(0)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		text := strings.TrimSpace(string(b))
		kib, err := strconv.ParseInt(strings.TrimSuffix(text, "K"), 10, 64)
		if err == nil {
			size = max(size, kib<<10)
		}
	}
	if size == 0 {
		return cacheDefault
	}
	return size
}
