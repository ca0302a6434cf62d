package kabar_test

// The table that the tests of arch_test.go hold.

// place is where a package stands: what it may import of the module, and from other modules. Paths are without "kabar/"
// and "internal/"; "." is the root package.
type place struct{ may, outside string }

// places has a row for every package. A new package fails TestEveryPackageHasAPlace until it has one here; whoever adds
// an import adds it here, and says in review why it does not break a ban below.
var places = map[string]place{
	".": {}, // the vocabulary: nouns and decisions

	// Leaves.
	"attachment": {outside: "golang.org/x/crypto"},
	"certs":      {may: "secrets", outside: "golang.org/x/crypto/acme"},
	"commit":     {},
	"control":    {},
	"e164":       {outside: "github.com/nyaruka/phonenumbers"},
	"e2ee":       {outside: "golang.org/x/crypto"},
	"egress":     {},
	"figures":    {},
	"flowdata":   {may: "."},
	"filelock":   {outside: "golang.org/x/sys"},
	"kms":        {may: "secrets", outside: "filippo.io/age"},
	"lanes":      {},
	"library":    {may: "."},
	"rates":      {may: ". csvtable"},
	"csvtable":   {},
	"localize":   {may: ".", outside: "github.com/bojanz/currency"},
	"logs":       {},
	"msgid":      {},
	"natssink":   {may: "sink", outside: "github.com/nats-io/nats.go"},
	"permute":    {},
	"forward":    {may: "signature"},
	"photo":      {outside: "golang.org/x/image"},
	"portshare":  {},
	"qr":         {outside: "github.com/boombuler/barcode"},
	"secrets":    {outside: "golang.org/x/crypto"},
	"signature":  {},
	"sink":       {},
	"sqlite":     {may: "commit filelock", outside: "modernc.org/sqlite"},
	"vname":      {outside: "google.golang.org/protobuf"},
	"web":        {outside: "github.com/go-json-experiment/json"},
	"media":      {may: "secrets", outside: "github.com/gabriel-vasile/mimetype"},

	"signature/snippets": {},

	// The store, and what stands on it.
	"store":      {may: ". commit permute secrets sqlite", outside: "github.com/go-json-experiment/json github.com/jackc/pgx/v5"},
	"auth":       {may: ". store", outside: "github.com/golang-jwt/jwt/v5 golang.org/x/crypto"},
	"backup":     {may: "media store"},
	"engine":     {may: ". csvtable e164 flowdata lanes localize media msgid network photo secrets signature store", outside: "golang.org/x/sync"},
	"trace":      {may: ". store"},
	"endpoint":   {may: ". signature store"},
	"deliveries": {may: ". store trace"},
	"dossier":    {may: ". media store trace"},
	"webhook":    {may: ". signature sink store"},
	"preview":    {may: ".", outside: "golang.org/x/net golang.org/x/sync"},
	"trust":      {may: ". certs egress store"},
	"feed":       {may: ". store trace web"},

	// Measuring the product from outside; it fills stores beforehand.
	"bench": {may: ". auth engine secrets signature store", outside: "github.com/go-json-experiment/json github.com/jackc/pgx/v5 golang.org/x/sync"},

	// Watching a server.
	"doctor":  {may: ". egress relayproto sqlite store", outside: "github.com/coder/websocket"},
	"metrics": {may: ". egress web webhook", outside: "github.com/prometheus/client_golang"},

	// Networks.
	"network":       {may: "."},
	"payload":       {may: "."},
	"prekeys":       {may: "e2ee relayclient"},
	"network/relay": {may: ". attachment e2ee msgid network payload prekeys relayclient relayproto"},
	"relayclient":   {may: "relayproto", outside: "github.com/coder/websocket"},
	"relayproto":    {outside: "github.com/coder/websocket google.golang.org/protobuf"},
	"relayserver":   {may: "commit relayproto sqlite web", outside: "github.com/coder/websocket google.golang.org/protobuf"},

	// What people and applications see.
	"contentjson":   {may: ". web", outside: "github.com/go-json-experiment/json"},
	"onprem":        {may: ". auth contentjson engine figures media msgid secrets store vname web", outside: "github.com/go-json-experiment/json github.com/google/uuid"},
	"eventjson":     {may: ". contentjson msgid web"},
	"graph":         {may: ". auth contentjson e164 engine library media msgid network qr store web", outside: "github.com/go-json-experiment/json"},
	"apidoc":        {may: "ui web", outside: "github.com/goccy/go-yaml"},
	"manage":        {may: ". auth deliveries dossier endpoint engine feed signature store trace ui web webhook"},
	"ui":            {may: "."},
	"console":       {may: ". auth deliveries endpoint engine signature signature/snippets store trace ui web"},
	"phone":         {may: ". attachment commit e2ee media msgid payload prekeys relayclient relayproto sqlite web"},
	"phone/phoneui": {may: ". phone ui web"},

	// Only for tests.
	"network/networktest": {may: ". network patience"},
	"golden":              {may: ". msgid", outside: "github.com/rogpeppe/go-internal/txtar"},
	"patience":            {},
	"storetest":           {may: ". secrets store storetest/pgserver", outside: "github.com/jackc/pgx/v5"},
	"storetest/pgserver":  {outside: "github.com/jackc/pgx/v5"},
	"ui/uitest":           {may: "patience", outside: "github.com/chromedp"},
	// The crash harness, which nothing of the product may import.
	"torture":            {may: ". secrets store storetest/pgserver torture/disk torture/failpoint torture/history torture/instrument torture/recorders torture/scan", outside: "github.com/alecthomas/kong github.com/jackc/pgx/v5"},
	"torture/disk":       {outside: "modernc.org/libc modernc.org/sqlite"},
	"torture/memory":     {outside: "modernc.org/libc modernc.org/sqlite"},
	"torture/failpoint":  {may: "torture/disk"},
	"torture/history":    {},
	"torture/instrument": {},
	"torture/scan":       {},
	"torture/recorders":  {may: "relayproto torture/history", outside: "github.com/coder/websocket"},
	"torture/check":      {may: "torture/history"},
	"torture/powercut":   {may: ". engine media msgid network secrets sqlite store torture/disk"},

	// The only package that sees everything.
	"cmd/kabar": {may: ". apidoc attachment auth backup bench certs commit console control csvtable deliveries doctor dossier egress endpoint engine eventjson feed filelock forward graph kms lanes library logs manage media metrics natssink network network/relay onprem phone phone/phoneui portshare " +
		"preview rates relayserver secrets store trace trust ui vname web webhook",
		outside: "github.com/agnivade/levenshtein github.com/alecthomas/kong github.com/goccy/go-yaml golang.org/x/sync"},
}

