// Command model runs the model checker over the real mailbox and the real
// lifecycle of actors. It must be built with the tag modelcheck.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"runtime/debug"
	"time"

	"tinyactor/internal/sched"
	"tinyactor/internal/sched/explore"
	"tinyactor/tests/model"
)

func main() {
	most := flag.Int("most", 20000, "schedules per scenario")
	run := flag.String("run", "", "only scenarios whose name matches")
	flag.Parse()
	if !sched.Modeled {
		fmt.Fprintln(os.Stderr, "model: the library was built without the tag modelcheck: go run -tags modelcheck ./tests/cmd/model")
		os.Exit(2)
	}
	debug.SetGCPercent(800)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	re := regexp.MustCompile(*run)
	total := 0
	for _, p := range model.Programs() {
		if !re.MatchString(p.Name) {
			continue
		}
		start := time.Now()
		res := explore.Explore(p, *most)
		total += res.Schedules
		fmt.Printf("%-60s %8d %3d %8d %6.2fs %.0f/s\n", p.Name, res.Schedules, res.Bound, res.Random, time.Since(start).Seconds(), float64(res.Schedules)/time.Since(start).Seconds())
		if res.Failure != nil {
			fmt.Println(res.Failure)
			os.Exit(1)
		}
	}
	fmt.Println(total)
}
