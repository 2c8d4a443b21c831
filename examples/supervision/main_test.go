package main

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tinyactor/supervisor"
)

// number is the number of an actor, which differs from run to run.
var number = regexp.MustCompile(`\(#\d+\)`)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out, log strings.Builder
		start := time.Now()
		if err := run(t.Context(), &out, lines(&log)); !errors.Is(err, supervisor.ErrLimitExceeded) {
			t.Errorf("the shop ends with %v", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("it took %v", took)
		}
		const want = `printed cards, 1 in the tray
lost confetti
printed posters, 1 in the tray
lost glitter
printed books, 1 in the tray
lost slime
handed back stamps
sold: 3
`
		if out.String() != want {
			t.Errorf("the program prints\n%swant\n%s", out.String(), want)
		}

		synctest.Wait() // for the observer
		const paper = `actor \"printer\" (#0): panic: paper jam"`
		// What the supervisor says and what the printer says by itself comes in
		// no particular order.
		var supervised, alone []string
		for line := range strings.Lines(number.ReplaceAllString(log.String(), "(#0)")) {
			if strings.Contains(line, "supervisor=shop") {
				supervised = append(supervised, line)
			} else {
				alone = append(alone, line)
			}
		}
		wantSupervised := `level=DEBUG msg="child started" actor=till supervisor=shop
level=DEBUG msg="child started" actor=printer supervisor=shop
level=WARN msg="child ended, restarting it" actor=printer supervisor=shop attempt=1 after=1s error="` + paper + `
level=DEBUG msg="child started" actor=printer supervisor=shop
level=WARN msg="child ended, restarting it" actor=printer supervisor=shop attempt=2 after=2s error="` + paper + `
level=DEBUG msg="child started" actor=printer supervisor=shop
level=ERROR msg="supervisor gives up: restart limit exceeded" actor=printer supervisor=shop error="supervisor \"shop\": child \"printer\": one restart too many: ` + paper + `
`
		if got := strings.Join(supervised, ""); got != wantSupervised {
			t.Errorf("the supervisor logs\n%swant\n%s", got, wantSupervised)
		}
		wantAlone := strings.Repeat(`level=ERROR msg="actor panicked" actor=printer error="`+paper+"\n", 3)
		if got := strings.Join(alone, ""); got != wantAlone {
			t.Errorf("the printer logs\n%swant\n%s", got, wantAlone)
		}
	})
}