// bans say what a package must not reach, not even by way of others. "*" is every package but the root, "x/..." is x and
// what lies below it.
var bans = []struct{ from, to, why string }{
	{"relayserver", "e2ee network/... payload prekeys relayclient phone/... .", "the relay never holds a key and never sees plaintext: it must not even know how"},
	{"relayproto", "e2ee payload prekeys .", "the protocol moves opaque bytes"},
	{"relayclient", "e2ee payload prekeys .", "a connection moves ciphertext; its caller encrypts and signs"},
	{"e2ee", "* .", "the encryption can be read, tested and reviewed by itself"},
	{"payload", "e2ee relayproto relayclient network/...", "what is said does not depend on how it is carried"},
	{"network/...", "store engine sqlite secrets", "a driver computes, the engine commits: a driver that reached the store could advance a ratchet alone"},
	{"network", "e2ee relayproto", "the contract is the same for every network"},
	{"store", "engine lanes network/... auth onprem console manage webhook phone/... web media", "the store knows rows, not what they are for"},
	{"engine", "auth onprem console manage webhook web ui network/relay network/networktest phone/... e2ee relayclient relayserver",
		"rules do not depend on who asks, nor on which network carries"},
	{"webhook", "engine network/... onprem auth console", "deliveries go on whatever the rest does; they read events"},
	{"onprem", "network/relay webhook console manage phone/... e2ee", "a dialect translates; it neither sends nor shows"},
	{"graph", "network/relay webhook console manage phone/... e2ee", "a dialect translates; it neither sends nor shows"},
	{"eventjson", "engine store onprem graph webhook console manage", "a dialect translates; it neither sends nor shows"},
	{"console", "onprem webhook network/relay phone/... e2ee", "the console shows what it is told, through an interface of its own"},
	{"apidoc", "onprem auth engine store", "a description is read and shown, whatever API it is about"},
	{"phone/...", "store engine auth onprem webhook console network/... relayserver", "the customer's side shares nothing with the business but the wire"},
	{"relayserver", "store engine phone/...", "the programs meet on the wire only"},
	{"secrets", "store engine", "a leaf"},
	{"ui", "engine store phone console", "pages are shared by console and phone, so they know neither"},
	{"*", "cmd/kabar", "commands are the end of the line"},
	{"torture/check", "store engine webhook onprem network/... relayproto phone/... e2ee .", "the checker must not believe the product"},
}

// dialects translate one contract each. Neither imports another: a reply across dialects goes through the engine.
var dialects = []string{"onprem", "graph"}

// fakes are for tests: no package of the product may import them.
var fakes = []string{"network/networktest", "golden", "patience", "storetest", "ui/uitest"}

// standard says which packages of the standard library are for few, and why.
var standard = []struct{ pkg, only, why string }{
	{"database/sql", "store storetest storetest/pgserver sqlite phone relayserver torture", "every statement of the server is in store; relay and phone keep small stores of their own"},
	{"os/exec", "bench cmd/kabar storetest/pgserver torture torture/instrument ui/uitest", "the server starts no child process; kabar dev may open a browser, and kabar bench starts the programs it measures"},
	{"math/rand", "", "math/rand/v2 for chance, crypto/rand for secrets"},
	{"log", "", "slog is handed in"},
	{"unsafe", "relayproto torture/disk torture/memory", "only generated code, and the crash harness's layers under SQLite, which is translated from C"},
	{"testing", "network/networktest patience storetest ui/uitest", "a product carries no tests"},
	{"html/template", "ui console phone/phoneui", "pages are made in one place"},
	{"text/template", "", "it does not escape"},
}

// vocabulary is all that the root package may import: no I/O, no clock, nothing that another package decides.
const vocabulary = "bytes cmp encoding/json errors fmt iter maps math net/url regexp slices strconv strings time unicode unicode/utf8"

// clocked are the packages whose rules take the time as an argument, with the files that may name the default clock.
var clocked = map[string][]string{
	".":      nil,
	"engine": {"internal/engine/engine.go"}, // Options.Now: the only injected clock
	"store":  nil,
	"lanes":  nil,
	"graph":  {"internal/graph/api.go"},  // the same
	"onprem": {"internal/onprem/api.go"}, // Options.Now: real time for the deadlines of connections
}
