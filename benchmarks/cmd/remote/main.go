// Command remote measures package cluster, and NATS's client beside it.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/remote"
)

func main() { contest.Main(remote.Entries...) }
