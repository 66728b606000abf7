// The yardstick in Go: parse, one set look-up, answer, over mutual TLS and nothing else.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

const maxBody = 3 << 20

type review struct {
	Kind       string  `json:"kind"`
	APIVersion string  `json:"apiVersion"`
	Spec       spec    `json:"spec"`
	Status     *status `json:"status"`
}

type spec struct {
	Containers  []container       `json:"containers,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Namespace   string            `json:"namespace,omitempty"`
}

type container struct {
	Image string `json:"image"`
}

type status struct {
	Allowed bool   `json:"allowed"`
	Reason  string `json:"reason,omitempty"`
}

var trusted = map[string]bool{"docker.io": true, "registry.k8s.io": true, "k8s.gcr.io": true}

func checkImage(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return
	}
	var asked review
	if json.Unmarshal(body, &asked) != nil || asked.Kind != "ImageReview" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	asked.Status = &status{Allowed: true}
	for _, c := range asked.Spec.Containers {
		registry, _, found := strings.Cut(c.Image, "/")
		if !found || !trusted[registry] {
			asked.Status = &status{Reason: c.Image + ": not trusted image!"}
		}
	}
	answer, err := json.Marshal(asked)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}

// usage: handler CERTIFICATE KEY CLIENT-CA; prints the port that it listens on.
func main() {
	authority, err := os.ReadFile(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(authority)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/check-image", checkImage)
	server := http.Server{
		Handler:  mux,
		ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs:  clients,
			MinVersion: tls.VersionTLS12,
		},
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.ServeTLS(listener, os.Args[1], os.Args[2]))
}
