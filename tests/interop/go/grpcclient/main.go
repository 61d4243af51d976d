// SPDX-License-Identifier: Apache-2.0

// grpcclient calls an echod over grpc-go and says in JSON what came back. Its sibling in Python,
// tests/interop/grpc_client.py, has the same options and prints the same.
//
//	grpcclient [--method /PKG.SERVICE/METHOD]... [--count N] [--rps N] [--metadata KEY=VALUE]...
//	           [--timeout SECONDS] [--watch] TARGET...
//
// A TARGET is xds:///HOST:PORT (needs GRPC_XDS_BOOTSTRAP) or ADDR:PORT; each has a channel of its
// own, all in this process, at the same time. Calls on a channel follow one another; several
// methods take turns. At the end there is one line for each target:
//
//	{"target", "sent", "ok", "backends": {METHOD: {NAME: N}}, "errors": [{"code", "message",
//	 "count"}], "first_ms", "reply": of the first call that succeeded}
//
// With --watch it goes on until its standard input ends, and prints a line whenever a method is
// answered by another backend, or with another error, than the time before:
//
//	{"target", "method", "at": seconds since 1970, "backend"} or {…, "code", "message"}
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"

	"heddle/tests/interop/raw"
)

type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type countedFailure struct {
	failure
	Count int `json:"count"`
}

type summary struct {
	Target   string                    `json:"target"`
	Sent     int                       `json:"sent"`
	OK       int                       `json:"ok"`
	Backends map[string]map[string]int `json:"backends"`
	Errors   []countedFailure          `json:"errors"`
	FirstMs  float64                   `json:"first_ms"`
	Reply    json.RawMessage           `json:"reply"`
}

type event struct {
	Target  string  `json:"target"`
	Method  string  `json:"method"`
	At      float64 `json:"at"`
	Backend string  `json:"backend,omitempty"`
	Code    string  `json:"code,omitempty"`
	Message string  `json:"message,omitempty"`
}

type options struct {
	methods  raw.List
	metadata raw.List
	count    int
	rps      float64
	timeout  float64
	watch    bool
}

var (
	output     = json.NewEncoder(os.Stdout)
	outputLock sync.Mutex
	stopped    atomic.Bool
)

func print(line any) {
	outputLock.Lock()
	defer outputLock.Unlock()
	if err := output.Encode(line); err != nil {
		log.Fatal(err)
	}
}

// codeName gives UNAVAILABLE for codes.Unavailable, as the specification and Python write it.
func codeName(code codes.Code) string {
	if code == codes.Canceled {
		return "CANCELLED"
	}
	name := []byte{}
	for i, char := range code.String() {
		if i > 0 && char >= 'A' && char <= 'Z' {
			name = append(name, '_')
		}
		name = append(name, byte(char))
	}
	return strings.ToUpper(string(name))
}

func call(channel *grpc.ClientConn, method string, options *options) ([]byte, *failure) {
	ctx, cancel := context.WithTimeout(context.Background(),
		time.Duration(options.timeout*float64(time.Second)))
	defer cancel()
	for _, pair := range options.metadata {
		key, value, _ := strings.Cut(pair, "=")
		ctx = metadata.AppendToOutgoingContext(ctx, key, value)
	}
	request, reply := []byte{}, []byte{}
	if err := channel.Invoke(ctx, method, &request, &reply); err != nil {
		return nil, &failure{codeName(status.Code(err)), status.Convert(err).Message()}
	}
	return reply, nil
}

func backendOf(reply []byte) string {
	var answer struct{ Backend string }
	if err := json.Unmarshal(reply, &answer); err != nil {
		log.Fatalf("the reply '%s' does not come from an echod", reply)
	}
	return answer.Backend
}

func run(target string, options *options) {
	channel, err := grpc.NewClient(target, grpc.WithDefaultCallOptions(grpc.ForceCodec(raw.Codec{})),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()

	sum := summary{Target: target, Backends: map[string]map[string]int{}, Errors: []countedFailure{}}
	failures := map[failure]int{}
	last := map[string]string{}
	start := time.Now()
	for options.watch && !stopped.Load() || !options.watch && sum.Sent < options.count {
		if options.rps > 0 {
			time.Sleep(time.Until(start.Add(
				time.Duration(float64(sum.Sent) / options.rps * float64(time.Second)))))
		}
		method := options.methods[sum.Sent%len(options.methods)]
		reply, failed := call(channel, method, options)
		now := time.Now()
		sum.Sent++
		if sum.Sent == 1 {
			sum.FirstMs = float64(now.Sub(start).Microseconds()) / 1000
		}

		line := event{Target: target, Method: method, At: float64(now.UnixMicro()) / 1e6}
		if failed != nil {
			failures[*failed]++
			line.Code, line.Message = failed.Code, failed.Message
		} else {
			line.Backend = backendOf(reply)
			if sum.OK++; sum.OK == 1 {
				sum.Reply = reply
			}
			if sum.Backends[method] == nil {
				sum.Backends[method] = map[string]int{}
			}
			sum.Backends[method][line.Backend]++
		}
		outcome := line.Backend + line.Code + line.Message
		if options.watch && last[method] != outcome {
			print(line)
		}
		last[method] = outcome
	}
	for text, count := range failures {
		sum.Errors = append(sum.Errors, countedFailure{text, count})
	}
	print(sum)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("grpcclient: ")
	var options options
	flag.Var(&options.methods, "method", "`/PKG.SERVICE/METHOD` to call; several take turns")
	flag.Var(&options.metadata, "metadata", "`KEY=VALUE` to send; may be given several times")
	flag.IntVar(&options.count, "count", 1, "calls for each target")
	flag.Float64Var(&options.rps, "rps", 0, "calls a second for each target; 0: no pause")
	flag.Float64Var(&options.timeout, "timeout", 5, "`SECONDS` that a call may take")
	flag.BoolVar(&options.watch, "watch", false, "go on until standard input ends, print changes")
	flag.Parse()
	if len(options.methods) == 0 {
		options.methods = raw.List{"/echo.Echo/Echo"}
	}
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "grpcclient: no TARGET")
		os.Exit(2)
	}

	if options.watch {
		go func() {
			io.Copy(io.Discard, bufio.NewReader(os.Stdin))
			stopped.Store(true)
		}()
	}
	var all sync.WaitGroup
	for _, target := range flag.Args() {
		all.Go(func() { run(target, &options) })
	}
	all.Wait()
}
