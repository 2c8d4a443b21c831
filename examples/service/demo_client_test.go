package main

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// answers makes a demo whose service gives these answers, by method and path,
// with the status that stands before each.
func answers(t *testing.T, by map[string]string) *demo {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := by[r.Method+" "+r.URL.RequestURI()]
		if !known {
			answer, known = by[r.Method+" "+r.URL.Path]
		}
		status := http.StatusNotFound
		switch {
		case !known || answer == "":
			answer = `404 {"error":"nothing"}`
		case answer[:3] == "202":
			status = http.StatusAccepted
		case answer[:3] == "200":
			status = http.StatusOK
		case answer[:3] == "429":
			status = http.StatusTooManyRequests
		case answer[:3] == "500":
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer[4:]))
	}))
	t.Cleanup(server.Close)
	d := &demo{base: server.URL, seen: newRecord()}
	d.settings = testSettings(t, 1, 8, 1000)
	d.period = time.Millisecond
	d.snapshot = filepath.Join(t.TempDir(), "snapshot")
	return d
}

// The clients refuse answers that cannot be right.
func TestRoundChecks(t *testing.T) {
	file := source{name: "a", body: []byte("x y"), want: map[string]int{"x": 1, "y": 1}, words: 2}
	for name, test := range map[string]struct {
		n    int
		bad  map[string]string
		fine bool
	}{
		"waited for":    {n: 16, fine: true},
		"admitted":      {n: 1, fine: true, bad: map[string]string{"POST /texts": `202 {"name":"a","post":1,"pieces":1}`}},
		"failed":        {n: 16, fine: true, bad: map[string]string{"POST /texts": `500 {"error":"a crash","failed":{"text":"a","post":1,"piece":1,"pieces":1}}`}},
		"first pending": {n: 16, fine: true, bad: map[string]string{"GET /texts/a": `200 {"name":"a","pending":1}`}},

		"failed by no piece":  {n: 16, bad: map[string]string{"POST /texts": `500 {"error":"a crash"}`}},
		"failed by no such":   {n: 16, bad: map[string]string{"POST /texts": `500 {"error":"a crash","failed":{"text":"a","post":1,"piece":2,"pieces":1}}`}},
		"failed of another":   {n: 16, bad: map[string]string{"POST /texts": `500 {"error":"a crash","failed":{"text":"b","post":1,"piece":1,"pieces":1}}`}},
		"not waited for":      {n: 16, bad: map[string]string{"POST /texts": `202 {"name":"a","post":1,"pieces":1}`}},
		"waited for in vain":  {n: 1},
		"other receipt":       {n: 16, bad: map[string]string{"POST /texts": `200 {"name":"b","post":1,"pieces":1,"words":3,"distinct":3}`}},
		"without the mark":    {n: 16, bad: map[string]string{"POST /texts": `200 {"name":"a","post":1,"pieces":1,"words":2,"distinct":2}`}},
		"no receipt":          {n: 16, bad: map[string]string{"POST /texts": `200 thank you`}},
		"fewer words":         {n: 16, bad: map[string]string{"GET /texts/a": `200 {"name":"a","post":1,"words":1,"distinct":1}`}},
		"half of the first":   {n: 16, bad: map[string]string{"GET /texts/a": `200 {"name":"a","words":1,"distinct":1,"pending":1}`}},
		"not counted":         {n: 16, bad: map[string]string{"GET /texts/a": `200 {"name":"a"}`}},
		"unknown text":        {n: 16, bad: map[string]string{"GET /texts/a": ""}},
		"rising words":        {n: 16, bad: map[string]string{"GET /words": `200 {"texts":1,"distinct":2,"words":[{"word":"x","count":1},{"word":"y","count":2}]}`}},
		"too few words":       {n: 16, bad: map[string]string{"GET /words": `200 {"texts":1,"distinct":2,"words":[{"word":"x","count":1}]}`}},
		"words not there":     {n: 16, bad: map[string]string{"GET /words": ""}},
		"posting not allowed": {n: 16, bad: map[string]string{"POST /texts": ""}},
	} {
		by := map[string]string{
			"POST /texts":  `200 {"name":"a","post":1,"pieces":1,"words":3,"distinct":3}`,
			"GET /texts/a": `200 {"name":"a","post":1,"words":3,"distinct":3}`,
			"GET /words":   `200 {"texts":1,"distinct":3,"words":[{"word":"x","count":1},{"word":"y","count":1},{"word":"z","count":1}]}`,
		}
		maps.Copy(by, test.bad)
		d := answers(t, by)
		if err := d.round(t.Context(), test.n, &file); (err == nil) != test.fine {
			t.Errorf("%s: the client says %v", name, err)
		}
		if posts, pieces := d.seen.admitted(); test.fine && (posts != 1 || pieces != 1) {
			t.Errorf("%s: %d posts of %d pieces were admitted", name, posts, pieces)
		}
	}
}

