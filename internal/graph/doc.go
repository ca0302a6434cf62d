// Package graph translates between the Cloud (Graph) API and the engine: requests to messages, answers and errors to the API's
// shape, events to webhook bodies.
//
// It does not decide about messages: their rules and limits are the engine's and the vocabulary's. It does not authenticate (auth.Mux has done
// so before a handler runs), does not deliver webhooks (it renders them, Render), and does not know the other dialect. What is
// refused and how it is called stands in one table, errors.go.
//
// A path begins with a version, which may be any and may be missing, and goes on with the id of a node: {id}/edge. Enter leads
// such paths below Prefix, where the authorisation table has its rows. All kinds of nodes share one space of ids: numbers of 15
// or 16 digits, made of the row's key (id.go). A node that is another account's is answered like one that does not exist.
//
// Parameters may come in the query, as a form, as multipart or as JSON, also mixed; exchange.decode reads them all into one
// struct (params.go). Unknown names are ignored. Fields and their expansion are read by fields.go, pages made by page.go.
//
// # How to add an edge
//
//  1. A file named after the noun with the handler: func (a *API) listThings(x *exchange, n *kabar.Number) error. Wrap it in
//     a.ofNumber, a.ofAccount or a.ofApp, which find the node of {id}, and answer with x.reply, x.page or x.success.
//  2. A line in Handlers (api.go), and the same pattern as a row of internal/auth/table_graph.go with its access.
//  3. What can be refused: kabar.Refuse with a Reason. A new Reason gets its code in errors.go (and in onprem's table). A
//     golden exchange shows the code, whose row then leaves the table of docs/cloud-coverage.md of those that are never sent.
//  4. A field of a node, or an edge that can be expanded: a line in the kind's fields (number.go, account.go…). A new kind of node:
//     a line in allKinds (node.go). It then has GET, POST and DELETE /{id} for nothing.
//  5. An entry in openapi/*.yaml, a golden exchange in testdata/*.txtar (make golden rewrites them), a row in
//     docs/cloud-coverage.md. Tests hold all three against the routes; the hostile requests, and Meta's description of the API where
//     there is one (testdata/meta_*.tsv lists what differs from it, and why), find the edge by themselves.
//
// An API is safe for concurrent use and keeps nothing between requests but the count of this hour's calls (usage.go). JSON bodies have up to 1 MiB, media up to 100 MB and are
// never in memory as a whole.
//
// Source: Cloud API contract, sections 0 to 3, 5 and 6; target v23.0.
package graph
