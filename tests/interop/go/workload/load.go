// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/xds"

	"heddle/tests/interop/raw"
)

const (
	statsAddress = "127.0.0.1:7070"
	errorsMax    = 20 // kept of each target, the last ones
	echoMethod   = "/echo.Echo/Echo"
)

// tally is what became of the calls of one target.
type tally struct {
	Sent     int            `json:"sent"` // and answered, one way or the other
	Failed   int            `json:"failed"`
	Backends map[string]int `json:"backends"`
	Errors   []string       `json:"errors"` // each with its time
}

type counter struct {
	mutex   sync.Mutex
	tallies map[string]*tally
}

// add counts a call; reply is what echo answers.
func (c *counter) add(target string, reply []byte, err error) {
	var said struct{ Backend string }
	if err == nil {
		err = json.Unmarshal(reply, &said)
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	t := c.tallies[target]
	t.Sent++
	if err == nil {
		t.Backends[said.Backend]++
		return
	}
	t.Failed++
	t.Errors = append(t.Errors, time.Now().UTC().Format("15:04:05.000 ")+err.Error())
	if len(t.Errors) > errorsMax {
		t.Errors = t.Errors[1:]
	}
}

func (c *counter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	json.NewEncoder(w).Encode(c.tallies)
}

// A caller makes one call and returns what the backend said.
type caller func() ([]byte, error)

func httpCaller(url string, keep bool, timeout time.Duration) caller {
	client := newClient(false, keep, timeout)
	return func() ([]byte, error) {
		response, err := client.Get(url)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, body)
		}
		return body, err
	}
}

// grpcCaller does not wait for readiness: a call that finds no backend fails.
func grpcCaller(target string, timeout time.Duration) (caller, error) {
	channel, err := grpc.NewClient(target, grpc.WithDefaultCallOptions(grpc.ForceCodec(raw.Codec{})),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	return func() ([]byte, error) {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		request, reply := []byte{}, []byte{}
		err := channel.Invoke(ctx, echoMethod, &request, &reply)
		return reply, err
	}, err
}

// load calls each target at a steady pace, and tells at statsAddress what has become of the calls.
// An HTTP target is called over kept connections and over new ones, by turns.
func load(arguments []string) error {
	var urls, targets raw.List
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	flags.Var(&urls, "http", "`URL` to get; may be given several times")
	flags.Var(&targets, "grpc", "gRPC `TARGET` to call, such as xds:///HOST:PORT; likewise")
	rate := flags.Int("rate", 100, "calls a second and target")
	timeout := flags.Duration("timeout", 5*time.Second, "of a call")
	flags.Parse(arguments)

	count := &counter{tallies: map[string]*tally{}}
	begin := func(target string, callers ...caller) {
		count.tallies[target] = &tally{Backends: map[string]int{}, Errors: []string{}}
		go func() {
			ticks := time.NewTicker(time.Second / time.Duration(*rate))
			for turn := 0; ; turn++ {
				<-ticks.C
				go func() {
					reply, err := callers[turn%len(callers)]()
					count.add(target, reply, err)
				}()
			}
		}()
	}
	count.mutex.Lock()
	for _, url := range urls {
		begin(url, httpCaller(url, true, *timeout), httpCaller(url, false, *timeout))
	}
	for _, target := range targets {
		call, err := grpcCaller(target, *timeout)
		if err != nil {
			return err
		}
		begin(target, call)
	}
	count.mutex.Unlock()
	go func() {
		untilTold()
		os.Exit(0)
	}()
	return http.ListenAndServe(statsAddress, count)
}

func printStats([]string) error {
	response, err := http.Get("http://" + statsAddress)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}
