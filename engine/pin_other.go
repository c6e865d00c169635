//go:build !linux

package engine

// allowedCPUs is empty where threads cannot be pinned.
func allowedCPUs() []int { return nil }

func pin(int) bool { return false }
