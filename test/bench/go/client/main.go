// The client of the measurement: asks as kube-apiserver's client does, as often as it gets answers.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"
)

type question struct {
	Body    string `json:"body"`
	Allowed bool   `json:"allowed"`
}

type worker struct {
	times    []time.Duration
	answered int
	wrong    int
	failed   int
}

var (
	url         = flag.String("url", "", "where to ask")
	ca          = flag.String("ca", "", "PEM file of the CA that verifies the server")
	cert        = flag.String("cert", "", "PEM file of the client's certificate")
	key         = flag.String("key", "", "PEM file of its key")
	questions   = flag.String("questions", "", "JSON file: [{body, allowed}]")
	protocol    = flag.String("protocol", "h2", "h2 or http1")
	concurrency = flag.Int("concurrency", 1, "questions at a time")
	warmUp      = flag.Float64("warm-up", 0, "for how many seconds to ask before it counts")
	seconds     = flag.Float64("seconds", 2, "how long")
	newEach     = flag.Bool("new-connections", false, "a new connection for each question")
)

// newTransport is kube-apiserver's, of client-go: 25 idle connections are kept for a host.
func newTransport() *http.Transport {
	authority, err := os.ReadFile(*ca)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}},
		MaxIdleConnsPerHost: 25,
		IdleConnTimeout:     90 * time.Second,
		DisableKeepAlives:   *newEach,
		ForceAttemptHTTP2:   *protocol == "h2",
	}
	// Plenty: what HTTP/1.1 costs is to be seen, not handshakes.
	if *protocol == "http1" {
		transport.MaxIdleConnsPerHost = 4 * *concurrency
	}
	return transport
}

func (w *worker) ask(client *http.Client, q question, counted time.Time) {
	started := time.Now()
	response, err := client.Post(*url, "application/json", bytes.NewReader([]byte(q.Body)))
	if err != nil {
		w.failed++
		return
	}
	answer, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		w.failed++
		return
	}
	w.answered++
	if !started.Before(counted) {
		w.times = append(w.times, time.Since(started))
	}
	if response.ProtoMajor == 2 != (*protocol == "h2") {
		log.Fatalf("expected %s, got %s", *protocol, response.Proto)
	}
	// The review that comes back holds what was asked, an `allowed: false` of the question included.
	said := bytes.LastIndex(answer, []byte(`"allowed":`)) + len(`"allowed":`)
	if bytes.HasPrefix(answer[said:], []byte("true")) != q.Allowed {
		w.wrong++
	}
}

func main() {
	flag.Parse()
	text, err := os.ReadFile(*questions)
	if err != nil {
		log.Fatal(err)
	}
	var asked []question
	if err := json.Unmarshal(text, &asked); err != nil {
		log.Fatal(err)
	}
	// No time-out: in Go before 1.23 its end also ends the dial that another connection made needless,
	// and over HTTP/1.1 handshakes are then most of what is measured.
	client := &http.Client{Transport: newTransport()}
	workers := make([]worker, *concurrency)
	counted := time.Now().Add(time.Duration(*warmUp * float64(time.Second)))
	end := counted.Add(time.Duration(*seconds * float64(time.Second)))
	var all sync.WaitGroup
	for index := range workers {
		all.Add(1)
		go func(w *worker, next int) {
			defer all.Done()
			for ; time.Now().Before(end); next++ {
				w.ask(client, asked[next%len(asked)], counted)
			}
		}(&workers[index], index*7)
	}
	all.Wait()
	report(workers, time.Since(counted))
}

func report(workers []worker, took time.Duration) {
	var times []time.Duration
	var answered, wrong, failed int
	for _, w := range workers {
		times = append(times, w.times...)
		answered += w.answered
		wrong += w.wrong
		failed += w.failed
	}
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	milliseconds := func(part float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return float64(times[int(float64(len(times)-1)*part)].Microseconds()) / 1000
	}
	_ = json.NewEncoder(os.Stdout).Encode(map[string]any{
		"count": len(times), "seconds": took.Seconds(),
		"p50": milliseconds(0.5), "p99": milliseconds(0.99),
		"answered": answered, "wrong": wrong, "failed": failed,
	})
}
