// SPDX-License-Identifier: Apache-2.0

// xdsserver is an xDS-enabled gRPC server in Go (gRFC A36): it answers as the gRPC backends of echod
// do, but serves only with the Listener that its control plane has for its address. Its sibling in
// Python is tests/interop/xds_server.py.
//
//	xdsserver NAME=ADDR:PORT...     needs GRPC_XDS_BOOTSTRAP
//
// It prints a line {"address", "serving", "message"} when an address begins or ceases to be served.
// For each line of standard input, a target such as xds:///HOST:PORT, it makes a call over a channel
// of its own in this process, which stays open, and prints {"target", "reply"} or {"target", "code",
// "message"}. It ends when standard input does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	xdscreds "google.golang.org/grpc/credentials/xds"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/xds"

	"heddle/tests/interop/echo"
	"heddle/tests/interop/raw"
)

const callTimeout = 5 * time.Second

type mode struct {
	Address string `json:"address"`
	Serving bool   `json:"serving"`
	Message string `json:"message"`
}

type outcome struct {
	Target  string          `json:"target"`
	Reply   json.RawMessage `json:"reply,omitempty"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
}

var (
	output     = json.NewEncoder(os.Stdout)
	outputLock sync.Mutex
)

func print(line any) {
	outputLock.Lock()
	defer outputLock.Unlock()
	if err := output.Encode(line); err != nil {
		log.Fatal(err)
	}
}

func printMode(address net.Addr, args xds.ServingModeChangeArgs) {
	line := mode{Address: address.String(), Serving: args.Mode == connectivity.ServingModeServing}
	if args.Err != nil {
		line.Message = args.Err.Error()
	}
	print(line)
}

// Of what is given: it stays when the control plane says nothing of TLS.
func serve(name, address string) {
	credentials, err := xdscreds.NewServerCredentials(
		xdscreds.ServerOptions{FallbackCreds: insecure.NewCredentials()})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	options := append(echo.Options(name), grpc.Creds(credentials),
		xds.ServingModeCallback(printMode))
	server, err := xds.NewGRPCServer(options...)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Serve(listener))
}

func call(target string) outcome {
	channel, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw.Codec{})))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	request, reply := []byte{}, []byte{}
	if err := channel.Invoke(ctx, "/echo.Echo/Echo", &request, &reply); err != nil {
		return outcome{Target: target, Code: status.Code(err).String(), Message: err.Error()}
	}
	return outcome{Target: target, Reply: reply}
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("xdsserver: ")
	for _, backend := range os.Args[1:] {
		name, address, found := strings.Cut(backend, "=")
		if !found {
			log.Fatalf("'%s' is not NAME=ADDR:PORT", backend)
		}
		go serve(name, address)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		print(call(lines.Text()))
	}
}
