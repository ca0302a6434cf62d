// Has the official verifier judge the requests on the standard input (TestClientsVerify). It runs in a folder where npm has installed it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook, WebhookVerificationError } = createRequire(process.cwd() + "/")("standardwebhooks");

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [secret, id, timestamp, signature, body] = line.split("\t").map((f) => Buffer.from(f, "base64").toString());
  let good = true;
  try {
    new Webhook(secret).verify(body, { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature });
  } catch (e) {
    if (!(e instanceof WebhookVerificationError)) throw e;
    good = false;
  }
  console.log(good);
}
