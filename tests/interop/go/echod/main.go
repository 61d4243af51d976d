// SPDX-License-Identifier: Apache-2.0

// echod is many backends in one process. Each has a name and an address, and says in every answer
// who it is and what reached it:
//
//	--http NAME=ADDR:PORT   HTTP/1.1 and h2c: {"backend", "method", "path", "host", "headers"};
//	                        the query parameter delay=MS delays the answer
//	--grpc NAME=ADDR:PORT   any method of any service: {"backend", "method", "metadata"} as bytes
//	--tcp NAME=ADDR:PORT    speaks first: the line "hello from NAME", then echoes what it gets
//
// It prints "ready" when all listen, and ends when its standard input does.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
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

type httpAnswer struct {
	Backend string      `json:"backend"`
	Method  string      `json:"method"`
	Path    string      `json:"path"`
	Host    string      `json:"host"`
	Headers http.Header `json:"headers"`
}

type grpcAnswer struct {
	Backend  string      `json:"backend"`
	Method   string      `json:"method"`
	Metadata metadata.MD `json:"metadata"`
}

// requests remembers what came with an X-Test-Id, by its value.
type requests[T any] struct {
	mutex sync.Mutex
	byID  map[string][]T
}

func newRequests[T any]() *requests[T] {
	return &requests[T]{byID: map[string][]T{}}
}

// add returns how many there are with this id now; of an empty one none.
func (q *requests[T]) add(id string, request T) int {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	if id == "" {
		return 0
	}
	q.byID[id] = append(q.byID[id], request)
	return len(q.byID[id])
}

func (q *requests[T]) of(id string) []T {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	return append([]T{}, q.byID[id]...)
}

// sleep for as many milliseconds, if it is a number.
func sleep(ms string) {
	if n, err := strconv.Atoi(ms); err == nil {
		time.Sleep(time.Duration(n) * time.Millisecond)
	}
}

// fails tells whether trouble is asked for: limit is a number that count has not passed, or empty.
func fails(limit string, count int) bool {
	n, err := strconv.Atoi(limit)
	return err != nil || count <= n
}

// serveHTTP answers with what it got. In the query: delay=MS before the answer, status=CODE of the
// answer; fail=N: that is so for the first N requests with this X-Test-Id only. /seen?id=ID lists
// the requests with this id.
func serveHTTP(name string, listener net.Listener) error {
	seen := newRequests[httpAnswer]()
	answer := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		query := r.URL.Query()
		if r.URL.Path == "/seen" {
			json.NewEncoder(w).Encode(seen.of(query.Get("id")))
			return
		}
		echo := httpAnswer{name, r.Method, r.RequestURI, r.Host, r.Header}
		count := seen.add(r.Header.Get("X-Test-Id"), echo)
		if fails(query.Get("fail"), count) {
			sleep(query.Get("delay"))
			if status, err := strconv.Atoi(query.Get("status")); err == nil {
				w.WriteHeader(status)
			}
		}
		json.NewEncoder(w).Encode(echo)
	}
	server := http.Server{Handler: http.HandlerFunc(answer), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server.Serve(listener)
}

func first(headers metadata.MD, name string) string {
	return strings.Join(headers.Get(name), ",")
}

// serveGRPC answers with what it got. In the metadata: x-delay: MS; x-fail: N: the first N calls
// with this x-test-id are UNAVAILABLE.
func serveGRPC(name string, listener net.Listener) error {
	seen := newRequests[string]()
	answer := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		headers, _ := metadata.FromIncomingContext(stream.Context())
		sleep(first(headers, "x-delay"))
		count := seen.add(first(headers, "x-test-id"), method)
		if limit := first(headers, "x-fail"); limit != "" && fails(limit, count) {
			return status.Error(codes.Unavailable, "asked to fail")
		}
		reply, err := json.Marshal(grpcAnswer{name, method, headers})
		if err != nil {
			return err
		}
		return stream.SendMsg(&reply)
	}
	server := grpc.NewServer(grpc.ForceServerCodec(raw.Codec{}), grpc.UnknownServiceHandler(answer))
	return server.Serve(listener)
}

func serveTCP(name string, listener net.Listener) error {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			fmt.Fprintf(connection, "hello from %s\n", name)
			io.Copy(connection, connection)
		}()
	}
}

func start(backends []string, serve func(string, net.Listener) error) {
	for _, backend := range backends {
		name, address, found := strings.Cut(backend, "=")
		if !found {
			log.Fatalf("'%s' is not NAME=ADDR:PORT", backend)
		}
		listener, err := net.Listen("tcp", address)
		if err != nil {
			log.Fatalf("backend '%s': %v", name, err)
		}
		go func() { log.Fatalf("backend '%s': %v", name, serve(name, listener)) }()
	}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("echod: ")
	var http, grpc, tcp raw.List
	flag.Var(&http, "http", "`NAME=ADDR:PORT` of an HTTP backend; may be given several times")
	flag.Var(&grpc, "grpc", "`NAME=ADDR:PORT` of a gRPC backend; may be given several times")
	flag.Var(&tcp, "tcp", "`NAME=ADDR:PORT` of a TCP backend; may be given several times")
	flag.Parse()

	start(http, serveHTTP)
	start(grpc, serveGRPC)
	start(tcp, serveTCP)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
