// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"encoding/json"
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

// HTTPServer answers HTTP/1.1 and h2c with what it got. In the query: delay=MS before the answer,
// status=CODE of the answer; fail=N: that is so for the first N requests with this X-Test-Id only.
// /seen?id=ID lists the requests with this id.
func HTTPServer(name string) *http.Server {
	seen := NewRequests[httpAnswer]()
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
