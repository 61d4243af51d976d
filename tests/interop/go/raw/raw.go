// SPDX-License-Identifier: Apache-2.0

// Package raw lets gRPC carry plain bytes, so that a program can call, or answer, any method of
// any service without generated code.
package raw

import "fmt"

// Codec passes *[]byte through. It calls itself "proto" because that is what peers expect.
type Codec struct{}

func (Codec) Marshal(v any) ([]byte, error) {
	bytes, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("raw codec: cannot marshal a %T", v)
	}
	return *bytes, nil
}

func (Codec) Unmarshal(data []byte, v any) error {
	bytes, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("raw codec: cannot unmarshal into a %T", v)
	}
	*bytes = append([]byte(nil), data...)
	return nil
}

func (Codec) Name() string {
	return "proto"
}

// List is a flag that may be given several times.
type List []string

func (l *List) String() string {
	return fmt.Sprint([]string(*l))
}

func (l *List) Set(value string) error {
	*l = append(*l, value)
	return nil
}
