package onprem

import "kabar/internal/figures"

// Where the figures stand: those of a number in /v1/stats/app and /v1/stats/db, those of the program in /v1/metrics. Names and
// labels: contract, 1.9.

// appFamilies are counted or asked for by number, but for those of wholeProgram.
func appFamilies() []figures.Family {
	c, g := figures.Counter, figures.Gauge
	return []figures.Family{
		figures.Describe("callback_queue_size", g, "Events that wait for the webhook, those that have failed included."),
		figures.Describe("callback_requests", c, "Webhook requests by what they told and what came of them.", "type", "result"),
		figures.Describe("callback_requests_duration_ms_count", c, "Webhook requests."),
		figures.Describe("callback_requests_duration_ms_sum", c, "How long webhook requests took."),
		figures.Describe("pending_callbacks", g, "Events that are not finished."),
		figures.Describe("pending_messages", g, "Messages that wait to be sent."),
		figures.Describe("endpoint_requests", c, "Requests of this API, of all numbers of the server.", "method", "status"),
		figures.Describe("endpoint_requests_duration_ms_count", c, "Requests of this API, of all numbers of the server."),
		figures.Describe("endpoint_requests_duration_ms_sum", c, "How long they took."),
		figures.Describe("db_request_duration_us_count", c, "Commits of the database, each of many writes, of all numbers of the server.", "db", "operation"),
		figures.Describe("db_request_duration_us_sum", c, "How long they took.", "db", "operation"),
		figures.Describe("in_message_from_server", c, "Messages of customers that the network has handed over."),
		figures.Describe("in_message_decoded", c, "Those that could be decrypted."),
		figures.Describe("in_message_persisted", c, "Those that are committed and told to the webhook."),
		figures.Describe("in_messages_pending_processing", g, "Messages of customers that wait for their medium."),
		figures.Describe("out_message_persisted", c, "Messages of applications that are committed."),
		figures.Describe("out_message_sent_duration_ms_count", c, "Messages that were sent."),
		figures.Describe("out_message_sent_duration_ms_sum", c, "How long they took from being accepted to being sent."),
		figures.Describe("out_message_status", c, "How messages of applications went on.", "status"),
		figures.Describe("internal_server_conn_duration_ms_count", c, "Always 0: there is no server behind this one to connect to."),
		figures.Describe("internal_server_requests_duration_ms_sum", c, "How long requests took inside the server, of all numbers.", "request"),
		figures.Describe("media_downloads", c, "Media of customers that were stored."),
		figures.Describe("media_uploads", c, "Media that were brought to the network."),
	}
}

// wholeProgram are the families of appFamilies that are not counted by number.
func wholeProgram(name string) bool {
	switch name {
	case "endpoint_requests", "endpoint_requests_duration_ms_count", "endpoint_requests_duration_ms_sum", "db_request_duration_us_count",
		"db_request_duration_us_sum", "internal_server_conn_duration_ms_count", "internal_server_requests_duration_ms_sum":
		return true
	}
	return false
}

func dbFamilies() []figures.Family {
	g := figures.Gauge
	return []figures.Family{
		figures.Describe("db_contacts", g, "Customers with whom the number has a conversation; nobody else is kept.", "type"),
		figures.Describe("db_message_receipts", g, "Messages whose delivery the customer has confirmed."),
		figures.Describe("db_messages", g, "Messages that are stored.", "type"),
	}
}

func webFamilies() []figures.Family {
	c, g := figures.Counter, figures.Gauge
	return []figures.Family{
		figures.Describe("web_uptime", g, "Seconds since the program began."),
		figures.Describe("web_connections", g, "Connections that are open."),
		figures.Describe("web_pending_connections", g, "Connections that have not sent a request yet."),
		figures.Describe("web_max_pending_connections", g, "The most of these at a time so far."),
		figures.Describe("web_queue_len", g, "Writes that wait for the next commit."),
		figures.Describe("web_idle_processes", g, "Connections that are kept between requests."),
		figures.Describe("web_total_connections", c, "Connections so far."),
		figures.Describe("web_requests", g, "Connections by what they do.", "state"),
		figures.Describe("api_requests_duration_ms_count", c, "Requests by route and status.", "method", "result"),
		figures.Describe("api_requests_duration_ms_sum", c, "How long they took.", "method", "result"),
	}
}
