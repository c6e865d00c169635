//go:build !amd64

package vector

func sumLanes(_ *LaneSums, _ []uint8, _ []int64, _ int) bool { return false }

func laneBlocks(_ []uint8, _ []int32) int { return 0 }
