// Package tinyactor is the root of module tinyactor. It holds no code: the
// library begins with package [tinyactor/actor].
package tinyactor
