package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tinyactor/benchmarks/internal/report"
)

// writeDocument writes performance.md and performance.svg into a folder.
func writeDocument(dir string, d *report.Document) error {
	return errors.Join(
		writeFile(filepath.Join(dir, "performance.md"), d.Markdown),
		writeFile(filepath.Join(dir, "performance.svg"), d.SVG),
	)
}

func writeFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

// commit says which version was measured.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=7").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
