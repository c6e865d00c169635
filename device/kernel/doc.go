// Package kernel writes programs for devices.
package kernel
