// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

type httpAnswer struct {
	Backend  string      `json:"backend"`
	Protocol string      `json:"protocol"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Host     string      `json:"host"`
	Peer     string      `json:"peer"` // the address that the connection came from
	Headers  http.Header `json:"headers"`
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// sendBack answers with the body, byte by byte as it comes, and then with its trailers.
func sendBack(w http.ResponseWriter, r *http.Request) {
	controller := http.NewResponseController(w)
	controller.EnableFullDuplex() // HTTP/2 always is
	buffer := make([]byte, 64<<10)
	for {
		n, err := r.Body.Read(buffer)
		w.Write(buffer[:n])
		controller.Flush()
		if err != nil {
			break
		}
	}
	for name, values := range r.Trailer {
		w.Header()[http.TrailerPrefix+name] = values
	}
}

// HTTPServer answers HTTP/1.1 and h2c with what it got. In the query: delay=MS before the answer,
// status=CODE of the answer; fail=N: that is so for the first N requests with this X-Test-Id only.
// /seen?id=ID lists the requests with this id; /back answers with the body, /bytes?n=N with N bytes.
func HTTPServer(name string) *http.Server {
	seen := NewRequests[httpAnswer]()
	answer := func(w http.ResponseWriter, r *http.Request) {
		if wantsWebSocket(r) {
			serveWebSocket(name, w, r)
			return
		}
		query := r.URL.Query()
		switch r.URL.Path {
		case "/back":
			sendBack(w, r)
			return
		case "/bytes":
			n, _ := strconv.ParseInt(query.Get("n"), 10, 64)
			io.CopyN(w, zeros{}, n)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/seen" {
			json.NewEncoder(w).Encode(seen.Of(query.Get("id")))
			return
		}
		request := httpAnswer{name, r.Proto, r.Method, r.RequestURI, r.Host, r.RemoteAddr, r.Header}
		count := seen.Add(r.Header.Get("X-Test-Id"), request)
		if Fails(query.Get("fail"), count) {
			Sleep(query.Get("delay"))
			if status, err := strconv.Atoi(query.Get("status")); err == nil {
				w.WriteHeader(status)
			}
		}
		json.NewEncoder(w).Encode(request)
	}
	server := &http.Server{Handler: http.HandlerFunc(answer), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}
