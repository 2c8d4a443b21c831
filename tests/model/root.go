package model

import (
	"path/filepath"
	"runtime"
)

// Root is the directory of the repository in which this package was compiled.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}
