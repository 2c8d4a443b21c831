package observer

import (
	"strconv"
	"strings"
)

// redactor is Options.Redact, or nil.
type redactor func(kind Text, text string) string

// text returns what is shown instead of a text. What the user's function panics
// on is not shown.
func (r redactor) text(kind Text, text string) (shown string) {
	if r == nil || text == "" {
		return text
	}
	defer func() {
		if v := recover(); v != nil {
			shown = "(redacted)"
		}
	}()
	return r(kind, text)
}

// path returns what is shown instead of a path. A part that is an id stays.
func (r redactor) path(path string) string {
	if r == nil {
		return path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !isID(part) {
			parts[i] = r.text(TextName, part)
		}
	}
	return strings.Join(parts, "/")
}

// idText stands for the name of an actor that has none.
func idText(id uint64) string { return "#" + strconv.FormatUint(id, 10) }

// isID reports whether a part of a path stands for an actor without a name.
func isID(part string) bool {
	digits, ok := strings.CutPrefix(part, "#")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
