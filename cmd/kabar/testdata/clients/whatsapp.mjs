// whatsapp 0.0.5-Alpha, by Meta: messages and the PIN. It speaks HTTPS only, to the host in WA_BASE_URL and to port 443, which its requester
// holds. Its receiver of webhooks joins strings as if they were buffers and fails on every body, so it is not used.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as kabar from "./kabar.mjs";

Object.assign(process.env, { WA_BASE_URL: new URL(kabar.server).hostname, M4D_APP_ID: kabar.app.id, M4D_APP_SECRET: kabar.app.secret, WA_PHONE_NUMBER_ID: kabar.number, WA_BUSINESS_ACCOUNT_ID: kabar.account,
	CLOUD_API_ACCESS_TOKEN: kabar.token, CLOUD_API_VERSION: "v17.0", WEBHOOK_ENDPOINT: "hook", WEBHOOK_VERIFICATION_TOKEN: kabar.verifyToken, NODE_ENV: "production" });
const WhatsApp = createRequire(import.meta.url)("whatsapp").default ?? createRequire(import.meta.url)("whatsapp");
const wa = new WhatsApp();
wa.requester.port = Number(new URL(kabar.server).port);

const sent = async (what, answer, is) => {
	answer = await answer;
	const body = await answer.responseBodyToJSON();
	assert.equal(answer.statusCode(), 200, what + JSON.stringify(body));
	assert.match(body.messages[0].id, /^wamid\./);
	await kabar.shows(what, is);
};
const to = Number(kabar.customer); // it has numbers for those who are written to, too
await sent("the text", wa.messages.text({ body: "Hello from Meta's SDK", preview_url: false }, to), (m) => m.text?.body === "Hello from Meta's SDK");
await sent("the reply", wa.messages.text({ body: "a reply" }, to, kabar.inbound), (m) => m.text?.body === "a reply" && m.context?.id);
await sent("the place", wa.messages.location({ longitude: 106.8, latitude: -6.2, name: "Warung", address: "Jalan 1" }, to), (m) => m.location?.name === "Warung");
await sent("the buttons", wa.messages.interactive({ type: "button", body: { text: "Well?" }, action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }] } }, to), (m) => m.interactive?.type === "button");
await sent("the template", wa.messages.template({ name: "hello_kabar", language: { policy: "deterministic", code: "en" } }, to), (m) => m.template);
const read = await wa.messages.status({ status: "read", message_id: kabar.inbound });
assert.deepEqual(await read.responseBodyToJSON(), { success: true });

// It posts the PIN to the number's path with a slash behind it.
const pin = await wa.twoStepVerification.setPin(123456);
assert.deepEqual(await pin.responseBodyToJSON(), { success: true });
