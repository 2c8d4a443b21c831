// Command channels measures what one would write without a library.
package main

import (
	"tinyactor/benchmarks/internal/contest"
	"tinyactor/benchmarks/internal/contestants/channels"
)

func main() { contest.Main(channels.Entries...) }
