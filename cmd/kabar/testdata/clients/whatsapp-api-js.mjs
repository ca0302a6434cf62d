// whatsapp-api-js (MIT): messages of all kinds, media, and webhooks with their signature. It has no base URL: it is handed a fetch.
// Contacts are left out: this version sends them as an object, where the API wants a list.
import assert from "node:assert/strict";
import { WhatsAppAPI } from "whatsapp-api-js";
import { ActionButtons, ActionCTA, ActionList, Body, BodyComponent, BodyParameter, Button, Image, Interactive, ListSection, Location, Reaction, Row, Template, Text } from "whatsapp-api-js/messages";
import * as kabar from "./kabar.mjs";

const here = (url, options) => fetch(String(url).replace("https://graph.facebook.com", kabar.server), options);
const api = new WhatsAppAPI({ token: kabar.token, appSecret: kabar.app.secret, webhookVerifyToken: kabar.verifyToken, v: "v23.0", ponyfill: { fetch: here } });

const told = { message: [], status: [] };
api.on.message = ({ message, from, name, reply }) => {
	told.message.push({ message, from, name });
	return reply(new Text("You said " + message.text.body), true);
};
api.on.status = ({ id, status, phone }) => void told.status.push({ id, status, phone });

const close = await kabar.listen(async (request, body) => {
	if (request.method === "GET") return api.get(Object.fromEntries(new URL(request.url, "http://x").searchParams));
	await api.post(JSON.parse(body), body, request.headers["x-hub-signature-256"]);
});

const send = async (message, context) => {
	const answer = await api.sendMessage(kabar.number, kabar.customer, message, context, "job-7");
	assert.equal(answer.contacts?.[0].wa_id, kabar.customer, JSON.stringify(answer));
	assert.match(answer.messages[0].id, /^wamid\./);
	return answer.messages[0].id;
};

// Messages.
const first = await send(new Text("Hello from whatsapp-api-js", false));
await kabar.shows("the text", (m) => m.text?.body === "Hello from whatsapp-api-js");
await kabar.until("its status", () => told.status.find((s) => s.id === first && s.status === "delivered" && s.phone === kabar.customer));
await send(new Text("a reply"), kabar.inbound);
await kabar.shows("the reply", (m) => m.text?.body === "a reply" && m.context?.id);
await send(new Location(106.8, -6.2, "Warung", "Jalan 1"));
await kabar.shows("the place", (m) => m.location?.name === "Warung");
await send(new Interactive(new ActionButtons(new Button("yes", "Yes"), new Button("no", "No")), new Body("Well?")));
await kabar.shows("the buttons", (m) => m.interactive?.type === "button");
await send(new Interactive(new ActionList("Menu", new ListSection("Today", new Row("1", "Nasi"), new Row("2", "Mie"))), new Body("Choose")));
await kabar.shows("the list", (m) => m.interactive?.type === "list");
await send(new Interactive(new ActionCTA("Shop", "https://example.com/"), new Body("Look")));
await kabar.shows("the link", (m) => m.interactive?.type === "cta_url");
await send(new Reaction(kabar.inbound, "\u{1F44D}"));
await send(new Template("hello_kabar", "en"));
await kabar.shows("the template", (m) => m.template);

// Media: uploaded, described, fetched, sent, deleted. Its form has no type.
const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==", "base64");
const form = new FormData();
form.set("file", new File([png], "dot.png", { type: "image/png" }));
const uploaded = await api.uploadMedia(kabar.number, form);
assert.match(uploaded.id ?? JSON.stringify(uploaded), /^[0-9]+$/);
const medium = await api.retrieveMedia(uploaded.id, kabar.number);
assert.equal(medium.mime_type, "image/png");
const fetched = await api.fetchMedia(medium.url);
assert.deepEqual(Buffer.from(await fetched.arrayBuffer()), png);
await send(new Image(uploaded.id, true, "a dot"));
await kabar.shows("the picture", (m) => m.image?.caption === "a dot");
assert.deepEqual(await api.deleteMedia(uploaded.id), { success: true });

// What the customer writes is read, marked and answered.
await kabar.says("Halo");
const heard = await kabar.until("the customer's message", () => told.message.find((m) => m.message.text?.body === "Halo"));
assert.equal(heard.from, kabar.customer);
await kabar.shows("the answer", (m) => m.text?.body === "You said Halo");
assert.deepEqual(await api.markAsRead(kabar.number, heard.message.id, "text"), { success: true });

// Refusals are the API's error object.
const refused = await api.sendMessage(kabar.number, kabar.customer, new Template("no_such_template", "en"));
assert.equal(refused.error.code, 132001);
close();
