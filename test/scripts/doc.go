// Package scripts runs SQL scripts whose answers were worked out by hand. A file of
// testdata holds the script, its input files and what it prints; the comment at its head
// is the working. Every script is run by the reference, by the engine with several
// numbers of workers and sizes of tasks, and stopped at random tasks and restored.
package scripts
