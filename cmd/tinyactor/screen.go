package main

import (
	"context"
	"os"
	"time"

	"github.com/gdamore/tcell/v3"
	"github.com/gdamore/tcell/v3/color"

	"tinyactor/observer"
)

// news is what one look at the program came to.
type news struct {
	snap *observer.Snapshot
	err  error
}

// live shows the view until its user quits or ctx ends. The screen is restored
// however it ends.
func live(ctx context.Context, screen tcell.Screen, src *source, v *view, every time.Duration) error {
	if err := screen.Init(); err != nil {
		return err
	}
	defer screen.Fini()
	screen.SetTitle("tinyactor top")

	ctx, cancel := context.WithCancel(ctx)
	looks := make(chan news)
	go src.poll(ctx, every, looks)
	defer func() {
		cancel()
		for range looks { // until poll has ended
		}
	}()
	clock := time.NewTicker(time.Second)
	defer clock.Stop()

	paint := painter(os.Getenv("NO_COLOR") == "" && screen.Colors() > 0)
	v.now = time.Now()
	v.resize(screen.Size())
	for !v.quit {
		draw(screen, v, paint)
		select {
		case ev := <-screen.EventQ():
			switch ev := ev.(type) {
			case *tcell.EventResize:
				v.resize(screen.Size())
			case *tcell.EventKey:
				k := keyName(ev)
				if k == "ctrl-l" {
					screen.Sync()
				}
				v.key(k)
			}
		case n, ok := <-looks:
			if !ok { // because ctx has ended
				return nil
			}
			v.now = time.Now()
			if n.err != nil {
				v.fail(n.err)
			} else {
				v.take(n.snap)
			}
		case v.now = <-clock.C:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// poll looks at the program, again and again, whether it answers or not. It
// closes looks when ctx has ended.
func (s *source) poll(ctx context.Context, every time.Duration, looks chan<- news) {
	defer close(looks)
	pause := time.NewTimer(every)
	defer pause.Stop()
	for {
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
		var n news
		n.snap, n.err = s.snapshot(ctx)
		select {
		case looks <- n:
		case <-ctx.Done():
			return
		}
		pause.Reset(every)
	}
}

// draw puts the view on the screen. Only what has changed is sent to the terminal.
func draw(screen tcell.Screen, v *view, paint func(style) tcell.Style) {
	screen.Clear()
	for y, l := range v.render() {
		x := 0
		for _, s := range l {
			screen.PutStrStyled(x, y, s.text, paint(s.style))
			x += cells(s.text)
		}
	}
	screen.Show()
}

// painter returns what styles look like. Colours are those of the terminal's own
// palette, so that they suit a dark and a light one.
func painter(colours bool) func(style) tcell.Style {
	base := tcell.StyleDefault
	styles := map[style]tcell.Style{
		strong: base.Bold(true),
		faint:  base.Dim(true),
		warn:   base.Bold(true),
		bad:    base.Bold(true).Reverse(true),
		bar:    base.Reverse(true),
	}
	if colours {
		styles[good] = base.Foreground(color.Green)
		styles[warn] = base.Foreground(color.Olive)
		styles[bad] = base.Foreground(color.Maroon).Bold(true)
	}
	return func(s style) tcell.Style { return styles[s] }
}

// keyName is the key as view.key takes it.
func keyName(ev *tcell.EventKey) string {
	if name, ok := keyNames[ev.Key()]; ok {
		return name
	}
	if ev.Key() != tcell.KeyRune || ev.Modifiers()&(tcell.ModCtrl|tcell.ModAlt|tcell.ModMeta) != 0 {
		return ""
	}
	if ev.Str() == " " {
		return "space"
	}
	return ev.Str()
}

var keyNames = map[tcell.Key]string{
	tcell.KeyUp:        "up",
	tcell.KeyDown:      "down",
	tcell.KeyLeft:      "left",
	tcell.KeyRight:     "right",
	tcell.KeyPgUp:      "pgup",
	tcell.KeyPgDn:      "pgdn",
	tcell.KeyHome:      "home",
	tcell.KeyEnd:       "end",
	tcell.KeyEnter:     "enter",
	tcell.KeyEsc:       "esc",
	tcell.KeyTab:       "tab",
	tcell.KeyBackspace: "backspace",
	tcell.KeyCtrlC:     "ctrl-c",
	tcell.KeyCtrlL:     "ctrl-l",
}
