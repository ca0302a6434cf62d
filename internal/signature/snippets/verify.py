import base64
import hashlib
import hmac
import time


def verify(secret, headers, body):
    """Returns the webhook-id of a request that can be trusted, otherwise None.

    The body is bytes, as they came, before anything parses them (Flask: request.get_data(), Django: request.body).
    A webhook may come twice: keep the ids that you have handled, and answer 200 to one that you know.
    """
    webhook_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    try:
        age = int(time.time()) - int(timestamp)
    except ValueError:
        return None
    key = base64.b64decode(secret.removeprefix("whsec_"))
    if not webhook_id or not key or abs(age) > 5 * 60:
        return None
    content = f"{webhook_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    for given in signatures.split(" "):  # several while a secret is replaced
        if hmac.compare_digest(given.encode(), expected):
            return webhook_id
    return None
