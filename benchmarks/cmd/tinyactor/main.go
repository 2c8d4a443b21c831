// Command tinyactor measures this library.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/tiny"
)

func main() { contest.Main(tiny.Entries...) }
