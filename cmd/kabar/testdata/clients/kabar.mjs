// What the scripts of all clients have in common: where the server is, a customer, and a place that webhooks are sent to.
import http from "node:http";

const env = (name) => {
	if (!process.env[name]) throw new Error(`${name} is not set`);
	return process.env[name];
};

export const server = env("KABAR_BASE");
export const token = env("KABAR_TOKEN");
export const appToken = env("KABAR_APP_ID") + "|" + env("KABAR_APP_SECRET");
export const app = { id: env("KABAR_APP_ID"), secret: env("KABAR_APP_SECRET") };
export const account = env("KABAR_ACCOUNT");
export const number = env("KABAR_NUMBER");
export const customer = env("KABAR_CUSTOMER"); // has written
export const inbound = env("KABAR_INBOUND"); // the id of that message
export const verifyToken = "the-verify-token";

const phones = env("KABAR_PHONES") + "/api/customers/" + customer;

const call = async (url, options) => {
	const answer = await fetch(url, options);
	if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
	return answer.json();
};

// says has the customer write a text.
export const says = (body) =>
	call(phones + "/messages", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ type: "text", text: { body } }) });

// shows waits until the customer's phone shows a message of which is is true.
export const shows = (what, is) =>
	until(`the phone to show ${what}`, async () => (await call(phones + "/messages?limit=100")).messages.find((m) => m.from !== customer && is(m)));

// until waits for what ask finds.
export async function until(what, ask) {
	for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((go) => setTimeout(go, 20))) {
		const found = await ask();
		if (found) return found;
	}
	throw new Error(`waited in vain for ${what}`);
}

// listen answers webhooks with handle(request, body), which returns the answer's text, and subscribes the app to them.
export async function listen(handle) {
	const sink = http.createServer(async (request, response) => {
		const parts = [];
		for await (const part of request) parts.push(part);
		try {
			response.end(String((await handle(request, Buffer.concat(parts).toString("utf8"))) ?? ""));
		} catch (error) {
			console.error("webhook:", error);
			process.exitCode = 1;
			response.writeHead(500).end();
		}
	});
	await new Promise((ready) => sink.listen(0, "127.0.0.1", ready));
	await call(`${server}/v23.0/${app.id}/subscriptions`, {
		method: "POST",
		headers: { Authorization: "Bearer " + appToken, "Content-Type": "application/json" },
		body: JSON.stringify({ object: "whatsapp_business_account", callback_url: `http://127.0.0.1:${sink.address().port}/hook`, verify_token: verifyToken, fields: "messages" }),
	});
	return () => sink.close(() => {}) && sink.closeAllConnections();
}
