package model

import "tinyactor/internal/sched/explore"

// Programs returns every scenario.
func Programs() []explore.Program {
	var all []explore.Program
	for _, state := range queueStates {
		for i, a := range queueOps {
			for _, b := range queueOps[i:] {
				all = append(all, queueProgram(state, a, b))
			}
		}
	}
	for i, a := range actorOps {
		for _, b := range actorOps[i:] {
			all = append(all, actorProgram(actorEmpty, a, b))
		}
	}
	return all
}
