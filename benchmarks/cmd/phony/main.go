// Command phony measures github.com/Arceliar/phony.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/phony"
)

func main() { contest.Main(phony.Entries...) }
