// Command observed measures this library while somebody looks.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/observed"
)

func main() { contest.Main(observed.Entries...) }
