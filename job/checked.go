package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace/millrace/device"
)

// Devices that jobs use without being told to.
//
// A GPU's driver and compiler are not ours, and a wrong result is worse than a slow one. So
// a GPU or an accelerator takes tasks by default only after its results have been compared
// with the CPU's on this machine (millrace devices --check). What came of that is kept in a
// file of the user's. It holds for that device, that driver and that build of millrace.

// Auto is, as Options.Processors, the CPU and every GPU and accelerator that was checked.
const Auto = "auto"

// Checked is what came of checking a device.
type Checked struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Name   string    `json:"name"`
	Driver string    `json:"driver"`
	Build  string    `json:"build"` // of millrace, see Build
	Passed bool      `json:"passed"`
	Reason string    `json:"reason,omitempty"` // why it did not
	At     time.Time `json:"at"`
}

// checkedMax is how many devices the file keeps, the latest ones.
const checkedMax = 64

// Build tells builds of millrace apart: it is a digest of the running program's file.
var Build = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:12]), nil
})

func checkedFile() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "millrace", "devices.json"), nil
}

// CheckedDevices are the devices of the user's that have been checked; none if there is no
// file of them.
func CheckedDevices() (list []Checked, err error) {
	path, err := checkedFile()
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("%s: %w; delete it and check the devices again", path, err)
	}
	return list, nil
}

// Save keeps what came of checking a device, in the place of what was known of it.
func (c Checked) Save() error {
	list, err := CheckedDevices()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(o Checked) bool { return o.ID == c.ID })
	list = append(list, c)
	list = list[max(0, len(list)-checkedMax):]
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	path, err := checkedFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// AutoProcessors is what Auto stands for now. Notes say which devices were checked and are
// left out all the same.
func AutoProcessors() (processors string, notes []string) {
	list, err := CheckedDevices()
	if err != nil {
		return "cpu", []string{"only the CPU runs tasks: " + err.Error()}
	}
	build := ""
	if len(list) > 0 {
		if build, err = Build(); err != nil {
			return "cpu", []string{"only the CPU runs tasks: it is not known which build of millrace this is: " + err.Error()}
		}
	}
	return auto(list, build, func(kind string) ([]found, error) { return backends[kind].find() })
}

func auto(list []Checked, build string, find func(kind string) ([]found, error)) (processors string, notes []string) {
	processors = "cpu"
	there := map[string][]found{}
	names := map[string]bool{}
	for _, c := range inOrder(list) {
		kind, _, _ := strings.Cut(c.ID, ":")
		if !c.Passed || !real(c.Kind) || backends[kind].find == nil {
			continue
		}
		if _, known := there[kind]; !known {
			there[kind], _ = find(kind) // who has none left is told below
		}
		at := slices.IndexFunc(there[kind], func(f found) bool { return f.id == c.ID })
		switch {
		case at < 0 || there[kind][at].unusable != "":
			continue // it has been taken out
		case c.Build != build, there[kind][at].name != c.Name, there[kind][at].driver != c.Driver:
			notes = append(notes, fmt.Sprintf("%s is not used: it was checked with another build of millrace or another driver; millrace devices --check %s does it anew", c.ID, c.ID))
		case !names[kind+c.Name] && names[c.Name]: // by another driver already
		default:
			processors += "," + c.ID
			names[c.Name], names[kind+c.Name] = true, true
		}
	}
	return processors, notes
}

// inOrder has a maker's own driver first, then the numbers in order.
func inOrder(list []Checked) []Checked {
	return slices.SortedFunc(slices.Values(list), func(a, b Checked) int { return strings.Compare(a.ID, b.ID) })
}

// real reports whether a kind of device is hardware of its own.
func real(kind string) bool {
	return kind == device.GPU.String() || kind == device.Accelerator.String()
}
