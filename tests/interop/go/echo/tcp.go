// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"fmt"
	"io"
	"net"
)

// ServeTCP speaks first, the line "hello from NAME", then sends back what it gets.
func ServeTCP(name string, listener net.Listener) error {
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
