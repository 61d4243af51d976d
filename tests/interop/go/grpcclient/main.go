// SPDX-License-Identifier: Apache-2.0

// grpcclient makes the calls that standard input asks for, over grpc-go; tests/interop/rig/grpc.py
// says how.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"

	"heddle/tests/interop/raw"
)

type call struct {
	Method   string      `json:"method"`
	Metadata [][2]string `json:"metadata"`
}

type command struct {
	ID      int      `json:"id"`
	Targets []string `json:"targets"`
	Calls   []call   `json:"calls"`
	Count   int      `json:"count"`
	RPS     float64  `json:"rps"`
	Timeout float64  `json:"timeout"`
	Waits   bool     `json:"waits"`

	Messages  int    `json:"messages"`  // 0: unary calls; else streams of so many, each answered
	Authority string `json:"authority"` // in place of the target
	CAFile    string `json:"cafile"`    // TLS, with a certificate of it for the authority

	Stop *int `json:"stop"`
}

type answer struct {
	ID      int             `json:"id"`
	Target  string          `json:"target"`
	Call    int             `json:"call"`
	At      float64         `json:"at"`
	Ms      float64         `json:"ms"`
	Reply   json.RawMessage `json:"reply,omitempty"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message"`
}

type end struct {
	ID     int    `json:"id"`
	Target string `json:"target"`
	End    bool   `json:"end"`
}

var (
	output     = json.NewEncoder(os.Stdout)
	outputLock sync.Mutex
	stopped    sync.Map // by the id of a command
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

// stream sends one message after the other, each when the one before was answered.
func stream(ctx context.Context, channel *grpc.ClientConn, command *command,
	call *call) ([]byte, error) {
	request, reply := []byte{}, []byte{}
	description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := channel.NewStream(ctx, description, call.Method)
	for sent := 0; err == nil && sent < command.Messages; sent++ {
		if err = stream.SendMsg(&request); err == nil {
			err = stream.RecvMsg(&reply)
		}
	}
	if err != nil {
		return nil, err
	}
	stream.CloseSend()
	if err = stream.RecvMsg(&request); err != io.EOF {
		return nil, err
	}
	return reply, nil
}

func send(channel *grpc.ClientConn, command *command, call *call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(),
		time.Duration(command.Timeout*float64(time.Second)))
	defer cancel()
	for _, pair := range call.Metadata {
		ctx = metadata.AppendToOutgoingContext(ctx, pair[0], pair[1])
	}
	if command.Messages > 0 {
		return stream(ctx, channel, command, call)
	}
	request, reply := []byte{}, []byte{}
	err := channel.Invoke(ctx, call.Method, &request, &reply, grpc.WaitForReady(command.Waits))
	return reply, err
}

func dial(command *command, target string) (*grpc.ClientConn, error) {
	security := insecure.NewCredentials()
	if command.CAFile != "" {
		var err error
		if security, err = credentials.NewClientTLSFromFile(command.CAFile, command.Authority); err != nil {
			return nil, err
		}
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(security),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw.Codec{}))}
	if command.Authority != "" {
		options = append(options, grpc.WithAuthority(command.Authority))
	}
	return grpc.NewClient(target, options...)
}

func run(command *command, target string) {
	channel, err := dial(command, target)
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	for sent := 0; command.Count == 0 || sent < command.Count; sent++ {
		if command.RPS > 0 {
			time.Sleep(time.Until(start.Add(
				time.Duration(float64(sent) / command.RPS * float64(time.Second)))))
		}
		if _, stop := stopped.Load(command.ID); stop {
			break
		}
		line := answer{ID: command.ID, Target: target, Call: sent % len(command.Calls)}
		before := time.Now()
		reply, err := send(channel, command, &command.Calls[line.Call])
		now := time.Now()
		line.Ms = float64(now.Sub(before).Microseconds()) / 1e3
		line.At = float64(now.UnixMicro()) / 1e6
		if err == nil {
			line.Reply = reply
		} else {
			line.Code, line.Message = codeName(status.Code(err)), status.Convert(err).Message()
		}
		print(line)
	}
	channel.Close()
	print(end{command.ID, target, true})
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("grpcclient: ")
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	for input.Scan() {
		command := new(command)
		if err := json.Unmarshal(input.Bytes(), command); err != nil {
			log.Fatal(err)
		}
		if command.Stop != nil {
			stopped.Store(*command.Stop, true)
			continue
		}
		for _, target := range command.Targets {
			go run(command, target)
		}
	}
	if err := input.Err(); err != nil {
		log.Fatal(err)
	}
}
