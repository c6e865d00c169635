// Package millrace is the public API of the stream processing engine: prepare a script,
// look at its plan, run it, read its statistics.
//
//	plan, err := millrace.Prepare([]millrace.Script{{Name: "q.sql", Text: text}}, millrace.Options{})
//	job, err := plan.Start(ctx)
//	stats, err := job.Wait()
//
// Results of a bare SELECT go to the sink that Options.Results makes for it; everything
// else goes where the script's INSERT statements say. An error that satisfies
// errors.As(err, *RequestError) is a mistake in the request; any other is a failure of
// the running job.
package millrace

import (
	"github.com/millrace/millrace/job"
	"github.com/millrace/millrace/state"
)

// The engines of Options.Engine.
const (
	EngineMillrace  = job.EngineMillrace
	EngineReference = job.EngineReference
)

type (
	// Script is one file of a script: SQL, or a model's text if Name ends in .model.
	Script = job.Script
	// Options say how a script is prepared and run.
	Options = job.Options
	// Query describes a bare SELECT to Options.Results.
	Query = job.Query
	// ResultSink receives a bare SELECT's rows.
	ResultSink = job.ResultSink
	// RequestError is a mistake in the request.
	RequestError = job.RequestError
	// ModelError is a mistake in a model's text form.
	ModelError = job.ModelError
	// File is a file that a plan reads or writes.
	File = job.File
	// Plan is a script ready to run.
	Plan = job.Plan
	// Listing is the result of a SHOW or DESCRIBE statement.
	Listing = job.Listing
	// Session is a script that grows: declarations last, queries run one by one.
	Session = job.Session
	// Job is a running plan.
	Job = job.Job
	// Stats is what a job did.
	Stats = job.Stats
	// ProcessorStats is what one processor did.
	ProcessorStats = job.ProcessorStats
	// Progress is how far a job is.
	Progress = job.Progress
	// Checked is what came of comparing a device's results with the CPU's.
	Checked = job.Checked
	// Snapshot is the state of a stopped job, see Options.Restore.
	Snapshot = state.Snapshot
)

// Auto is, as Options.Processors, the CPU and every GPU and accelerator that has been
// checked. Without it, or a list of names, jobs run on the CPU.
const Auto = job.Auto

// AutoProcessors is what Auto stands for now, and what is to be said of devices that are
// left out.
func AutoProcessors() (processors string, notes []string) { return job.AutoProcessors() }

// CheckedDevices are the devices that have been checked on this machine by this user.
func CheckedDevices() ([]Checked, error) { return job.CheckedDevices() }

// Build tells builds of this program apart.
func Build() (string, error) { return job.Build() }

// Prepare resolves, optimizes and binds scripts; several are one script and one job.
// Every error is a *RequestError.
func Prepare(scripts []Script, o Options) (*Plan, error) { return job.Prepare(scripts, o) }

// NewSession begins a session, whose Prepare takes one statement after the other.
func NewSession(o Options) (*Session, error) { return job.NewSession(o) }
