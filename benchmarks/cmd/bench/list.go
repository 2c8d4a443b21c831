package main

import (
	"path"
	"slices"
	"strings"
)

// list is a flag with patterns, separated by commas. An empty one matches
// everything.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	for p := range strings.SplitSeq(value, ",") {
		if _, err := path.Match(p, ""); err != nil {
			return err
		}
		*l = append(*l, p)
	}
	return nil
}

func (l list) matches(name string) bool {
	return len(l) == 0 || slices.ContainsFunc(l, func(p string) bool {
		ok, _ := path.Match(p, name) // Set has looked at it
		return ok
	})
}
