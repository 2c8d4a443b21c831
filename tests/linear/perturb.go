package linear

import (
	"runtime/debug"
	"slices"
	"strings"
)

// Perturbed reports whether the program was built with the tag perturb, so that
// the operations of the mailbox themselves let others run now and then. Where
// they do not, the clients do so between a stamp and the operation, which tests
// less: the mailbox is then never left in the middle of something.
func Perturbed() bool { return perturbed }

var perturbed = func() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return slices.Contains(strings.Split(s.Value, ","), "perturb")
		}
	}
	return false
}()
