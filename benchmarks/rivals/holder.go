// holder DIRECTORY COUNT COMMAND…: runs COUNT copies of COMMAND, each under a PTY of its own, and appends what they write to
// DIRECTORY/N.log, with a goroutine and a 4 KB buffer each. As the keeper does, it puts a head before what it read, with
// the time and a checksum, and appends both with one write. Prints its own processor seconds and bytes as JSON.
package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func openPTY() (*os.File, *os.File, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	var unlock int32
	var number uint32
	syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), 0x40045431, uintptr(unsafe.Pointer(&unlock)))
	syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), 0x80045430, uintptr(unsafe.Pointer(&number)))
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	return master, slave, err
}

const head = 20

// frame completes the frame whose payload of n bytes stands in buffer behind its head.
func frame(buffer []byte, n int, since time.Duration) []byte {
	buffer[0], buffer[1], buffer[2], buffer[3] = 0xf5, 0x52, 2, 0
	binary.LittleEndian.PutUint32(buffer[4:], uint32(n))
	binary.LittleEndian.PutUint64(buffer[8:], uint64(since))
	sum := crc32.Update(crc32.ChecksumIEEE(buffer[:16]), crc32.IEEETable, buffer[head:head+n])
	binary.LittleEndian.PutUint32(buffer[16:], sum)
	return buffer[:head+n]
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

func main() {
	var count int
	fmt.Sscan(os.Args[2], &count)
	var group sync.WaitGroup
	var bytes int64
	for i := 0; i < count; i++ {
		master, slave, err := openPTY()
		if err != nil {
			panic(err)
		}
		command := exec.Command(os.Args[3], os.Args[4:]...)
		command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		if err := command.Start(); err != nil {
			panic(err)
		}
		slave.Close()
		log, err := os.OpenFile(fmt.Sprintf("%s/%d.log", os.Args[1], i), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0600)
		if err != nil {
			panic(err)
		}
		group.Add(1)
		go func() {
			defer group.Done()
			buffer, began := make([]byte, head+4096), time.Now()
			for {
				got, err := master.Read(buffer[head:])
				if got > 0 {
					log.Write(frame(buffer, got, time.Since(began)))
					atomic.AddInt64(&bytes, int64(got))
				}
				if err != nil {
					break
				}
			}
			command.Wait()
		}()
	}
	group.Wait()
	var used syscall.Rusage
	syscall.Getrusage(0, &used)
	fmt.Printf("{\"cpu_s\": %.4f, \"bytes\": %d, \"rss_kb\": %d}\n", seconds(used.Utime)+seconds(used.Stime), bytes, used.Maxrss)
}
