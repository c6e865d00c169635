package connector

import "fmt"

var onlyHTTP = []string{connectorHTTP}

// httpOptionTable are the options of the connector http beside those of formats. Which
// modes have one stands at the head of what is said of it; see optionSet.onlyOf.
var httpOptionTable = []Option{
	{Name: "mode", Connectors: onlyHTTP, Direction: Reads, Words: httpSourceModes, Required: true, About: "listen: take requests (below)"},
	{Name: "url", Connectors: onlyHTTP, Direction: Reads, Type: "URL", Required: true,
		About: "listen: address and path. Streams of one process may share an address, each with its own path. Port 0 is a free one, which a note at the start tells"},
	{Name: "format", Connectors: onlyHTTP, Direction: Reads, Words: textFormats, Default: FormatNDJSON, About: "json and jsonl are ndjson"},
	{Name: "token", Connectors: onlyHTTP, Direction: Reads, Type: typeText,
		About: "the secret that a request carries: Authorization: Bearer .. It is shown by EXPLAIN and SHOW CREATE. Default: none is needed"},
	{Name: "token_file", Connectors: onlyHTTP, Direction: Reads, Type: "path", About: "a file with the token, which is shown nowhere"},
	{Name: "tls_cert", Connectors: onlyHTTP, Direction: Reads, Type: "path", About: "listen: certificate in PEM, for https://"},
	{Name: "tls_key", Connectors: onlyHTTP, Direction: Reads, Type: "path", About: "listen: its key"},
	{Name: "body_bytes", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpBodyBytesMax), About: "of one body, unpacked; the default is the most"},
	{Name: "queue_requests", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpQueueDefault), About: "listen: requests that are being read or wait"},
	{Name: "queue_bytes", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, Default: fmt.Sprint(httpQueueBytesDefault), About: "listen: of their bodies"},
	{Name: "timeout", Connectors: onlyHTTP, Direction: Reads, Type: typeDuration, Default: httpTimeoutDefault.String(), About: "listen: for reading a body and handing its rows over"},
	{Name: "requests", Connectors: onlyHTTP, Direction: Reads, Type: typeWhole, About: "the stream ends after that many. Default: no end"},
}
