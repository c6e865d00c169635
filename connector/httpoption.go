package connector

import "fmt"

var onlyHTTP = []string{connectorHTTP}

// httpOptionTable are the options of the connector http beside those of formats. Which
// modes have one stands at the head of what is said of it; see optionSet.onlyOf.
var httpOptionTable = []Option{
	{Name: "mode", Connectors: onlyHTTP, Direction: Reads, Words: httpSourceModes, Required: true, About: "listen: take requests; poll: ask for documents; events: ask for server-sent events"},
	{Name: "url", Connectors: onlyHTTP, Direction: Reads, Type: "URL", Required: true,
		About: "listen: address and path. Streams of one process may share an address, each with its own path. Port 0 is a free one, which a note at the start tells. poll, events: what is asked for"},
	{Name: "format", Connectors: onlyHTTP, Direction: Reads, Words: textFormats, Default: FormatNDJSON, About: "json and jsonl are ndjson"},
	{Name: "mode", Connectors: onlyHTTP, Direction: Writes, Words: httpSinkModes, Required: true, About: "post: send requests; listen: answer those of clients (below)"},
	{Name: "url", Connectors: onlyHTTP, Direction: Writes, Type: "URL", Required: true, About: "post: where requests go; listen: as for reading"},
	{Name: "format", Connectors: onlyHTTP, Direction: Writes, Words: httpSinkFormats, Default: FormatNDJSON, About: "json and jsonl are ndjson"},
	{Name: "token", Connectors: onlyHTTP, Direction: Reads | Writes, Type: typeText,
		About: "the secret that a request carries: Authorization: Bearer .. It is shown by EXPLAIN and SHOW CREATE. Default: none is needed"},
	{Name: "token_file", Connectors: onlyHTTP, Direction: Reads | Writes, Type: "path", About: "a file with the token, which is shown nowhere"},
	{Name: "tls_cert", Connectors: onlyHTTP, Direction: Reads | Writes, Type: "path", About: "listen: certificate in PEM, for https://"},
	{Name: "tls_key", Connectors: onlyHTTP, Direction: Reads | Writes, Type: "path", About: "listen: its key"},
	{Name: "body_bytes", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpBodyBytesMax), About: "of one body or document, unpacked, or event; the default is the most"},
	{Name: "queue_requests", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpQueueDefault), About: "listen: requests that are being read or wait"},
	{Name: "queue_bytes", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpQueueBytesDefault), About: "listen: of their bodies"},
	{Name: "timeout", Connectors: onlyHTTP, Direction: Reads, Type: typeDuration, Default: httpTimeoutDefault.String(), About: "listen: for reading a body and handing its rows over; poll: for an answer; events: for its beginning"},
	{Name: "requests", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, About: "listen, poll: the stream ends after that many. Default: no end"},
	{Name: "interval", Connectors: onlyHTTP, Direction: Reads, Type: typeDuration, About: "poll: from one request to the next. Default: the URL is read once, and the stream ends"},
	{Name: "event", Connectors: onlyHTTP, Direction: Reads, Type: typeText, Default: "message", About: "events: the name of those that are read; those without a name are called message; * is all"},
	{Name: "reconnect", Connectors: onlyHTTP, Direction: Reads, Words: booleans, Default: "true", About: "events: connect again; with false the stream ends with the connection, and a broken one fails the job"},
	{Name: "retries", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, About: "poll, events: failures in a row, further ones fail the job. Default: no end"},
	{Name: "timeout", Connectors: onlyHTTP, Direction: Writes, Type: typeDuration, Default: httpTimeoutDefault.String(), About: "post: for a request and its answer; listen: for writing to a client"},
	{Name: "method", Connectors: onlyHTTP, Direction: Writes, Words: []string{"post", "put"}, Default: "post", About: "post: of requests"},
	{Name: "headers", Connectors: onlyHTTP, Direction: Reads | Writes, Type: "lines", About: "post, poll, events: further headers, a line Name: value for each"},
	{Name: "body", Connectors: onlyHTTP, Direction: Writes, Words: []string{"lines", "array"}, Default: "lines", About: "post: NDJSON, or a JSON array of the batch's rows"},
	{Name: "batch_rows", Connectors: onlyHTTP, Direction: Writes, Type: typeWhole, Default: "1000", About: "post: the most rows of a request: 1 to " + fmt.Sprint(httpBatchRowsMax)},
	{Name: "batch_bytes", Connectors: onlyHTTP, Direction: Writes, Type: typeWhole, Default: fmt.Sprint(1 << 20), About: "post: the most bytes of rows of a request, except for a single longer row: up to " + fmt.Sprint(httpBatchBytesMax)},
	{Name: "linger", Connectors: onlyHTTP, Direction: Writes, Type: typeDuration, Default: "100ms", About: "post: how long rows wait for a batch to fill when input pauses"},
	{Name: "retries", Connectors: onlyHTTP, Direction: Writes, Type: typeWhole, Default: "10", About: "post: further attempts for a batch: up to " + fmt.Sprint(httpRetriesMax)},
	{Name: "on_failure", Connectors: onlyHTTP, Direction: Writes, Words: []string{"fail", "drop"}, Default: "fail",
		About: "post: what a batch does that cannot be sent: the job fails, or its rows are dropped and counted"},
	{Name: "clients", Connectors: onlyHTTP, Direction: Writes, Type: typeWhole, Default: fmt.Sprint(httpClientsDefault), About: "listen: connected at the same time: up to " + fmt.Sprint(httpClientsMax)},
	{Name: "client_bytes", Connectors: onlyHTTP, Direction: Writes, Type: typeWhole, Default: fmt.Sprint(httpClientBytesDefault), About: "listen: that wait for a client before it is dropped: up to " + fmt.Sprint(httpClientBytesMax)},
	{Name: "heartbeat", Connectors: onlyHTTP, Direction: Writes, Type: typeDuration, Default: httpHeartbeatDefault.String(), About: "listen: how often clients are sent a comment, so that everybody on the way sees that the connection lives"},
	{Name: "allow_origin", Connectors: onlyHTTP, Direction: Writes, Type: typeText, About: "listen: the origin of web pages that may read, or *. Default: none but the same"},
}
