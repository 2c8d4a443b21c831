package observer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tinyactor/actor"
)

// reason is the text of an error and, if it is of a panic, that of the value.
// The text of one about a stuck process goes on with its stack, which is told by
// itself. The errors may be the user's, and so their methods may panic: that must
// not take the event with it.
func (o *Observer) reason(err error) (text, value string) {
	if err == nil {
		return "", ""
	}
	text = textOf(err)
	all, complete := within(err)
	if slices.ContainsFunc(all, isStuck) {
		text, _, _ = strings.Cut(text, "\n")
	}
	shown := make(map[string]string) // by the text of what was panicked with
	for _, err := range all {
		p, ok := err.(*actor.PanicError) //nolint:errorlint // all that it wraps is in the list by itself
		if !ok || p == nil {
			continue
		}
		plain := fmt.Sprint(p.Value)
		if _, known := shown[plain]; !known {
			shown[plain] = o.redact.text(TextPanic, shorten(plain, longestReason))
		}
		value = cmp.Or(value, shown[plain])
	}
	switch {
	case o.redact == nil:
	case !complete: // there may be more panics in it
		text = "(an error whose methods panic)"
	default:
		text = replaceAll(text, shown)
	}
	return o.redact.text(TextReason, shorten(text, longestReason)), value
}

// replaceAll replaces each key by its value; of keys that begin at the same place,
// the longest.
func replaceAll(text string, by map[string]string) string {
	var pairs []string
	for _, key := range slices.SortedFunc(maps.Keys(by), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
		if key != "" {
			pairs = append(pairs, key, by[key])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// textOf is the text of an error.
func textOf(err error) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = fmt.Sprintf("the error's own text panics: %v", v)
		}
	}()
	return err.Error()
}

// within returns an error and all that it wraps, the outer ones first, and whether
// these are all.
func within(err error) (all []error, complete bool) {
	all, complete = []error{err}, true
	for i := 0; i < len(all); i++ {
		wrapped, ok := unwrap(all[i])
		all = append(all, wrapped...)
		complete = complete && ok
	}
	return all, complete
}

// unwrap returns what an error wraps itself, and false if its method panics.
func unwrap(err error) (wrapped []error, ok bool) {
	defer func() { _ = recover() }()
	switch err := err.(type) { //nolint:errorlint // this is how to see through
	case interface{ Unwrap() error }:
		wrapped = []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		wrapped = slices.Clone(err.Unwrap())
	}
	return slices.DeleteFunc(wrapped, func(err error) bool { return err == nil }), true
}

// isStuck reports whether an error itself says that it is about a stuck process.
func isStuck(err error) (yes bool) {
	if err == actor.ErrStuck {
		return true
	}
	defer func() { _ = recover() }()
	x, ok := err.(interface{ Is(error) bool })
	return ok && x.Is(actor.ErrStuck)
}
