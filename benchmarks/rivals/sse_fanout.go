// sse_fanout RATE: serves Server-Sent Events the usual way, with a channel of 100 and an encoder for each client. Makes RATE
// events a second and prints its port.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type data struct {
	Line    string `json:"line"`
	LineNum int    `json:"line_num"`
	Stream  string `json:"stream"`
}

type event struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Agent     string `json:"agent_name"`
	Session   string `json:"session_id"`
	Data      data   `json:"data"`
}

func monotonic() int64 {
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 1, uintptr(unsafe.Pointer(&at)), 0)
	return at.Nano()
}

func main() {
	rate, _ := strconv.ParseFloat(os.Args[1], 64)
	filler := strings.Repeat("Verify the buffer handler and retry the session against the index. ", 2)
	var lock sync.RWMutex
	clients := map[chan *event]bool{}
	go func() {
		started, made := time.Now(), 0
		for {
			for due := int(time.Since(started).Seconds() * rate); made < due; made++ {
				line := fmt.Sprintf("@%d@ %s", monotonic(), filler)
				now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
				one := &event{"log", now, "worker-1", "20261121-061500-ab12cd", data{line, made, "stdout"}}
				lock.RLock()
				for client := range clients {
					select {
					case client <- one:
					default:
					}
				}
				lock.RUnlock()
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		flusher := w.(http.Flusher)
		w.Header().Set("Content-Type", "text/event-stream")
		flusher.Flush()
		client := make(chan *event, 100)
		lock.Lock()
		clients[client] = true
		lock.Unlock()
		defer func() { lock.Lock(); delete(clients, client); lock.Unlock() }()
		for {
			select {
			case <-r.Context().Done():
				return
			case one := <-client:
				body, _ := json.Marshal(one)
				fmt.Fprintf(w, "id: %s:%d\nevent: log\ndata: %s\n\n", one.Session, one.Data.LineNum, body)
				flusher.Flush()
			}
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, nil)
}
