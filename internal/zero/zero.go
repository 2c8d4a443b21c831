// Package zero calls the methods of zero values, all there are, so that none is
// forgotten. It is for tests.
package zero

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// patience is how long a call may take before it is taken for one that hangs.
const patience = 10 * time.Second

// Methods calls each exported method of a pointer to a zero value, each on a new
// one, and what it returns if that is a function. It fails the test if a call
// hangs, ends its goroutine, or panics with anything but a text that begins with
// the name of the type's package; if a channel that it returns is not closed; or
// if a method that can return an error returns none and is not in silent, the
// methods for which nil is the answer. Arguments are made as they come; those
// whose type is an interface are taken from args.
func Methods(t *testing.T, zero any, silent []string, args ...any) {
	t.Helper()
	typ := reflect.TypeOf(zero)
	if typ.NumMethod() == 0 {
		t.Errorf("%v has no methods", typ)
	}
	for i := range typ.NumMethod() {
		method := typ.Method(i)
		name := fmt.Sprintf("(%v).%s", typ, method.Name)
		value := reflect.New(typ.Elem()).Method(i)
		results, panicked := call(t, name, value, args)
		if results == nil {
			prefix, _, _ := strings.Cut(strings.TrimPrefix(typ.String(), "*"), ".")
			if text, ok := panicked.(string); panicked != nil && (!ok || !strings.HasPrefix(text, prefix+": ")) {
				t.Errorf("%s panics: %v", name, panicked)
			}
			continue
		}
		mayBeNil := false
		for _, s := range silent {
			mayBeNil = mayBeNil || s == method.Name
		}
		for _, result := range results {
			switch {
			case result.Type() == reflect.TypeFor[error]():
				if result.IsNil() != mayBeNil {
					t.Errorf("%s returns the error %v", name, result)
				}
			case result.Kind() == reflect.Chan:
				if _, panicked := call(t, "receiving from "+name, reflect.ValueOf(func() { result.Recv() }), nil); panicked != nil {
					t.Errorf("%s returns a channel that panics: %v", name, panicked)
				}
			case result.Kind() == reflect.Func:
				if _, panicked := call(t, "what "+name+" returns", result, args); panicked != nil {
					t.Errorf("what %s returns panics: %v", name, panicked)
				}
			}
		}
	}
}

// call calls a function and returns its results, or nil and what it panicked
// with.
func call(t *testing.T, name string, f reflect.Value, args []any) (results []reflect.Value, panicked any) {
	t.Helper()
	in := make([]reflect.Value, f.Type().NumIn())
	for i := range in {
		in[i] = argument(t, name, f.Type().In(i), args)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		returned := false
		defer func() {
			if panicked = recover(); panicked == nil && !returned {
				t.Errorf("%s calls runtime.Goexit", name)
			}
		}()
		results = append([]reflect.Value{}, f.Call(in)...)
		returned = true
	}()
	select {
	case <-done:
		return results, panicked
	case <-time.After(patience):
		t.Errorf("%s hangs", name)
		return nil, nil
	}
}

// argument makes an argument of a type.
func argument(t *testing.T, name string, typ reflect.Type, args []any) reflect.Value {
	t.Helper()
	switch typ.Kind() {
	case reflect.Interface:
		if typ == reflect.TypeFor[error]() {
			break
		}
		for _, a := range append([]any{context.Background()}, args...) {
			if reflect.TypeOf(a).Implements(typ) {
				return reflect.ValueOf(a)
			}
		}
		t.Fatalf("%s: there is no argument of type %v", name, typ)
	case reflect.Func:
		return reflect.MakeFunc(typ, func([]reflect.Value) []reflect.Value {
			results := make([]reflect.Value, typ.NumOut())
			for i := range results {
				results[i] = reflect.Zero(typ.Out(i))
			}
			return results
		})
	case reflect.Slice:
		return reflect.MakeSlice(typ, 1, 1)
	case reflect.Pointer:
		return reflect.New(typ.Elem())
	case reflect.Int, reflect.Int64:
		v := reflect.New(typ).Elem()
		v.SetInt(1)
		return v
	default:
	}
	return reflect.Zero(typ)
}
