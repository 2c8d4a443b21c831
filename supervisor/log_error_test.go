package supervisor_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"tinyactor/actor"
	"tinyactor/supervisor"
)

// Errors of which a method does not expect to be called.
type (
	errBadIs   struct{} // on each target but its own kind, as many are written
	errBadAs   struct{}
	errBadText struct{ s *string }
)

func (errBadIs) Error() string        { return "bad" }
func (errBadIs) Is(target error) bool { return target.(errBadIs) == errBadIs{} }
func (errBadAs) Error() string        { return "bad" }
func (errBadAs) As(any) bool          { panic("nothing to see") }
func (e errBadText) Error() string    { return *e.s }

// A line is written whatever an error's methods do: nobody else writes it.
func TestLogObserverWithBadErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errBadIs{}, "reason=bad"},
		{errBadAs{}, "reason=bad"},
		{errBadText{}, "reason=\"the error's own text panics: "},
		{errors.Join(errBadIs{}, errBadText{}), "reason=\"the error's own text panics: "},
	} {
		for kind, want := range map[actor.EventKind]string{
			actor.EventExited:    `level=WARN msg="process ended" actor=a path=a ` + test.want,
			actor.EventFailed:    `level=WARN msg="child failed" actor=a path=a ` + test.want,
			actor.EventEscalated: `level=ERROR msg="supervisor ends" actor=a path=a ` + test.want,
			actor.EventStuck:     `level=ERROR msg="process stuck; it has not ended after an abort" actor=a path=a ` + test.want,
		} {
			var p page
			supervisor.LogObserver(p.logger(t, slog.LevelDebug)).Observe(actor.Event{Kind: kind, ID: 1, Name: "a", Path: "a", Process: -1, Err: test.err})
			if got := strings.Join(p.lines(), ""); !strings.HasPrefix(got, want) {
				t.Errorf("of a %T, %s is logged as %q, want %s…", test.err, kind, got, want)
			}
		}
	}
}
