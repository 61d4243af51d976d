// SPDX-License-Identifier: Apache-2.0

// echod is many backends in one process. Each has a name and an address, and says in every answer
// who it is and what reached it:
//
//	--http NAME=ADDR:PORT   HTTP/1.1 and h2c: {"backend", "protocol", "method", "path", "host",
//	                        "headers"}; the query parameter delay=MS delays the answer;
//	                        WebSockets are greeted, and what they say is sent back
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

	"google.golang.org/grpc"

	"heddle/tests/interop/echo"
	"heddle/tests/interop/raw"
)

type httpAnswer struct {
	Backend  string      `json:"backend"`
	Protocol string      `json:"protocol"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Host     string      `json:"host"`
	Headers  http.Header `json:"headers"`
}

// serveHTTP answers with what it got. In the query: delay=MS before the answer, status=CODE of the
// answer; fail=N: that is so for the first N requests with this X-Test-Id only. /seen?id=ID lists
// the requests with this id.
func serveHTTP(name string, listener net.Listener) error {
	seen := echo.NewRequests[httpAnswer]()
	answer := func(w http.ResponseWriter, r *http.Request) {
		if wantsWebSocket(r) {
			serveWebSocket(name, w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		query := r.URL.Query()
		if r.URL.Path == "/seen" {
			json.NewEncoder(w).Encode(seen.Of(query.Get("id")))
			return
		}
		request := httpAnswer{name, r.Proto, r.Method, r.RequestURI, r.Host, r.Header}
		count := seen.Add(r.Header.Get("X-Test-Id"), request)
		if echo.Fails(query.Get("fail"), count) {
			echo.Sleep(query.Get("delay"))
			if status, err := strconv.Atoi(query.Get("status")); err == nil {
				w.WriteHeader(status)
			}
		}
		json.NewEncoder(w).Encode(request)
	}
	server := http.Server{Handler: http.HandlerFunc(answer), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server.Serve(listener)
}

// serveGRPC answers as echo.Options says.
func serveGRPC(name string, listener net.Listener) error {
	return grpc.NewServer(echo.Options(name)...).Serve(listener)
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
