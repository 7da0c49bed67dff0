package broker

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
)

// collector reads the NATS server's statistics at each scrape. The shop's code
// creates the streams and consumers, so the number of label values is bounded.
type collector struct {
	nats                      *server.Server
	connections, slow         *prometheus.Desc
	messages, bytes           *prometheus.Desc
	streamMessages, streamLen *prometheus.Desc
	pending, unacked          *prometheus.Desc
	redelivered               *prometheus.Desc
}

func register(reg prometheus.Registerer, ns *server.Server) error {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("nats_"+name, help, labels, nil)
	}
	c := &collector{
		nats:           ns,
		connections:    desc("connections", "Connected clients."),
		slow:           desc("slow_consumers_total", "Clients disconnected because they read too slowly."),
		messages:       desc("messages_total", "Messages received (in) and sent (out) by the server.", "direction"),
		bytes:          desc("bytes_total", "Bytes of messages received (in) and sent (out) by the server.", "direction"),
		streamMessages: desc("stream_messages", "Messages stored in a stream.", "stream"),
		streamLen:      desc("stream_bytes", "Bytes stored in a stream.", "stream"),
		pending:        desc("consumer_pending_messages", "Messages not yet delivered to the consumer.", "stream", "consumer"),
		unacked:        desc("consumer_unacknowledged_messages", "Messages delivered but not yet acknowledged.", "stream", "consumer"),
		redelivered:    desc("consumer_redelivered_messages", "Messages delivered more than once and not yet acknowledged.", "stream", "consumer"),
	}
	if err := reg.Register(c); err != nil {
		return fmt.Errorf("register metrics of the broker: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.connections, c.slow, c.messages, c.bytes, c.streamMessages, c.streamLen, c.pending, c.unacked, c.redelivered,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	if v, err := c.nats.Varz(nil); err == nil {
		gauge(c.connections, float64(v.Connections))
		counter(c.slow, v.SlowConsumers)
		counter(c.messages, v.InMsgs, "in")
		counter(c.messages, v.OutMsgs, "out")
		counter(c.bytes, v.InBytes, "in")
		counter(c.bytes, v.OutBytes, "out")
	}
	jsz, err := c.nats.Jsz(&server.JSzOptions{Streams: true, Consumer: true})
	if err != nil {
		return // JetStream is starting or stopping; its series are absent until it runs
	}
	for _, account := range jsz.AccountDetails {
		for _, stream := range account.Streams {
			gauge(c.streamMessages, float64(stream.State.Msgs), stream.Name)
			gauge(c.streamLen, float64(stream.State.Bytes), stream.Name)
			for _, consumer := range stream.Consumer {
				gauge(c.pending, float64(consumer.NumPending), stream.Name, consumer.Name)
				gauge(c.unacked, float64(consumer.NumAckPending), stream.Name, consumer.Name)
				gauge(c.redelivered, float64(consumer.NumRedelivered), stream.Name, consumer.Name)
			}
		}
	}
}
