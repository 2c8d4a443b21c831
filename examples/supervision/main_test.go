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
		// What the supervisor says and what the printer says by itself comes in
		// no particular order.
		var supervised, alone []string
		for line := range strings.Lines(number.ReplaceAllString(log.String(), "(#0)")) {
			if strings.Contains(line, `msg="child`) || strings.Contains(line, `msg="supervisor`) {
				supervised = append(supervised, line)
			} else {
				alone = append(alone, line)
			}
		}
		const wantSupervised = `level=WARN msg="child ended, restarting it" actor=printer path=shop/printer process=0 attempt=1 delay=1s reason="panic: paper jam"
level=WARN msg="child ended, restarting it" actor=printer path=shop/printer process=0 attempt=2 delay=2s reason="panic: paper jam"
level=ERROR msg="supervisor gives up: restart limit exceeded" actor=printer path=shop/printer reason="supervisor \"shop\": child \"printer\": one restart too many: actor \"printer\" (#0): panic: paper jam"
`
		if got := strings.Join(supervised, ""); got != wantSupervised {
			t.Errorf("the supervisor logs\n%swant\n%s", got, wantSupervised)
		}
		const panicked = `level=ERROR msg="actor panicked" actor=printer path=shop/printer process=0 reason="panic: paper jam"` + "\n"
		const left = `level=INFO msg="messages undelivered" actor=printer path=shop/printer count=1 type=string` + "\n"
		if got, want := strings.Join(alone, ""), strings.Repeat(panicked, 3)+left; got != want {
			t.Errorf("the printer logs\n%swant\n%s", got, want)
		}
	})
}
