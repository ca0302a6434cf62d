import { createHmac, timingSafeEqual } from "node:crypto";

// Returns the webhook-id of a request that can be trusted, otherwise null. The body is a Buffer, byte for byte as it came, before anything
// parses it (with Express: express.raw({ type: "application/json" })). A webhook may come twice: keep the ids that you have handled, and
// answer 200 to one that you know.
export function verify(secret, headers, body) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  const signatures = headers["webhook-signature"];
  if (!id || !timestamp || !signatures) return null;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 5 * 60)) return null; // what is no number is not, either
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length === 0) return null;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  const expected = Buffer.from("v1," + mac.digest("base64"));
  const right = signatures.split(" ").some((s) => { // several while a secret is replaced
    const given = Buffer.from(s);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return right ? id : null;
}
