//go:build !unix

package contest

import "time"

// cpuTime is not known here: the column shows 0.
func cpuTime() time.Duration { return 0 }
