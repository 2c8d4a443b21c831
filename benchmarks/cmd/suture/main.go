// Command suture measures github.com/thejerf/suture.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/suture"
)

func main() { contest.Main(suture.Entries...) }
