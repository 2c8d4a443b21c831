package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// nodes are the processes that this one has started.
type nodes struct {
	all  []*process
	temp string
}

// A process is a node.
type process struct {
	name, url string
	cmd       *exec.Cmd
	stdin     io.Closer
	stdout    *bufio.Reader
	killed    bool
}

// startNodes starts n nodes and waits until all take requests.
func startNodes(ctx context.Context, n int) (_ *nodes, err error) {
	routes, err := freeAddresses(n)
	if err != nil {
		return nil, err
	}
	ns := new(nodes)
	defer func() {
		if err != nil {
			ns.stop() //nolint:errcheck // the reason is err
		}
	}()
	if ns.temp, err = os.MkdirTemp("", "tinyactor-cluster-"); err != nil {
		return nil, err
	}
	for i, route := range routes {
		name := fmt.Sprintf("node%d", i+1)
		p, err := startProcess(nodeConfig{Name: name, Route: route, Routes: routes, Store: filepath.Join(ns.temp, name), Replicas: 3})
		if err != nil {
			return nil, err
		}
		ns.all = append(ns.all, p)
	}
	// None is ready before most of them are there. If ctx ends, they are told to
	// end, and then there is no line.
	defer context.AfterFunc(ctx, ns.release)()
	for _, p := range ns.all {
		line, err := p.stdout.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("%s has not begun: %w", p.name, errors.Join(err, context.Cause(ctx)))
		}
		p.url = strings.TrimSpace(line)
	}
	return ns, nil
}

// startProcess runs this program once more, as a node.
func startProcess(cfg nodeConfig) (*process, error) {
	config, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{name: cfg.Name, cmd: exec.Command(self)}
	p.cmd.Env = append(os.Environ(), nodeEnv+"="+string(config))
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.stdout = bufio.NewReader(stdout)
	return p, p.cmd.Start()
}

// freeAddresses returns addresses on which nobody listens. On Linux, where all of
// 127.0.0.0/8 is this machine, they are on one that is nobody else's, so that no
// other program is given them before the nodes listen there.
func freeAddresses(n int) (all []string, err error) {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	}
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

// kill ends a node as kill -9 does: in the middle of whatever it does.
func (p *process) kill() error {
	p.killed = true
	err := p.cmd.Process.Kill()
	p.cmd.Wait() //nolint:errcheck // it was killed
	return err
}

// release tells all nodes to end.
func (ns *nodes) release() {
	for _, p := range ns.all {
		p.stdin.Close()
	}
}

// stop ends the nodes in order, as far as they do.
func (ns *nodes) stop() error {
	ns.release()
	var errs []error
	for _, p := range ns.all {
		if p.killed {
			continue
		}
		late := time.AfterFunc(2*ending, func() { p.cmd.Process.Kill() }) //nolint:errcheck // it has ended, then
		if err := p.cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
		late.Stop()
	}
	return errors.Join(append(errs, os.RemoveAll(ns.temp))...)
}
