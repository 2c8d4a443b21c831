package observer

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed static
var embedded embed.FS

// asset is a file of the page.
type asset struct {
	text []byte
	kind string // as in Content-Type
	etag string
}

// kinds are the content types by the files' extensions. Package mime would ask
// the machine, and some say that JavaScript is plain text.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
	"":      "text/plain; charset=utf-8", // LICENSE
}

// assets are the embedded files by their paths.
var assets = sync.OnceValue(func() map[string]asset {
	found := make(map[string]asset)
	err := fs.WalkDir(embedded, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := embedded.ReadFile(name)
		sum := sha256.Sum256(text)
		found[strings.TrimPrefix(name, "static/")] = asset{text, kinds[path.Ext(name)], `"` + hex.EncodeToString(sum[:8]) + `"`}
		return err
	})
	if err != nil {
		panic(err) // what is read is part of the program
	}
	return found
})

// static returns what serves the embedded file of that path, or nil.
func static(at string) http.HandlerFunc {
	if at == "" {
		at = "index.html"
	}
	found, ok := assets()[at]
	if !ok {
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache") // may be kept, if it is asked about: an update shows at once
		w.Header().Set("Content-Type", found.kind)
		w.Header().Set("ETag", found.etag)
		http.ServeContent(w, r, at, time.Time{}, bytes.NewReader(found.text))
	}
}
