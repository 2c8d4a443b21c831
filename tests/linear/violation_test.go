package linear

import (
	"os"
	"strings"
	"testing"
)

// What is shown of a violation can be read, and is drawn into a file.
func TestViolation(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	rep := Run(Config{Histories: 1000, Procs: 1, Seed: 3, Fault: faultNamed(t, "last in, first out")})
	if len(rep.Violations) == 0 {
		t.Fatal("there is none")
	}
	v := rep.Violations[0]
	for _, want := range []string{"of seed 3", "GOMAXPROCS 1", "is not linearizable", "policy", "client 0", "End:"} {
		if !strings.Contains(v.String(), want) {
			t.Errorf("it does not say %q:\n%v", want, v)
		}
	}
	file, err := v.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if drawing, err := os.ReadFile(file); err != nil || !strings.Contains(string(drawing), "Recv") {
		t.Errorf("the drawing has %d bytes, %v", len(drawing), err)
	}
}

func faultNamed(t *testing.T, name string) *Fault {
	t.Helper()
	for _, f := range Faults {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no fault is named %q", name)
	return nil
}
