// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"

	"heddle/tests/interop/echo"
)

// serve answers until it is told to end; then it takes no more and ends when what runs has ended, as
// any well-behaved server does. It never sleeps: that nobody calls it any more is the mesh's business.
func serve(arguments []string) error {
	host, _ := os.Hostname()
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	name := flags.String("name", host, "what it calls itself in answers; the pod by default")
	httpAddress := flags.String("http", ":8080", "where HTTP/1.1 and h2c are served")
	grpcAddress := flags.String("grpc", ":9000", "where gRPC is served")
	tcpAddress := flags.String("tcp", ":9001", "where TCP is served, the server speaking first")
	flags.Parse(arguments)

	httpServer := echo.HTTPServer(*name)
	grpcServer := grpc.NewServer(echo.Options(*name)...)
	serveTCP := func(listener net.Listener) error { return echo.ServeTCP(*name, listener) }
	ended := make(chan error, 3)
	for address, serve := range map[string]func(net.Listener) error{
		*httpAddress: httpServer.Serve, *grpcAddress: grpcServer.Serve, *tcpAddress: serveTCP,
	} {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		go func() { ended <- serve(listener) }()
	}
	go func() {
		untilTold()
		httpServer.Shutdown(context.Background())
		grpcServer.GracefulStop()
		ended <- nil
	}()
	for {
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
	}
}
