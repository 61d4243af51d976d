// SPDX-License-Identifier: Apache-2.0

// workload is what the pods of tests/cluster run: a backend and its clients in one program that needs
// no file beside it.
//
//	workload serve          a backend: HTTP, gRPC and TCP, until it is told to end
//	workload load …         a client that never rests and counts what fails
//	workload stats          what the load of this pod has counted so far
//	workload get …          some requests, and all about their answers
//	workload hello ADDR     the first line that a TCP server says
//	workload cat FILE       a file; images have no shell
//	workload env            the environment, as JSON
//	workload rest           nothing, until it is told to end: a pod to run the others in
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const dialTimeout = 5 * time.Second

var commands = map[string]func(arguments []string) error{
	"serve": serve,
	"load":  load,
	"stats": printStats,
	"get":   get,
	"hello": hello,
	"cat":   cat,
	"env":   env,
	"rest":  rest,
}

// untilTold blocks until the kubelet says that the container is to end.
func untilTold() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM, syscall.SIGINT)
	<-told
}

func printJSON(value any) error {
	return json.NewEncoder(os.Stdout).Encode(value)
}

func rest([]string) error {
	untilTold()
	return nil
}

func hello(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("hello takes ADDR:PORT")
	}
	connection, err := net.DialTimeout("tcp", arguments[0], dialTimeout)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(dialTimeout))
	line, err := bufio.NewReader(connection).ReadString('\n')
	fmt.Print(line)
	return err
}

func cat(arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("cat takes FILE")
	}
	file, err := os.Open(arguments[0])
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(os.Stdout, file)
	return err
}

func env([]string) error {
	variables := map[string]string{}
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	return printJSON(variables)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("workload: ")
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		log.Fatal("usage: workload serve|load|stats|get|hello|cat|env|rest …")
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}
