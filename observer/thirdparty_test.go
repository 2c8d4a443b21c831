package observer

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every file that others wrote is below static in a directory of its own, is
// listed in THIRD_PARTY.md, is as its authors published it, and has their licence
// beside it.
func TestThirdParty(t *testing.T) {
	document, err := os.ReadFile("../THIRD_PARTY.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string) // checksums by path
	for _, row := range regexp.MustCompile("(?m)^\\| `observer/static/([^`]+)` \\| `([0-9a-f]{64})` \\|$").FindAllStringSubmatch(string(document), -1) {
		listed[row[1]] = row[2]
	}

	for _, at := range slices.Sorted(maps.Keys(assets())) {
		dir := path.Dir(at)
		want, ok := listed[at]
		delete(listed, at)
		switch {
		case dir == "." && ok:
			t.Errorf("%s is listed in THIRD_PARTY.md, and stands among our own files", at)
		case dir == ".":
			continue
		case !ok:
			t.Errorf("%s is not listed in THIRD_PARTY.md", at)
		}
		if sum := sha256.Sum256(assets()[at].text); ok && hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has the checksum %x, and not the one of THIRD_PARTY.md", at, sum)
		}
		if licence := string(assets()[path.Join(dir, "LICENSE")].text); !strings.Contains(licence, "Copyright") {
			t.Errorf("no licence stands beside %s", at)
		}
	}
	for at := range listed {
		t.Errorf("THIRD_PARTY.md lists %s, which there is not", at)
	}
}

// elsewhere finds what a browser would fetch from another server, or from a path
// of the server that the page is not mounted at. The namespace of SVG is a name.
var elsewhere = regexp.MustCompile(`(?:src|href)=["']/|(?:fetch|EventSource|import)\(?\s*["'` + "`" + `](?:/|https?:)|from '(?:/|https?:)|url\(["']?(?:/|https?:)|@import`)

// The page asks for nothing but what is beside it, so that it works below any
// prefix, and has nothing that its Content-Security-Policy forbids.
func TestPageIsAlone(t *testing.T) {
	forbidden := regexp.MustCompile(`\.(?:innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write|\beval\(|new Function\(`)
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|<script>|javascript:`)
	for at, file := range assets() {
		if path.Dir(at) != "." {
			continue
		}
		text := string(file.text)
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s asks for something elsewhere: %s", at, found)
		}
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%s makes HTML or code of text: %s", at, found)
		}
		if found := inline.FindString(text); path.Ext(at) == ".html" && found != "" {
			t.Errorf("%s has inline style or script: %s", at, found)
		}
	}
}
