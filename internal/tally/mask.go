package tally

import "strings"

// Mask returns a name without what tells one of many actors from the others:
// UUIDs, hexadecimal and other long ids, and the digits in what is left become
// a star. So worker-1 and worker-2 are worker-*.
//
// It looks at one word at a time, that is letters and digits in a row:
//
//   - of eight or more hexadecimal digits, some of them below a, it is an id;
//   - of sixteen or more, all of them ASCII and one a digit, it is one too;
//   - with digits in several places, it is one from the first digit on;
//   - otherwise its digits are replaced.
func Mask(name string) string {
	var b strings.Builder
	for len(name) > 0 {
		if n := len(uuid); isUUID(name) && (len(name) == n || !alphanumeric(name[n])) {
			b.WriteByte('*')
			name = name[n:]
			continue
		}
		n := 0
		for n < len(name) && alphanumeric(name[n]) {
			n++
		}
		b.WriteString(maskWord(name[:n]))
		for n < len(name) && !alphanumeric(name[n]) {
			b.WriteByte(name[n])
			n++
		}
		name = name[n:]
	}
	return b.String()
}

func maskWord(word string) string {
	digits, places, hexadecimal, ascii := 0, 0, true, true
	first, end := len(word), 0 // of the digits
	for i := range len(word) {
		hexadecimal = hexadecimal && isHex(word[i])
		ascii = ascii && word[i] < 0x80
		if !isDigit(word[i]) {
			continue
		}
		if digits == 0 {
			first = i
		}
		if digits == 0 || end != i {
			places++
		}
		digits, end = digits+1, i+1
	}
	switch {
	case digits == 0:
		return word
	case hexadecimal && len(word) >= 8, ascii && len(word) >= 16:
		return "*"
	case places > 1:
		return word[:first] + "*"
	default:
		return word[:first] + "*" + word[end:]
	}
}

// uuid is how one is written.
const uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// isUUID reports whether s begins with one.
func isUUID(s string) bool {
	if len(s) < len(uuid) {
		return false
	}
	for i := range len(uuid) {
		if uuid[i] == '-' && s[i] != '-' || uuid[i] != '-' && !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// alphanumeric takes everything beyond ASCII for letters.
func alphanumeric(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
}
