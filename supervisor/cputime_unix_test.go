//go:build unix

package supervisor_test

import (
	"syscall"
	"time"
)

// cpuTime is how long the processors have worked for this program. What takes
// how long can so be compared while others use the machine.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return time.Since(began)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
