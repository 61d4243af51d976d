// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

const (
	opText     = 0x81 // the last frame of a text
	masked     = 0x80
	shortBytes = 125 // longer payloads have a longer head: not needed here
	magic      = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

func wantsWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// serveWebSocket upgrades the connection (RFC 6455), says "hello from NAME", and sends back every
// short text that it gets.
func serveWebSocket(name string, w http.ResponseWriter, r *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok { // HTTP/2
		http.Error(w, "WebSockets need HTTP/1.1", http.StatusNotImplemented)
		return
	}
	connection, buffer, err := hijacker.Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + magic))
	io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\n\r\n")
	for text := "hello from " + name; err == nil; text, err = readText(buffer.Reader) {
		if len(text) <= shortBytes {
			connection.Write(append([]byte{opText, byte(len(text))}, text...))
		}
	}
}

// readText reads one frame of a client.
func readText(reader *bufio.Reader) (string, error) {
	head := make([]byte, 6) // with the mask, which clients always use
	if _, err := io.ReadFull(reader, head); err != nil {
		return "", err
	}
	if head[0] != opText || head[1]&masked == 0 || head[1]&^masked > shortBytes {
		return "", io.ErrUnexpectedEOF
	}
	payload := make([]byte, head[1]&^masked)
	_, err := io.ReadFull(reader, payload)
	for i := range payload {
		payload[i] ^= head[2+i%4]
	}
	return string(payload), err
}
