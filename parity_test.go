package tinyactor_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// suite are the cases of OTP's supervisor_SUITE.
const suite = `
	sup_start_normal sup_start_ignore_init sup_start_ignore_child sup_start_ignore_temporary_child
	sup_start_ignore_temporary_child_start_child sup_start_ignore_temporary_child_start_child_simple
	sup_start_ignore_permanent_child_start_child_simple sup_start_error_return sup_start_fail sup_start_child_returns_error
	sup_start_restart_child_returns_error sup_start_child_returns_error_simple sup_start_map sup_start_map_simple
	sup_start_map_faulty_specs sup_stop_infinity sup_stop_timeout sup_stop_timeout_dynamic sup_stop_brutal_kill
	sup_stop_brutal_kill_dynamic sup_stop_race sup_stop_non_shutdown_exit_dynamic child_adm child_adm_simple extra_return
	child_specs child_specs_map sup_flags multiple_restarts one_for_one one_for_one_escalation one_for_all
	one_for_all_escalation one_for_all_other_child_fails_restart simple_one_for_one simple_one_for_one_shutdown
	simple_one_for_one_extra simple_one_for_one_escalation simple_one_for_one_corruption simple_one_for_one_restart_ignore
	rest_for_one rest_for_one_escalation rest_for_one_other_child_fails_restart external_start_no_progress_log
	permanent_normal transient_normal temporary_normal permanent_shutdown transient_shutdown temporary_shutdown
	faulty_application_shutdown permanent_abnormal transient_abnormal temporary_abnormal child_unlink tree
	nonsignificant_temporary nonsignificant_transient significant_temporary significant_transient significant_simple
	significant_bystander significant_escalation count_children count_children_supervisor count_restarting_children
	do_not_save_start_parameters_for_temporary_children do_not_save_child_specs_for_temporary_children
	simple_one_for_one_scale_many_temporary_children temporary_bystander simple_global_supervisor hanging_restart_loop
	hanging_restart_loop_rest_for_one hanging_restart_loop_simple order_of_children scale_start_stop_many_children
	already_started_outside_supervisor which_children which_children_simple_one_for_one

	get_callback_module code_change code_change_map code_change_simple code_change_simple_map format_log_1 format_log_2
	significant_upgrade_never_any significant_upgrade_any_never significant_upgrade_never_all significant_upgrade_all_never
	significant_upgrade_any_all significant_upgrade_all_any significant_upgrade_child`

const (
	lastRule      = 85 // of supervision
	maxDifferent  = 12
	supervisionMD = "docs/supervision.md"
)

// parity is a row of the table of cases in docs/supervision.md.
type parity struct {
	name, rules, test string
	verdict, why      string
}

var (
	// | case | rules | test | verdict: why |
	parityRow = regexp.MustCompile(`^\| (\w+) \| ([0-9, –]*?) ?\| (\S*) ?\| (same|different|not applicable)(?:: ([^|]+))? \|$`)
	// | rules | what they say | tests |
	ruleRow = regexp.MustCompile(`^\| ([0-9, –]+) \| [^|]+ \| (Test[^|]*) \|$`)
)

// readParity parses docs/supervision.md: its cases, and the tests of its rules.
func readParity(t *testing.T) (cases []parity, rules map[int][]string) {
	t.Helper()
	rules = make(map[int][]string)
	table := "" // the head of its first column
	for line := range strings.Lines(read(t, supervisionMD)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case !strings.HasPrefix(line, "|"):
			table = ""
		case table == "":
			table = strings.Fields(line)[1]
		case strings.HasPrefix(line, "|---"), table != "case" && table != "rules":
		default:
			if m := parityRow.FindStringSubmatch(line); m != nil && table == "case" {
				cases = append(cases, parity{m[1], m[2], m[3], m[4], m[5]})
			} else if m := ruleRow.FindStringSubmatch(line); m != nil && table == "rules" {
				for _, n := range ruleNumbers(t, m[1]) {
					if rules[n] != nil {
						t.Errorf("%s has two rows for rule %d", supervisionMD, n)
					}
					rules[n] = strings.Split(m[2], ", ")
				}
			} else {
				t.Errorf("%s: a row that cannot be read: %s", supervisionMD, line)
			}
		}
	}
	return cases, rules
}

