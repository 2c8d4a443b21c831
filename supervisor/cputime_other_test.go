//go:build !unix

package supervisor_test

import "time"

// cpuTime is the time, where the processors' is not to be had.
func cpuTime() time.Duration { return time.Since(began) }
