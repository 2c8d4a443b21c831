package cluster

import (
	"encoding/binary"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"tinyactor/internal/remote"
)

// shape is a declared type as the wire knows it: a message type M, or the R of a
// Reply[R]. That of a struct has one variant; that of an interface as many as
// were registered.
type shape struct {
	name     string
	declared reflect.Type
	byName   map[string]*variant
	byType   map[reflect.Type]*variant
}

// variant is one type that a value may have.
type variant struct {
	name  string // "" in a shape with only one
	typ   reflect.Type
	reply []int // where the Reply is, as for FieldByIndex; nil: there is none
	err   error // why it cannot travel
}

var shapes struct {
	sync.RWMutex
	byType map[reflect.Type]*shape
	byName map[string]*shape
}

// Register gives the type M a name on the wire, the same in every program of the
// cluster. A type that is not registered goes by its Go name, with its
// package's path.
//
// An interface type must be registered, with a value of each type that may be in
// it: variants. These go by their names without a package. The zero values do:
//
//	cluster.Register[Shop]("shop", Order{}, Cancel{}, Status{})
//
// Register belongs into an init function, or before the first Expose and Lookup.
// It panics if M, its name, or the name of a variant is taken, if the name is not
// made as ErrBadName says, or if M is an interface and a variant is nil or there
// is none.
func Register[M any](name string, variants ...M) {
	declared := reflect.TypeFor[M]()
	if err := checkName("type", name); err != nil {
		panic(fmt.Sprintf("cluster: Register of %v: %v", declared, err))
	}
	s := newShape(name, declared)
	if declared.Kind() == reflect.Interface {
		if len(variants) == 0 {
			panic(fmt.Sprintf("cluster: Register of %v: an interface needs its variants", declared))
		}
		for _, v := range variants {
			t := reflect.TypeOf(v)
			if t == nil {
				panic(fmt.Sprintf("cluster: Register of %v: a variant is nil", declared))
			}
			if s.byName[typeName(t)] != nil {
				panic(fmt.Sprintf("cluster: Register of %v: two variants are named %s", declared, typeName(t)))
			}
			s.add(typeName(t), t)
		}
	}
	shapes.Lock()
	defer shapes.Unlock()
	if shapes.byType[declared] != nil || shapes.byName[name] != nil {
		panic(fmt.Sprintf("cluster: Register of %v as %q: the type or the name is taken", declared, name))
	}
	keep(s)
}

// typeName is a type's name without its package.
func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return "*" + typeName(t.Elem())
	}
	if t.Name() == "" {
		return t.String()
	}
	return t.Name()
}

// fullName is what a type goes by that was not registered.
func fullName(t reflect.Type) string {
	if t.Name() == "" || t.PkgPath() == "" {
		return t.String()
	}
	return t.PkgPath() + "." + t.Name()
}

func newShape(name string, declared reflect.Type) *shape {
	s := &shape{name, declared, make(map[string]*variant), make(map[reflect.Type]*variant)}
	if declared.Kind() != reflect.Interface {
		s.add("", declared)
	}
	return s
}

func (s *shape) add(name string, t reflect.Type) {
	v := &variant{name: name, typ: t}
	v.reply, v.err = findReply(t)
	s.byName[name], s.byType[t] = v, v
}

// keep enters a shape. shapes is locked.
func keep(s *shape) {
	if shapes.byType == nil {
		shapes.byType, shapes.byName = make(map[reflect.Type]*shape), make(map[string]*shape)
	}
	shapes.byType[s.declared], shapes.byName[s.name] = s, s
}

// shapeOf returns the shape of a declared type.
func shapeOf(declared reflect.Type) (*shape, error) {
	shapes.RLock()
	s := shapes.byType[declared]
	shapes.RUnlock()
	if s != nil {
		return s, nil
	}
	if declared.Kind() == reflect.Interface {
		return nil, fmt.Errorf("%w: %v is an interface: see cluster.Register", ErrUnregistered, declared)
	}
	shapes.Lock()
	defer shapes.Unlock()
	if s = shapes.byType[declared]; s == nil {
		s = newShape(fullName(declared), declared)
		keep(s)
	}
	return s, nil
}

// variantOf returns what a value is, which may be in an interface.
func (s *shape) variantOf(v any) (*variant, error) {
	t := reflect.TypeOf(v)
	got := s.byType[t]
	switch {
	case t == nil:
		return nil, fmt.Errorf("%w: a nil %v", ErrUnregistered, s.declared)
	case got == nil:
		return nil, fmt.Errorf("%w: %v as a %v (registered are %s): see cluster.Register", ErrUnregistered, t, s.declared, s.variants())
	}
	return got, got.err
}

func (s *shape) variants() string {
	return strings.Join(slices.Sorted(maps.Keys(s.byName)), ", ")
}

// encode appends a value to dst: the name of its variant, and its bytes.
func (s *shape) encode(dst []byte, codec Codec, value any) (_ []byte, v *variant, err error) {
	if v, err = s.variantOf(value); err != nil {
		return nil, nil, err
	}
	data, err := codec.Marshal(value)
	if err != nil {
		return nil, nil, fmt.Errorf("cluster: a %v does not encode: %w", v.typ, err)
	}
	dst = slices.Grow(dst, binary.MaxVarintLen64+len(v.name)+len(data))
	return append(appendString(dst, v.name), data...), v, nil
}

// decode is the opposite of encode. It returns a pointer to the value, whose
// type is that of the variant.
func (s *shape) decode(codec Codec, data []byte) (reflect.Value, *variant, error) {
	r := reader{rest: data}
	name := r.string()
	v := s.byName[name]
	if r.bad || v == nil {
		return reflect.Value{}, nil, fmt.Errorf("%w: %q is not registered as a %v here (registered are %s)", ErrMismatch, name, s.declared, s.variants())
	}
	if v.err != nil {
		return reflect.Value{}, nil, v.err
	}
	p := reflect.New(v.typ)
	if err := codec.Unmarshal(r.rest, p.Interface()); err != nil {
		return reflect.Value{}, nil, fmt.Errorf("%w: a %v does not decode: %w", ErrMismatch, v.typ, err)
	}
	return p, v, nil
}

// replyIn returns where the Reply of a value is, or the zero Value. A nil
// pointer has none.
func (v *variant) replyIn(value reflect.Value) reflect.Value {
	if v.reply == nil {
		return reflect.Value{}
	}
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return reflect.Value{}
		}
		value = value.Elem()
	}
	return value.FieldByIndex(v.reply)
}

// findReply returns the way to the one actor.Reply in a struct, or in one that
// a pointer points to.
func findReply(t reflect.Type) ([]int, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil, nil
	}
	var found []int
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() != reflect.Struct {
			continue
		}
		way := []int{i}
		if !isReply(f.Type) {
			inner, err := findReply(f.Type)
			if err != nil {
				return nil, err
			}
			if inner == nil {
				continue
			}
			way = append(way, inner...)
		}
		if !f.IsExported() {
			return nil, fmt.Errorf("cluster: a %v cannot travel: its Reply is in the unexported field %s; embed it", t, f.Name)
		}
		if found != nil {
			return nil, fmt.Errorf("cluster: a %v cannot travel: it has two Replies", t)
		}
		found = way
	}
	return found, nil
}

func isReply(t reflect.Type) bool { return remote.Answered(reflect.Zero(t).Interface()) != nil }
