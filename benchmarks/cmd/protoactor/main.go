// Command protoactor measures github.com/asynkron/protoactor-go.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/protoactor"
)

func main() { contest.Main(protoactor.Entries...) }
