# Has the code for Python judge the requests on the standard input.
import base64
import sys

from verify import verify

for line in sys.stdin:
    secret, *headers, body = [base64.b64decode(f) for f in line.rstrip("\n").split("\t")]
    names = ["webhook-id", "webhook-timestamp", "webhook-signature"]
    headers = {name: value.decode() for name, value in zip(names, headers) if value}
    got = verify(secret.decode(), headers, body)
    print("true" if got and got == headers["webhook-id"] else "false")
