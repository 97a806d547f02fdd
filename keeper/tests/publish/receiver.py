"""A receiver of webhooks that checks each with PyPI's library of Standard Webhooks: receiver.py <secret> <journal>"""

import http.server
import json
import os
import sys
import threading

from standardwebhooks import Webhook, WebhookVerificationError

secret, journal = sys.argv[1:3]
webhook = Webhook(secret)
turn = threading.Lock()


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = webhook.verify(body.decode(), headers)
            line = {
                "id": headers["webhook-id"],
                "sequence": int(event.get("sequence", 0)),
                "type": event["type"],
                "refs": event["data"].get("refs", []),
            }
            status = 200
        except WebhookVerificationError as error:
            line, status = {"bad": str(error)}, 400
        with turn, open(journal, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_address[1], flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
server.serve_forever()
