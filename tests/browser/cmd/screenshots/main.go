// Screenshots makes the pictures of package observer's page that the documents
// show, with a Chromium, of a program that has everything to show:
//
//	go run -trimpath ./tests/browser/cmd/screenshots
//
// It writes them to docs/images, or where -o says.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tinyactor/observer"
	"tinyactor/tests/browser"
)

// A shot is a picture.
type shot struct {
	file          string
	path          string // of an actor whose detail view it shows; or "", then
	fragment      string // says what it shows
	width, height int64
	scheme        string // light or dark
}

var shots = []shot{
	{file: "observer-tree.png", fragment: "#/tree", width: 1280, height: 800, scheme: "light"},
	{file: "observer-dark.png", fragment: "#/table?sort=rate", width: 1360, height: 800, scheme: "dark"},
	{file: "observer-detail.png", path: "shop/mailer", width: 1500, height: 1000, scheme: "light"},
	{file: "observer-graph.png", fragment: "#/graph", width: 1280, height: 900, scheme: "light"},
	{file: "observer-phone.png", fragment: "#/tree", width: 390, height: 844, scheme: "light"},
}

func main() {
	to := flag.String("o", filepath.Join("docs", "images"), "`folder` to write to")
	wait := flag.Duration("wait", 20*time.Second, "how `long` the program runs before, for the charts")
	flag.Parse()
	if err := run(*to, *wait); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(to string, wait time.Duration) error {
	path, err := browser.Find()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	os.Args[0] = "shop"                            // the name of the program
	slog.SetDefault(slog.New(slog.DiscardHandler)) // of panics and deadlocks, which are meant
	scene, err := browser.NewScene(observer.Options{Actions: true}, 4)
	if err != nil {
		return err
	}
	defer scene.Close()
	server := httptest.NewServer(http.StripPrefix("/debug/actors", scene.Observer.Handler()))
	defer server.Close()
	defer server.CloseClientConnections()
	chrome, stop, err := browser.Start(path)
	if err != nil {
		return err
	}
	defer stop()

	// The pages have to see what happens, for their charts.
	tabs := make([]context.Context, len(shots))
	for i, s := range shots {
		tab, end := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
		defer end()
		tabs[i] = tab
		if s.path != "" {
			s.fragment = fmt.Sprintf("#/actor/%d", idOf(scene.Observer, s.path))
		}
		if err := chromedp.Do(tab, s.screen, chromedp.Navigate(server.URL+"/debug/actors/"+s.fragment)); err != nil {
			return err
		}
	}
	defer scene.Mail()()
	time.Sleep(wait / 2)
	for range 2 {
		if err := scene.Crash("dial tcp 192.0.2.25:587: connection refused"); err != nil {
			return err
		}
		time.Sleep(wait / 8)
	}
	defer scene.Knot()()
	time.Sleep(wait / 4)
	for i, s := range shots {
		picture, err := s.take(tabs[i])
		if err != nil {
			return fmt.Errorf("%s: %w", s.file, err)
		}
		if err := os.WriteFile(filepath.Join(to, s.file), picture, 0o666); err != nil {
			return err
		}
		fmt.Printf("%s: %d kB\n", filepath.Join(to, s.file), len(picture)>>10)
	}
	return nil
}

// idOf returns the id of an actor, or 0.
func idOf(o *observer.Observer, path string) uint64 {
	for _, a := range o.Snapshot().Actors {
		if a.Path == path {
			return a.ID
		}
	}
	return 0
}

// screen makes a tab what the shot is seen on.
func (s shot) screen(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if s.width < 600 {
		options = []chromedp.EmulateViewportOption{chromedp.EmulateScale(2), chromedp.EmulateMobile}
	}
	if _, err := chromedp.EmulateViewport(s.width, s.height, options...)(ctx, t); err != nil {
		return none, err
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}},
	})
	return none, err
}

// take takes the picture. Where it was taken is nobody's business.
func (s shot) take(tab context.Context) ([]byte, error) {
	if err := chromedp.Do(tab, chromedp.WaitVisible(chromedp.CSS(`#status[data-state=live]`))); err != nil {
		return nil, err
	}
	for { // until the page was not drawn anew meanwhile
		if err := chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](`{
			const process = document.querySelector('#process');
			process.textContent = process.textContent.replace(/on \S+,/, 'on shop-1,');
		}`)); err != nil {
			return nil, err
		}
		picture, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
		if err != nil {
			return nil, err
		}
		still, err := chromedp.Run(tab, chromedp.Evaluate[bool](`document.querySelector('#process').textContent.includes('on shop-1,')`))
		if err != nil || still {
			return picture, err
		}
	}
}
