package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in a line what the program runs on: as much as a figure needs to
// be understood, and nothing that tells whose machine it is.
func Machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // only Linux has it
	return fmt.Sprintf("%s, %d cores, %s, %s/%s", cpuModel(string(info)), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// cpuModel finds the processor's name in what Linux says about it.
func cpuModel(cpuinfo string) string {
	model := "unknown CPU"
	virtual := ""
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "model name":
			model = strings.TrimSpace(value)
		case "flags":
			if strings.Contains(value+" ", " hypervisor ") || strings.HasSuffix(strings.TrimSpace(value), " hypervisor") {
				virtual = " (virtual machine)"
			}
		}
	}
	return model + virtual
}
