//go:build race

package supervisor_test

// raceEnabled: under the race detector everything takes ten times as long.
const raceEnabled = true
