// Has the code for JavaScript judge the requests on the standard input.
import { readFileSync } from "node:fs";
import { verify } from "./verify.mjs";

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [secret, id, timestamp, signature, body] = line.split("\t").map((f) => Buffer.from(f, "base64"));
  const headers = {};
  if (id.length) headers["webhook-id"] = id.toString();
  if (timestamp.length) headers["webhook-timestamp"] = timestamp.toString();
  if (signature.length) headers["webhook-signature"] = signature.toString();
  const got = verify(secret.toString(), headers, body);
  console.log(got !== null && got === id.toString());
}
