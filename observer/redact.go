package observer

import (
	"cmp"
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

// path returns what is shown instead of the path of an actor. What is a name in it
// is told by who owns whom: names may have slashes, or look like ids. Above an actor
// of which that is not known, a name is what is between two slashes and no id.
func (o *Observer) path(path string, all sights, id uint64, name string) string {
	if o.redact == nil {
		return path
	}
	shown := ""
	for known := true; known; {
		own := cmp.Or(name, idText(id))
		above, ok := strings.CutSuffix(path, own)
		if !ok || above != "" && !strings.HasSuffix(above, "/") {
			break
		}
		if name != "" {
			own = o.redact.text(TextName, name)
		}
		shown = own + shown
		if above == "" {
			return shown
		}
		path, shown = strings.TrimSuffix(above, "/"), "/"+shown
		_, id, _ = o.kin(all, id)
		name, _, known = o.kin(all, id)
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !isID(part) {
			parts[i] = o.redact.text(TextName, part)
		}
	}
	return strings.Join(parts, "/") + shown
}

// kin returns the name of an actor and who owns it, if it is known.
func (o *Observer) kin(all sights, id uint64) (name string, parent uint64, known bool) {
	if x := all.of(id); x != nil {
		return x.Name, x.reading.Parent, true
	}
	_, a := o.lookup(id)
	if a == nil {
		return "", 0, false
	}
	return a.Name, a.Read().Parent, true
}

// idText stands for the name of an actor that has none.
func idText(id uint64) string { return "#" + strconv.FormatUint(id, 10) }

// isID reports whether a part of a path stands for an actor without a name.
func isID(part string) bool {
	digits, ok := strings.CutPrefix(part, "#")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
