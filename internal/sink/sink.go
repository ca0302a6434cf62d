// Package sink is what an event is on its way to a system of messages, when it goes there instead of to a URL. It is the word that those
// who have events and those who publish them share, so that neither knows the other.
//
// To publish is one call that returns when the system has said that it keeps the event, as a 200 says it for a webhook; until then it is
// tried again with the same id, so everything arrives at least once. A publisher keeps nothing, tries nothing again by itself, and does not
// see to order: who calls it has one event of a key under way at a time. What it needs of a system, and what systems have:
//
//   - NATS JetStream (package natssink). Kept: the stream's acknowledgement. ID: Nats-Msg-Id, by which the stream drops what comes again
//     within its window. Topic: the subject. Key: not needed, a stream has one order.
//   - Kafka. Kept: acks=all, with min.insync.replicas of the topic. ID: a header; what the idempotent producer drops are only its own
//     repeats. Topic: a header, under one topic of the operator's. Key: the record's key, which chooses the partition.
//   - RabbitMQ. Kept: a publisher confirm for a mandatory, persistent message to a durable queue; one that is returned went nowhere. ID: the
//     property message_id, which nobody compares but the consumer. Topic: the routing key. Key: not needed, a queue has one order.
//   - Amazon SQS, FIFO. Kept: the answer to SendMessage. ID: MessageDeduplicationId, good for 5 minutes. Key: MessageGroupId. Topic: an attribute.
//   - Google Pub/Sub. Kept: the answer to Publish. ID: an attribute, which nobody compares but the consumer. Key: the ordering key. Topic: an
//     attribute, by which subscriptions filter.
package sink

import "net/http"

// Event is one event to publish. Who publishes it changes nothing of it and keeps nothing of it.
type Event struct {
	ID     string      // the webhook-id: the same each time this event is published
	Topic  string      // number and type of the event, words joined by full stops: "4930123456.message.received"
	Key    string      // within which order counts: one a customer; it tells nothing about who that is
	Header http.Header // that of the webhook which this event would be
	Body   []byte      // that as well
}
