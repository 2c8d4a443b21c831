package contest

// Workloads are all workloads, in the order of the table.
var Workloads = []*Workload{
	{Name: "tell", Title: "tell, 1 sender", run: fanIn(1, Options{})},
	{Name: "fan-in-2", Title: "fan-in, 2 senders", Step: 2, run: fanIn(2, Options{})},
	{Name: "fan-in-8", Title: "fan-in, 8 senders", Step: 8, run: fanIn(8, Options{})},
	{Name: "fan-in-64", Title: "fan-in, 64 senders", Step: 64, run: fanIn(64, Options{})},
	{Name: "fan-in-1000", Title: "fan-in, 1000 senders", Step: 1000, run: fanIn(1000, Options{})},
	{Name: "ping-pong", Title: "ping-pong, round trip", run: pingPong},
}

// Find returns the workload of that name, or nil.
func Find(name string) *Workload {
	for _, w := range Workloads {
		if w.Name == name {
			return w
		}
	}
	return nil
}
