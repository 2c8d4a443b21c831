package cluster

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"tinyactor/actor"
)

type plain struct{ N int }

type asks struct {
	actor.Reply[string]
	N int
}

type asksNamed struct {
	Back actor.Reply[int]
	N    int
}

type asksDeep struct{ asksInner }
type asksInner struct{ actor.Reply[int] }

type asksHidden struct{ back actor.Reply[int] }

type asksTwice struct {
	actor.Reply[int]
	Other actor.Reply[string]
}

type sum interface{ isSum() }
type left struct{ N int }
type right struct{ S string }
type stranger struct{}

func (left) isSum()     {}
func (*right) isSum()   {}
func (stranger) isSum() {}

func init() { Register[sum]("test.sum", left{}, &right{}) }

func TestFindReply(t *testing.T) {
	_ = asksHidden{}.back
	for _, c := range []struct {
		of   any
		want []int
		err  string
	}{
		{plain{}, nil, ""},
		{7, nil, ""},
		{asks{}, []int{0}, ""},
		{&asks{}, []int{0}, ""},
		{asksNamed{}, []int{0}, ""},
		{asksHidden{}, nil, "unexported field back"},
		{asksTwice{}, nil, "two Replies"},
		{asksDeep{}, nil, "unexported field asksInner"},
	} {
		got, err := findReply(reflect.TypeOf(c.of))
		if !reflect.DeepEqual(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("findReply(%T) = %v, %v, want %v, %q", c.of, got, err, c.want, c.err)
		}
	}
}

func TestShapes(t *testing.T) {
	s, err := shapeOf(reflect.TypeFor[plain]())
	if err != nil || s.name != "tinyactor/cluster.plain" {
		t.Fatalf("shape %+v, %v", s, err)
	}
	if again, _ := shapeOf(reflect.TypeFor[plain]()); again != s {
		t.Error("a type has two shapes")
	}
	type unregistered interface{ isSum() }
	if _, err := shapeOf(reflect.TypeFor[unregistered]()); !errors.Is(err, ErrUnregistered) || !strings.Contains(err.Error(), "unregistered") {
		t.Errorf("an unregistered interface: %v", err)
	}
	s, err = shapeOf(reflect.TypeFor[sum]())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []sum{left{3}, &right{"x"}} {
		b, _, err := s.encode(nil, JSON{}, v)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := s.decode(JSON{}, b)
		if err != nil || !reflect.DeepEqual(p.Elem().Interface(), v) {
			t.Errorf("%#v comes back as %#v, %v", v, p.Elem().Interface(), err)
		}
	}
	for v, says := range map[sum]string{stranger{}: "cluster.stranger", nil: "nil"} {
		if _, _, err := s.encode(nil, JSON{}, v); !errors.Is(err, ErrUnregistered) || !strings.Contains(err.Error(), says) {
			t.Errorf("encode of %#v: %v", v, err)
		}
	}
	for _, body := range []string{"", "\x03abc{}", "\xff", "\x04left{\"N\":\"x\"}", "\x04left"} {
		if _, _, err := s.decode(JSON{}, []byte(body)); !errors.Is(err, ErrMismatch) {
			t.Errorf("decode of %q: %v", body, err)
		}
	}
}

func TestRegisterPanics(t *testing.T) {
	type other interface{ isSum() }
	for what, register := range map[string]func(){
		"twice":        func() { Register[sum]("test.sum2", left{}) },
		"name taken":   func() { Register[other]("test.sum", left{}) },
		"no variants":  func() { Register[other]("test.other") },
		"nil variant":  func() { Register[other]("test.other", nil) },
		"same variant": func() { Register[other]("test.other", left{}, left{}) },
		"bad name":     func() { Register[other]("test other", left{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			register()
		}()
	}
}
