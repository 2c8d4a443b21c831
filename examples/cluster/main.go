// Cluster is the word-count service of examples/service on several machines: each
// node is a process with a NATS server inside and an HTTP endpoint, and all
// endpoints are the same service. A text that was taken is counted exactly once,
// though a node is killed at any moment.
//
//	go run ./examples/cluster -nodes 3             # until interrupted: says where to post to
//	go run ./examples/cluster -nodes 3 -demo 20s   # kills a node, and checks all counts
//
//	POST /texts?id=…      takes a text (202): it will be counted. The same text with the same id may be
//	                      posted again, at any node, if the answer was another or did not come
//	GET  /counts          the totals, and the most frequent words
//	GET  /words?after=…   up to a thousand words and their counts, in the order of the alphabet
//	GET  /debug/actors/   a page that shows the actors of the node
//
// What happens to a text, and what each part survives:
//
//	POST at any node
//	  └─ inbox     cluster.OpenDurable: stored on most nodes before 202 is answered; it survives the end of
//	     │         every process, and of all at once but for what is said at cluster.ProcessCrash
//	     └─ worker, of any node; counts the words. If its node dies, another worker gets the text again
//	        └─ totals   cluster.Singleton: one actor, on one node. If that dies, it begins anew on
//	           │        another, within 5 s, or within 15 s if that node led what leases are kept in
//	           └─ journal   a stream of what was counted: it survives what the inbox does
//
// At least once is what the inbox promises. Exactly once comes from the end: the
// totals know which texts are counted, a text and its counts get into the journal
// in one record or not at all, and who got no answer asks again.
//
// Here all nodes are processes on one machine, with what they store in a temporary
// folder, and whoever reaches their ports may use them. On several machines they
// would have TLS and credentials (package cluster says how), folders that stay, and
// addresses that somebody has given them; nothing else would differ.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if config := os.Getenv(nodeEnv); config != "" {
		if err := nodeMain(config); err != nil {
			fmt.Fprintln(os.Stderr, "cluster: node:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	n := flags.Int("nodes", 3, "how many nodes, each a process; three at least")
	demo := flags.Duration("demo", 0, "post texts for this `time`, kill a node half-way, and check the counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *n < 3:
		return fmt.Errorf("%d nodes: with less than 3, no majority is left when one dies", *n)
	case *demo < 0:
		return fmt.Errorf("a demonstration of %v", *demo)
	}
	nodes, err := startNodes(ctx, *n)
	if err != nil {
		return err
	}
	if *demo > 0 {
		d := demonstration{nodes: nodes, length: *demo, drain: time.Minute, out: out}
		err = d.run(ctx)
	} else {
		invite(nodes, out)
		<-ctx.Done()
	}
	return errors.Join(err, nodes.stop())
}

// invite says what can be done with the nodes.
func invite(nodes *nodes, out io.Writer) {
	for _, p := range nodes.all {
		fmt.Fprintf(out, "node %s: %s, its actors: %[2]s/debug/actors/, to kill it: kill -9 %d\n", p.name, p.url, p.cmd.Process.Pid)
	}
	fmt.Fprintf(out, `post a text to any node, and ask any other:
  curl -d 'to be or not to be' '%s/texts?id=1'
  curl '%s/counts'
running until interrupted
`, nodes.all[0].url, nodes.all[1].url)
}
