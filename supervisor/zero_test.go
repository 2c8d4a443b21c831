package supervisor_test

import (
	"testing"

	"tinyactor/internal/zero"
	"tinyactor/supervisor"
)

// Every method of a zero value answers, with an error if it can, or panics with
// a text that says what is wrong: none of them hangs.
func TestZeroValuesAnswer(t *testing.T) {
	child := new(supervisor.Worker[int])
	zero.Methods(t, new(supervisor.Worker[int]), []string{"Replace"}, child) // it gets another body
	zero.Methods(t, new(supervisor.Dynamic[int, int]), nil, child)
	zero.Methods(t, new(supervisor.Supervisor), nil, child)
	zero.Methods(t, new(supervisor.Strategy), nil)
	zero.Methods(t, new(supervisor.Restart), nil)
	zero.Methods(t, new(supervisor.AutoShutdown), nil)
	zero.Methods(t, new(supervisor.StuckPolicy), nil)
	zero.Methods(t, new(supervisor.State), nil)
}
