// @great-detail/whatsapp (MIT): messages, media, numbers, profile, templates, subscriptions, and webhooks with both signatures. Its base
// URL is an option.
import assert from "node:assert/strict";
import Client from "@great-detail/whatsapp";
import * as kabar from "./kabar.mjs";

const sdk = new Client({ prefixUrl: kabar.server, graphVersion: "v23.0", request: { headers: { Authorization: "Bearer " + kabar.token } } });

const told = [];
const close = await kabar.listen(async (request, body) => {
	const incoming = { method: request.method, query: Object.fromEntries(new URL(request.url, "http://x").searchParams), headers: request.headers, body };
	if (request.method === "GET") {
		const asked = await sdk.webhook.register(incoming);
		assert.equal(asked.verifyToken, kabar.verifyToken);
		return asked.accept();
	}
	const event = await sdk.webhook.eventNotification(incoming);
	await event.verifySignature(kabar.app.secret);
	assert.ok(await event.signature.sha1.check(kabar.app.secret), "the older signature");
	told.push(...event.eventNotification.entry.flatMap((e) => e.changes.map((c) => c.value)));
	return event.accept();
});

// Messages.
const sent = await sdk.message.createMessage({ phoneNumberID: kabar.number, to: kabar.customer, type: "text", text: { body: "Hello from great-detail" } }).json();
assert.equal(sent.contacts[0].wa_id, kabar.customer);
await kabar.shows("the text", (m) => m.text?.body === "Hello from great-detail");
await kabar.until("its status", () => told.find((v) => v.statuses?.some((s) => s.id === sent.messages[0].id && s.status === "delivered")));
assert.equal((await sdk.message.createMessage({ phoneNumberID: kabar.number, to: kabar.customer, type: "template", template: { name: "hello_kabar", language: { code: "en" } } }).json()).messages[0].message_status, "accepted");
await kabar.shows("the template", (m) => m.template);
assert.deepEqual(await sdk.message.createStatus({ phoneNumberID: kabar.number, message_id: kabar.inbound, status: "read", typing_indicator: { type: "text" } }).json(), { success: true });
await kabar.says("Halo");
await kabar.until("the customer's message", () => told.find((v) => v.messages?.some((m) => m.text?.body === "Halo")));

// Media.
const png = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==", "base64");
const uploaded = await sdk.media.upload({ phoneNumberID: kabar.number, mimeType: "image/png", filename: "dot.png", file: new Blob([png], { type: "image/png" }) }).json();
const medium = await sdk.media.getURL({ mediaID: uploaded.id, phoneNumberID: kabar.number }).json();
assert.equal(medium.mime_type, "image/png");
assert.deepEqual(Buffer.from(await sdk.media.download({ mediaURL: medium.url }).arrayBuffer()), png);
assert.equal((await sdk.media.delete({ mediaID: uploaded.id, phoneNumberID: kabar.number }).json()).success, true);

// The account, its number, the profile.
assert.equal((await sdk.whatsappBusinessAccount.get(kabar.account, { fields: ["id", "name"] }).json()).id, kabar.account);
assert.equal((await sdk.phoneNumbers.listPhoneNumbers({ businessAccountID: kabar.account }).json()).data[0].id, kabar.number);
assert.equal((await sdk.phoneNumbers.getPhoneNumber({ phoneNumberID: kabar.number, fields: ["verified_name", "quality_rating"] }).json()).id, kabar.number);
assert.equal((await sdk.businessProfile.updateBusinessProfile({ phoneNumberID: kabar.number, messaging_product: "whatsapp", about: "Open" }).json()).success, true);
assert.equal((await sdk.businessProfile.getBusinessProfile({ phoneNumberID: kabar.number, fields: ["about"] }).json()).data[0].about, "Open");
assert.equal((await sdk.subscribedApps.createSubscription({ businessAccountID: kabar.account }).json()).success, true);
assert.equal((await sdk.subscribedApps.listSubscriptions({ businessAccountID: kabar.account }).json()).data.length, 1);

// Templates.
const made = await sdk.template.create(kabar.account, { name: "parcel_sent", language: "en", category: "UTILITY", components: [{ type: "BODY", text: "Your parcel is on its way." }] }).json();
assert.equal((await sdk.template.get(made.id, {}).json()).name, "parcel_sent");
assert.ok((await sdk.template.list(kabar.account, { limit: 5 }).json()).data.length > 0);
assert.ok((await sdk.template.listLibrary({}).json()).data.length > 0);
assert.equal((await sdk.template.delete(kabar.account, { name: "parcel_sent" }).json()).success, true);

// A refusal is an error with the API's object in it.
const refused = await sdk.message.createMessage({ phoneNumberID: kabar.number, to: kabar.customer, type: "template", template: { name: "no_such_template", language: { code: "en" } }, request: { throwHttpErrors: false } });
assert.equal(refused.status, 404);
assert.equal((await refused.json()).error.code, 132001);
close();
