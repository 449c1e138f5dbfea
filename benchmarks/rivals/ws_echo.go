// ws_echo: answers every small WebSocket text frame with the same text; standard library only. Prints its port.
package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
)

func echo(w http.ResponseWriter, r *http.Request) {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	connection, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer connection.Close()
	fmt.Fprintf(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	for {
		text, err := readFrame(buffered.Reader)
		if err != nil {
			return
		}
		head := []byte{0x81, byte(len(text))}
		if len(text) > 125 {
			head = []byte{0x81, 126, byte(len(text) >> 8), byte(len(text))}
		}
		if _, err := connection.Write(append(head, text...)); err != nil {
			return
		}
	}
}

func readFrame(reader *bufio.Reader) ([]byte, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(reader, head); err != nil {
		return nil, err
	}
	length := int(head[1] & 127)
	if length == 126 {
		more := make([]byte, 2)
		if _, err := io.ReadFull(reader, more); err != nil {
			return nil, err
		}
		length = int(more[0])<<8 | int(more[1])
	}
	body := make([]byte, 4+length)
	if _, err := io.ReadFull(reader, body); err != nil {
		return nil, err
	}
	text := body[4:]
	for i := range text {
		text[i] ^= body[i&3]
	}
	return text, nil
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, http.HandlerFunc(echo))
}
