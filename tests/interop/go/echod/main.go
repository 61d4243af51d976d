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
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

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

func serveHTTP(name string, listener net.Listener) error {
	answer := func(w http.ResponseWriter, r *http.Request) {
		if ms, err := strconv.Atoi(r.URL.Query().Get("delay")); err == nil {
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(httpAnswer{name, r.Method, r.RequestURI, r.Host, r.Header})
	}
	server := http.Server{Handler: http.HandlerFunc(answer), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server.Serve(listener)
}

func serveGRPC(name string, listener net.Listener) error {
	answer := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		headers, _ := metadata.FromIncomingContext(stream.Context())
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
