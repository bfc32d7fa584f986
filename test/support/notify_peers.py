"""An HTTP and (where aiosmtpd is installed) an SMTP server on free ports of 127.0.0.1, for tests.

Prints {"http": port, "smtp": port}, then one line of JSON for each request or mail that arrives.
"""
import http.server
import json
import sys
import threading

LOCK = threading.Lock()


def tell(message):
    with LOCK:
        print(json.dumps(message), flush=True)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        tell({"path": self.path, "headers": dict(self.headers.items()), "body": body})
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"thanks")

    def log_message(self, *unused):
        pass


def start_smtp():
    try:
        from aiosmtpd.controller import Controller
    except ImportError:
        return None

    class Mails:
        async def handle_DATA(self, server, session, envelope):
            tell({"from": envelope.mail_from, "to": envelope.rcpt_tos, "mail": envelope.content.decode()})
            return "250 2.0.0 Ok: queued"

    import socket

    # The controller wants to know its port before it listens.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(Mails(), hostname="127.0.0.1", port=port)
    controller.start()
    return port


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
ports = {"http": server.server_address[1]}
smtp = start_smtp()
if smtp:
    ports["smtp"] = smtp
tell(ports)
try:
    server.serve_forever()
except KeyboardInterrupt:
    sys.exit(0)
