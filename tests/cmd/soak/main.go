// Command soak runs everything at once for as long as wanted, and says whether a
// message was lost or duplicated, or memory or a goroutine is left over. Built
// with GOEXPERIMENT=goroutineleakprofile it also asks the runtime for goroutines
// that have leaked.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/goleak"

	"tinyactor/tests/soak"
)

func main() {
	var cfg soak.Config
	flag.DurationVar(&cfg.Duration, "t", time.Minute, "how long")
	flag.DurationVar(&cfg.Epoch, "epoch", 5*time.Second, "how long from one settlement of accounts to the next")
	flag.Parse()
	if cfg.Duration <= 0 || cfg.Epoch <= 0 {
		fmt.Fprintln(os.Stderr, "soak: -t and -epoch must be positive")
		os.Exit(2)
	}
	report := soak.Run(cfg)
	fmt.Print(report)
	bad := report.Faulty()
	if err := goleak.Find(); err != nil {
		bad = append(bad, err.Error())
	}
	if len(report.Missing) > 0 && cfg.Duration >= 20*time.Second {
		bad = append(bad, "never happened: "+strings.Join(report.Missing, ", "))
	}
	if len(bad) > 0 {
		fmt.Println("FAIL:", strings.Join(bad, "\n"))
		os.Exit(1)
	}
	fmt.Println("ok: nothing is left")
}
