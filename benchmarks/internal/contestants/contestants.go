// Package contestants says which programs there are, without being linked to
// what is in them.
package contestants

// A Program is a folder in cmd whose contestants are linked together.
type Program struct {
	Name        string
	Contestants []string
}

// Programs are all programs, in the order of the table. Libraries are apart,
// because some cannot be linked into one program, and so that none measures
// with the init functions and globals of another in its process.
var Programs = []Program{
	{"tinyactor", []string{"tinyactor", "tinyactor-default", "tinyactor-recv"}},
	{"observed", []string{"unobserved", "observed", "observed-viewer", "observed-prometheus", "observed-otel", "traced-unsampled", "traced-sampled"}},
	{"channels", []string{"chan-raw", "chan-select", "chan-raw-16", "chan-select-16", "mutex+cond"}},
	{"phony", []string{"phony"}},
	{"protoactor", []string{"protoactor-go"}},
	{"suture", []string{"suture"}},
	{"remote", []string{"cluster", "cluster-async", "nats", "nats-async", "nats-ids", "nats-ids-async"}},
}
