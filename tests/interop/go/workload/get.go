// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"heddle/tests/interop/raw"
)

// answer is one line of get. Body is what a backend says of the request, where it is JSON.
type answer struct {
	Status   int             `json:"status"` // 0: there was none
	Protocol string          `json:"protocol,omitempty"`
	Headers  http.Header     `json:"headers,omitempty"`
	Body     json.RawMessage `json:"body,omitempty"`
	Text     string          `json:"text,omitempty"` // the body, where it is no JSON
	Error    string          `json:"error,omitempty"`
}

// newClient follows no redirect, and opens a connection for each request unless keep is set.
func newClient(h2c, keep bool, timeout time.Duration) *http.Client {
	transport := &http.Transport{DisableKeepAlives: !keep, Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!h2c)
	transport.Protocols.SetUnencryptedHTTP2(h2c)
	return &http.Client{Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func ask(client *http.Client, request *http.Request) answer {
	response, err := client.Do(request)
	if err != nil {
		return answer{Error: err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	line := answer{Status: response.StatusCode, Protocol: response.Proto, Headers: response.Header}
	if json.Valid(body) {
		line.Body = body
	} else {
		line.Text = string(body)
	}
	if err != nil {
		line.Error = err.Error()
	}
	return line
}

// get prints a line for each answer. It fails when one was not 200 and strict is given: what a Job
// needs.
func get(arguments []string) error {
	var headers raw.List
	flags := flag.NewFlagSet("get", flag.ExitOnError)
	count := flags.Int("n", 1, "how many requests")
	method := flags.String("X", "GET", "the method")
	host := flags.String("host", "", "the Host header, if not the URL's")
	h2c := flags.Bool("h2c", false, "HTTP/2 without TLS")
	keep := flags.Bool("keep", false, "all on one connection")
	strict := flags.Bool("strict", false, "fail when an answer is not 200")
	timeout := flags.Duration("timeout", 10*time.Second, "for each request")
	flags.Var(&headers, "H", "`NAME: VALUE` of a header; may be given several times")
	flags.Parse(arguments)

	client := newClient(*h2c, *keep, *timeout)
	for range *count {
		request, err := http.NewRequest(*method, flags.Arg(0), nil)
		if err != nil {
			return err
		}
		request.Host = *host
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ":")
			request.Header.Add(name, strings.TrimSpace(value))
		}
		line := ask(client, request)
		printJSON(line)
		if *strict && line.Status != http.StatusOK {
			return fmt.Errorf("the answer was %d", line.Status)
		}
	}
	return nil
}
