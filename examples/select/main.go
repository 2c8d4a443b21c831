// Select shows an actor that waits for several things at once: its inbox, a
// ticker, and the lines that a goroutine reads from a socket.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"tinyactor/actor"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	server, err := listener.Accept()
	if err != nil {
		return errors.Join(err, client.Close())
	}
	return talk(ctx, out, server, client, 100*time.Millisecond)
}

// talk runs an actor at one end of a connection and is the client at the other
// one. What the client reads goes to out.
func talk(ctx context.Context, out io.Writer, server, client net.Conn, every time.Duration) error {
	defer client.Close()
	child, addr := actor.Spawn(ctx, actor.Config{Name: "connection"}, serve(server, every))

	lines := bufio.NewScanner(client)
	readUntil := func(last string) {
		for lines.Scan() {
			fmt.Fprintln(out, lines.Text())
			if lines.Text() == last {
				return
			}
		}
	}
	if _, err := fmt.Fprintln(client, "hello"); err != nil { // comes by the socket
		return err
	}
	readUntil("HELLO")
	if err := addr.Send(ctx, "news"); err != nil { // comes by the inbox
		return err
	}
	readUntil("news")
	readUntil("tick") // comes by itself
	child.Halt()
	readUntil("") // to the end

	_, err := child.Wait(ctx)
	return errors.Join(err, lines.Err())
}

// serve returns the body of an actor that owns a connection. It writes to it
// the messages that it is sent, the lines that it reads in capitals, and a tick
// now and then, until it is told to stop or the other side hangs up.
func serve(conn net.Conn, every time.Duration) func(context.Context, *actor.Inbox[string]) error {
	return func(ctx context.Context, in *actor.Inbox[string]) error {
		// A read or write knows nothing of contexts. ctx ends at an abort, and
		// when the body has returned.
		context.AfterFunc(ctx, func() { conn.Close() })
		scanner, lines := bufio.NewScanner(conn), make(chan string)
		go readLines(ctx, scanner, lines)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		ready := in.Ready()
		for {
			var text string
			select {
			case <-ready:
				m, err := in.TryRecv()
				if errors.Is(err, actor.ErrEmpty) {
					continue
				}
				if err != nil {
					fmt.Fprintln(conn, "bye")
					return err // halted or closed, which is a normal end
				}
				text = m
			case line, ok := <-lines:
				if !ok {
					return scanner.Err() // nil if the other side has hung up
				}
				text = strings.ToUpper(line)
			case <-ticker.C:
				text = "tick"
			}
			if _, err := fmt.Fprintln(conn, text); err != nil {
				return err
			}
		}
	}
}

// readLines reads lines until the connection or ctx ends, and then closes the
// channel.
func readLines(ctx context.Context, from *bufio.Scanner, lines chan<- string) {
	defer close(lines)
	for from.Scan() {
		select {
		case lines <- from.Text():
		case <-ctx.Done():
			return
		}
	}
}
