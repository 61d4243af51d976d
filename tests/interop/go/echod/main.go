// SPDX-License-Identifier: Apache-2.0

// echod is many backends in one process. Each has a name and an address, and says in every answer
// who it is and what reached it:
//
//	--http NAME=ADDR:PORT   HTTP/1.1 and h2c: {"backend", "protocol", "method", "path", "host",
//	                        "peer", "headers"}; the query parameter delay=MS delays the answer;
//	                        WebSockets are greeted, and what they say is sent back
//	--grpc NAME=ADDR:PORT   any method of any service: {"backend", "method", "metadata"} as bytes
//	--tcp NAME=ADDR:PORT    speaks first: the line "hello from NAME", then echoes what it gets
//
// It prints "ready" when all listen, and ends when its standard input does.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"

	"google.golang.org/grpc"

	"heddle/tests/interop/echo"
	"heddle/tests/interop/raw"
)

func serveHTTP(name string, listener net.Listener) error {
	return echo.HTTPServer(name).Serve(listener)
}

func serveGRPC(name string, listener net.Listener) error {
	return grpc.NewServer(echo.Options(name)...).Serve(listener)
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
	start(tcp, echo.ServeTCP)
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
