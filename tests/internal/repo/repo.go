// Package repo is where the checks that change a copy of the code find the code.
package repo

import (
	"errors"
	"os"
	"path/filepath"
)

// Root returns the folder of the workspace: the working directory, or the nearest
// one above it that has a go.work.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("this is not inside the repository: no go.work")
		}
		dir = up
	}
}
