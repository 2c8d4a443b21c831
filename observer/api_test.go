package observer_test

import (
	"flag"
	"testing"

	"tinyactor/internal/exported"
)

var updateAPI = flag.Bool("update", false, "write api.txt instead of comparing with it")

// TestAPI compares the exported names of the package and their signatures with
// api.txt, so that no change of them goes unnoticed. To accept a change:
//
//	go test ./observer -run TestAPI -update
func TestAPI(t *testing.T) { exported.Compare(t, "tinyactor/observer", *updateAPI) }
