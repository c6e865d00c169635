// Package web is HTTP as connectors use it: servers that several streams share, request
// bodies of bounded size, server-sent events, and when to try again. It stands below
// package connector, which brings rows; nothing here knows of them. Mount, ReadBody,
// EventReader and Backoff are the ways in.
//
// Everything has a limit: connections of a server, bytes of a header, of a body and of all
// bodies in memory together, bytes of an event, the time of a request, the pause before
// the next attempt.
package web
