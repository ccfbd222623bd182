// Publishes an FLV file over RTMP with gomedia, in real time.
package main

import (
	"flag"
	"log"
	"net"
	"net/url"
	"os"
	"time"

	codec "github.com/yapingcat/gomedia/go-codec"
	flv "github.com/yapingcat/gomedia/go-flv"
	rtmp "github.com/yapingcat/gomedia/go-rtmp"
)

var (
	address = flag.String("url", "", "where to publish: rtmp://host:port/app/key")
	file    = flag.String("flv", "", "the FLV file")
	seconds = flag.Float64("seconds", 0, "how much of the file to publish")
)

func main() {
	flag.Parse()
	target, err := url.Parse(*address)
	if err != nil {
		log.Fatal(err)
	}
	connection, err := net.Dial("tcp4", target.Host)
	if err != nil {
		log.Fatal(err)
	}
	client := rtmp.NewRtmpClient(rtmp.WithComplexHandshake(), rtmp.WithEnablePublish())
	ready := make(chan struct{})
	client.OnStateChange(func(state rtmp.RtmpState) {
		if state == rtmp.STATE_RTMP_PUBLISH_START {
			close(ready)
		}
	})
	client.OnStatus(func(code, level, describe string) { log.Println(code, level, describe) })
	client.SetOutput(func(data []byte) error {
		_, err := connection.Write(data)
		return err
	})
	client.Start(*address)
	go receive(connection, client)
	<-ready
	if err := publish(client); err != nil {
		log.Fatal(err)
	}
	connection.Close()
}

func receive(connection net.Conn, client *rtmp.RtmpClient) {
	buffer := make([]byte, 4096)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			log.Println(err)
			os.Exit(0)
		}
		client.Input(buffer[:count])
	}
}

// publish writes each frame when it is due, until the requested time or the end of the file.
func publish(client *rtmp.RtmpClient) error {
	data, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	limit := uint32(*seconds * 1000)
	began := time.Now()
	reader := flv.CreateFlvReader()
	reader.OnFrame = func(kind codec.CodecID, frame []byte, pts, dts uint32) {
		if dts >= limit {
			return
		}
		time.Sleep(time.Until(began.Add(time.Duration(dts) * time.Millisecond)))
		client.WriteFrame(kind, frame, pts, dts)
	}
	return reader.Input(data)
}