// ruleNumbers reads "1, 3–5".
func ruleNumbers(t *testing.T, text string) (all []int) {
	t.Helper()
	for part := range strings.SplitSeq(text, ", ") {
		from, to, isRange := strings.Cut(part, "–")
		first, err := strconv.Atoi(from)
		last := first
		if isRange && err == nil {
			last, err = strconv.Atoi(to)
		}
		if err != nil || first > last {
			t.Errorf("%s: no numbers of rules: %q", supervisionMD, text)
			continue
		}
		for n := first; n <= last; n++ {
			all = append(all, n)
		}
	}
	return all
}

// TestParity checks that the table of docs/supervision.md has a row for each
// case of OTP's suite, and that the test of each that is applicable exists,
// passes and is not skipped; and that there is no such test without a row. It
// prints how many of them there are: make parity.
func TestParity(t *testing.T) {
	cases, rules := readParity(t)
	seen := make(map[string]bool)
	var tests []string
	different := 0
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("%s has two rows for %s", supervisionMD, c.name)
		}
		seen[c.name] = true
		if !slices.Contains(strings.Fields(suite), c.name) {
			t.Errorf("%s has a row for %s, which is no case of the suite", supervisionMD, c.name)
		}
		if c.verdict != "same" && c.why == "" {
			t.Errorf("%s: %s is %s, and the row does not say why", supervisionMD, c.name, c.verdict)
		}
		if c.verdict == "not applicable" {
			if c.test != "" || c.rules != "" {
				t.Errorf("%s: %s is not applicable and has a test or a rule", supervisionMD, c.name)
			}
			continue
		}
		if c.verdict == "different" {
			different++
		}
		for _, n := range ruleNumbers(t, c.rules) {
			if rules[n] == nil {
				t.Errorf("%s: %s names rule %d, which there is not", supervisionMD, c.name, n)
			}
		}
		if path.Base(c.test) != c.name {
			t.Errorf("%s: the test of %s is %q, and not named after it", supervisionMD, c.name, c.test)
		}
		tests = append(tests, c.test)
	}
	for name := range strings.FieldsSeq(suite) {
		if !seen[name] {
			t.Errorf("%s has no row for %s", supervisionMD, name)
		}
	}
	if different > maxDifferent {
		t.Errorf("%s: %d cases are different, more than %d", supervisionMD, different, maxDifferent)
	}

	out, err := goCommand(".", "test", "-v", "-vet=off", "-count=1", "-timeout=2m", "-run=^TestParity", "./supervisor")
	passed := regexp.MustCompile(`(?m)^    --- PASS: (\S+) `).FindAllStringSubmatch(out, -1)
	n := 0
	for _, m := range passed {
		if slices.Contains(tests, m[1]) {
			n++
		} else {
			t.Errorf("%s passes and has no row in %s", m[1], supervisionMD)
		}
	}
	for _, test := range tests {
		if !slices.ContainsFunc(passed, func(m []string) bool { return m[1] == test }) {
			t.Errorf("%s names %s, which does not exist, did not pass, or was skipped", supervisionMD, test)
		}
	}
	if testing.Verbose() {
		fmt.Printf("%d of %d\n", n, len(tests))
	}
	if err != nil || t.Failed() {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSupervisionRules checks that docs/supervision.md has a row for each rule,
// and that the tests that it names exist.
func TestSupervisionRules(t *testing.T) {
	_, rules := readParity(t)
	known := testsBelow(t, "supervisor/", "actor/")
	for n := 1; n <= lastRule; n++ {
		if rules[n] == nil {
			t.Errorf("%s has no row for rule %d", supervisionMD, n)
		}
	}
	for n, tests := range rules {
		if n < 1 || n > lastRule {
			t.Errorf("%s has a row for rule %d", supervisionMD, n)
		}
		for _, test := range tests {
			if name, _, _ := strings.Cut(test, "/"); !known[name] {
				t.Errorf("%s: rule %d names %s, which does not exist", supervisionMD, n, test)
			}
		}
	}
	// So do those that its text names.
	for _, m := range regexp.MustCompile("`(Test[A-Za-z0-9_]+)").FindAllStringSubmatch(read(t, supervisionMD), -1) {
		if !known[m[1]] {
			t.Errorf("%s names %s, which does not exist", supervisionMD, m[1])
		}
	}
}

// testsBelow returns the names of the tests in these folders.
func testsBelow(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	for _, file := range files(t, "_test.go") {
		if !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(file, f) }) {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				known[f.Name.Name] = true
			}
		}
	}
	return known
}
