package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"mesh.lab/istio/peer"
)

// reply is what the application answers: who it is, and whom its certificate check let in.
type reply struct {
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Identity  string `json:"identity"`
	Client    string `json:"client"`
	Asked     string `json:"asked"`
}

func serve(ctx context.Context) error {
	address := os.Getenv("LAB_ADDRESS")
	identity, err := peer.NewIdentity(ctx, peer.FromEnvironment())
	if err != nil {
		return err
	}
	log.Printf("this is %s", identity.Name())
	listener, err := peer.Listen(ctx, address)
	if err != nil {
		return err
	}
	go serveReady(address)
	return peer.Serve(listener, identity, func(authority, client string) (io.ReadWriteCloser, error) {
		log.Printf("%s asks for %s", client, authority)
		self := peer.SelfFromEnvironment()
		near, far := net.Pipe()
		go answer(far, reply{self.Cluster, self.Namespace, self.Pod, identity.Name(), client, authority})
		return near, nil
	})
}

// answer is the application: it answers each HTTP request of a connection with the same text.
func answer(connection net.Conn, what reply) {
	defer connection.Close()
	text, err := json.Marshal(what)
	if err != nil {
		return
	}
	reader := bufio.NewReader(connection)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
		if _, err := io.WriteString(connection, head+strconv.Itoa(len(text))+"\r\n\r\n"+string(text)); err != nil {
			return
		}
	}
}

// serveReady answers the probe of the pod, if it has one.
func serveReady(address string) {
	server := &http.Server{
		Addr: address + ":8080", ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(http.StatusOK) }),
	}
	log.Print(server.ListenAndServe())
}
