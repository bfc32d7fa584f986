"""Receivers that tests point notifications at."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def about(name, status=None):
    """A predicate for wait_for: the notification tells of this alert (in this status)."""
    def matching(request):
        body = request["body"]
        return (isinstance(body, dict) and any(a["labels"]["alertname"] == name for a in body.get("alerts", []))
                and (status is None or body["status"] == status))
    return matching


class WebhookSink:
    """An HTTP server that keeps what was posted; `answer` decides the reply: (status, body)."""

    def __init__(self, answer=lambda request: (200, "ok")):
        self.requests = []
        self.arrived = threading.Condition()
        self.answer = answer
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = {"path": self.path, "headers": dict(self.headers), "at": time.time(),
                           "body": json.loads(body) if body[:1] in (b"{", b"[") else body.decode(errors="replace")}
                with sink.arrived:
                    sink.requests.append(request)
                    sink.arrived.notify_all()
                status, text = sink.answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait_for(self, matching=lambda request: True, timeout=30, count=1):
        """The first `count` requests that match, as soon as they are there."""
        with self.arrived:
            def enough():
                return len([r for r in self.requests if matching(r)]) >= count
            assert self.arrived.wait_for(enough, timeout), \
                f"{count} requests expected, of {len(self.requests)} none or too few match: {self.requests[-3:]}"
            return [r for r in self.requests if matching(r)][:count]

    def alerts(self):
        """(status, alertname, labels, idempotency key) of everything that arrived, in order."""
        return [(a["status"], a["labels"]["alertname"], a["labels"], r["headers"].get("Idempotency-Key"))
                for r in self.requests for a in r["body"].get("alerts", [])]
