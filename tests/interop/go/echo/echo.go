// SPDX-License-Identifier: Apache-2.0

// Package echo is what the backends answer: who they are and what reached them.
package echo

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"heddle/tests/interop/raw"
)

type grpcAnswer struct {
	Backend  string      `json:"backend"`
	Method   string      `json:"method"`
	Metadata metadata.MD `json:"metadata"`
}

// Requests remembers what came with an X-Test-Id, by its value.
type Requests[T any] struct {
	mutex sync.Mutex
	byID  map[string][]T
}

func NewRequests[T any]() *Requests[T] {
	return &Requests[T]{byID: map[string][]T{}}
}

// Add returns how many there are with this id now; of an empty one none.
func (q *Requests[T]) Add(id string, request T) int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if id == "" {
		return 0
	}
	q.byID[id] = append(q.byID[id], request)
	return len(q.byID[id])
}

func (q *Requests[T]) Of(id string) []T {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return append([]T{}, q.byID[id]...)
}

// Sleep for as many milliseconds, if it is a number.
func Sleep(ms string) {
	if n, err := strconv.Atoi(ms); err == nil {
		time.Sleep(time.Duration(n) * time.Millisecond)
	}
}

// Fails tells whether trouble is asked for: limit is a number that count has not passed, or empty.
func Fails(limit string, count int) bool {
	n, err := strconv.Atoi(limit)
	return err != nil || count <= n
}

func first(headers metadata.MD, name string) string {
	return strings.Join(headers.Get(name), ",")
}

// Options make a server answer every method with what it got, each message of a stream on its own.
// In the metadata: x-delay: MS; x-fail: N: the first N calls with this x-test-id are UNAVAILABLE.
func Options(name string) []grpc.ServerOption {
	seen := NewRequests[string]()
	answer := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		headers, _ := metadata.FromIncomingContext(stream.Context())
		Sleep(first(headers, "x-delay"))
		count := seen.Add(first(headers, "x-test-id"), method)
		if limit := first(headers, "x-fail"); limit != "" && Fails(limit, count) {
			return status.Error(codes.Unavailable, "asked to fail")
		}
		reply, err := json.Marshal(grpcAnswer{name, method, headers})
		if err != nil {
			return err
		}
		for err == nil {
			if err = stream.SendMsg(&reply); err == nil {
				err = stream.RecvMsg(&request)
			}
		}
		if err == io.EOF { // as after the only message of a unary call
			return nil
		}
		return err
	}
	return []grpc.ServerOption{grpc.ForceServerCodec(raw.Codec{}), grpc.UnknownServiceHandler(answer)}
}
