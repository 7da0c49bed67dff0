package broker

import (
	"fmt"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
)

// collector asks the server when it is scraped. Streams and consumers are made
// by the shop's code, so their names are bounded.
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
		connections:    desc("connections", "Clients connected."),
		slow:           desc("slow_consumers_total", "Clients cut off because they read too slowly."),
		messages:       desc("messages_total", "Messages by direction, as the server sees it.", "direction"),
		bytes:          desc("bytes_total", "Bytes of messages by direction, as the server sees it.", "direction"),
		streamMessages: desc("stream_messages", "Messages stored in a stream.", "stream"),
		streamLen:      desc("stream_bytes", "Bytes stored in a stream.", "stream"),
		pending:        desc("consumer_pending_messages", "Messages that wait to be delivered.", "stream", "consumer"),
		unacked:        desc("consumer_unacknowledged_messages", "Messages delivered and not acknowledged.", "stream", "consumer"),
		redelivered:    desc("consumer_redelivered_messages", "Messages, not yet acknowledged, that were delivered more than once.", "stream", "consumer"),
	}
	if err := reg.Register(c); err != nil {
		return fmt.Errorf("register the metrics of the broker: %w", err)
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
		return // JetStream is starting or stopping: the series are absent meanwhile
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