// A refused post is a refusal, and no admission.
func TestRefusedPost(t *testing.T) {
	d := answers(t, map[string]string{"POST /texts": `429 {"error":"full"}`})
	refused, err := d.post(t.Context(), &source{name: "a"}, false)
	if posts, _ := d.seen.admitted(); err != nil || !refused || d.seen.refusals() != 1 || posts != 0 {
		t.Errorf("%t, %v, %+v", refused, err, d.seen)
	}
}

// The trouble makers refuse answers that cannot be right.
func TestTroubleChecks(t *testing.T) {
	good := map[string]string{
		"POST /crash":                      `200 {"text":"a","post":2,"piece":1,"pieces":1}`,
		"GET /texts/a":                     `200 {"name":"a","post":1,"failed":{"text":"a","post":2,"piece":1,"pieces":1}}`,
		"GET /healthz":                     `200 {"status":"ok"}`,
		"GET /stats":                       `200 {"accepted":10,"processed":7,"crashed":1,"open":2,"staff":1}`,
		"POST /tasks/snapshot/stop":        `200 {"running":false,"format":"json","written":1}`,
		"POST /tasks/snapshot/start":       `200 {"running":true,"format":"json","written":2}`,
		"GET /tasks/snapshot":              `200 {"running":false,"format":"json","written":1}`,
		"POST /tasks/snapshot?format=csv":  `200 {"running":true,"format":"csv","written":3}`,
		"POST /crash?what=task":            `200 {"running":true,"format":"csv","written":3}`,
		"POST /tasks/snapshot?format=json": `200 {"running":true,"format":"json","written":3}`,
	}
	crash := func(d *demo, ctx context.Context) error { return d.crash("worker")(ctx) }
	restart := func(d *demo, ctx context.Context) error { return d.alone("workers", d.crash("worker"))(ctx) }
	for name, test := range map[string]struct {
		make func(*demo, context.Context) error
		bad  map[string]string
		fine bool
	}{
		"crash":           {make: crash, fine: true},
		"later counted":   {make: crash, fine: true, bad: map[string]string{"GET /texts/a": `200 {"post":3}`}},
		"no crash":        {make: crash, bad: map[string]string{"POST /crash": ""}},
		"crash counted":   {make: crash, bad: map[string]string{"GET /texts/a": `200 {"post":2}`}},
		"no failure":      {make: crash, bad: map[string]string{"GET /texts/a": `200 {"post":1}`}},
		"earlier failure": {make: crash, bad: map[string]string{"GET /texts/a": `200 {"post":0,"failed":{"text":"a","post":1,"piece":1,"pieces":1}}`}},

		"stats":       {make: (*demo).askForStats, fine: true},
		"lost piece":  {make: (*demo).askForStats, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":7,"open":2,"staff":1}`}},
		"handed back": {make: (*demo).askForStats, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":7,"handed_back":1,"open":2,"staff":1}`}},
		"queue":       {make: (*demo).askForStats, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":1,"open":9,"staff":1}`}},
		"no workers":  {make: (*demo).askForStats, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":7,"crashed":1,"open":2}`}},
		"unhealthy":   {make: (*demo).askForStats, bad: map[string]string{"GET /healthz": ""}},

		"restarted":       {make: restart, fine: true, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":7,"crashed":1,"open":2,"staff":1,"restarts":{"workers":1}}`}},
		"restarted twice": {make: restart, bad: map[string]string{"GET /stats": `200 {"accepted":10,"processed":7,"crashed":1,"open":2,"staff":1,"restarts":{"workers":2}}`}},

		"task":          {make: (*demo).disturbTask, fine: true},
		"not stopped":   {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot/stop": `200 {"running":true,"format":"json","written":1}`}},
		"goes on":       {make: (*demo).disturbTask, bad: map[string]string{"GET /tasks/snapshot": `200 {"running":false,"format":"json","written":2}`}},
		"not started":   {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot/start": `200 {"running":false,"format":"json","written":1}`}},
		"not changed":   {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot?format=csv": `200 {"running":true,"format":"json","written":3}`}},
		"not written":   {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot?format=csv": `200 {"running":true,"format":"csv","written":2}`}},
		"other file":    {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot/start": `200 {"running":true,"format":"csv","written":2}`}},
		"task crash":    {make: (*demo).crashTask, fine: true, bad: map[string]string{"GET /tasks/snapshot": `200 {"running":true,"format":"csv","written":4}`}},
		"not back":      {make: (*demo).crashTask},
		"did not crash": {make: (*demo).crashTask, bad: map[string]string{"POST /crash?what=task": ""}},
		"task not here": {make: (*demo).disturbTask, bad: map[string]string{"POST /tasks/snapshot/stop": ""}},
	} {
		by := make(map[string]string)
		for _, answers := range []map[string]string{good, test.bad} {
			maps.Copy(by, answers)
		}
		d := answers(t, by)
		if err := writeSnapshot(d.snapshot, asCSV, map[string]int{"x": 1}); err != nil {
			t.Fatal(err)
		}
		if err := test.make(d, t.Context()); (err == nil) != test.fine {
			t.Errorf("%s: the demo says %v", name, err)
		}
	}
}
