"""Starts the real binaries and speaks to their API, for system tests and benches."""

import base64
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ATALAYA_BUILD", ROOT / "build/dev"))
API = "/api/atalaya/v1"


def binary(name):
    return str(BUILD / name)


def until(condition, timeout=30, what="condition"):
    """Polls until `condition()` is truthy and returns it; AssertionError with the last value if not."""
    deadline = time.monotonic() + timeout
    last = None
    while time.monotonic() < deadline:
        try:
            last = condition()
        except (OSError, KeyError) as error:
            last = error
        else:
            if last:
                return last
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come true within {timeout} s; last seen: {last!r}")


class HttpError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def make_certificate(folder):
    """A self-signed certificate for 127.0.0.1: (certificate, key)."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "30", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], check=True, capture_output=True)
    return cert, key


class Server:
    """One run of `atalaya server` or `atalaya up`. Restart it with stop() or kill() and start()."""

    def __init__(self, data, command="server", arguments=(), packages=None, tls=None, environment=None):
        self.data = pathlib.Path(data)
        self.command = command
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.tls = tls
        self.listen = "127.0.0.1:0"
        self.process = None
        self.token = None
        self.log_path = pathlib.Path(tempfile.mkstemp(prefix="atalaya-log-")[1])
        for name, text in (packages or {}).items():
            self.write_package(name, text)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()
        self.log_path.unlink(missing_ok=True)

    def write_package(self, name, text):
        folder = self.data / "packages" / "default" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.yaml").write_text(text)

    def start(self, wait=True):
        command = [binary("atalaya"), self.command, "--data", str(self.data), "--listen", self.listen,
                   *self.arguments]
        if self.tls:
            command += ["--tls-cert", str(self.tls[0]), "--tls-key", str(self.tls[1])]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=open(self.log_path, "ab"),
                                        env={**os.environ, **self.environment}, text=True)
        if wait:
            self.wait_started()
        return self

    def wait_started(self):
        line = self.process.stdout.readline()
        found = re.search(r"(https?)://(127\.0\.0\.1:\d+)", line)
        if not found:
            code = self.process.wait(10)
            raise AssertionError(f"no address in {line!r} (exit code {code}); log:\n{self.log()}")
        self.url = found.group(0)
        self.listen = found.group(2)  # the same port after a restart
        link = re.search(r"link=([A-Za-z0-9_-]+)", line)
        self.link = link.group(1) if link else None
        until(lambda: self.call("GET", "/-/ready", token=None) is not None, what="the server's readiness")
        if self.token is None:
            self.token = self.cli("token", "create", "--data", str(self.data), "--role", "admin", "--ttl", "1h").strip()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        assert code == 0, f"exit code {code} after SIGTERM; log:\n{self.log()[-4000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    @staticmethod
    def cli(*arguments, check=True, **options):
        done = subprocess.run([binary("atalaya"), *map(str, arguments)], capture_output=True, text=True, timeout=60,
                              **options)
        if check:
            assert done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr}"
            return done.stdout
        return done

    def call(self, method, path, body=None, token="", headers=None, raw=False):
        """JSON in and out; `token=None` for none. Raises HttpError for a status of 400 and more."""
        token = self.token if token == "" else token
        head = dict(headers or {})
        if token:
            head.setdefault("Authorization", f"Bearer {token}")
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        if data is not None:
            head.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=head)
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        try:
            with urllib.request.urlopen(request, timeout=30, context=context) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            content = error.read()
            try:
                content = json.loads(content)
            except ValueError:
                content = content.decode(errors="replace")
            raise HttpError(error.code, content) from None
        if raw:
            return content
        try:
            return json.loads(content) if content else {}
        except ValueError:
            return content.decode()

    def get(self, path, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return self.call("GET", API + path + query)

    def post(self, path, body=None):
        return self.call("POST", API + path, body if body is not None else {})

    def delete(self, path):
        return self.call("DELETE", API + path)

    def query(self, text, **parameters):
        """The result of an instant query: [(labels, value)]."""
        answer = self.call("GET", "/api/v1/query?" + urllib.parse.urlencode({"query": text, **parameters}))
        result = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return float(result[1])
        return [(r["metric"], float(r["value"][1])) for r in result]

    def query_range(self, text, start, end, step):
        answer = self.call("GET", "/api/v1/query_range?" + urllib.parse.urlencode(
            {"query": text, "start": start, "end": end, "step": step}))
        return [(r["metric"], [(t, float(v)) for t, v in r["values"]]) for r in answer["data"]["result"]]

    def alerts(self, **parameters):
        return self.get("/alerts", state="all", **parameters)["alerts"]

    def alert(self, name):
        """The newest alert of this name, or None. Shipped rules may have alerts of their own."""
        return next((alert for alert in self.alerts() if alert["name"] == name), None)

    def cycle(self):
        """Returns once the control loop has run and everything queued before is in the database."""
        return self.call("GET", "/health/engine/cycle")


class Agent:
    """One run of `atalaya-agent`, enrolled at a server."""

    def __init__(self, data, server, name="node1", arguments=(), run_arguments=()):
        """`arguments` go to enrolment and run, `run_arguments` to run alone."""
        self.data = pathlib.Path(data)
        self.server = server
        self.name = name
        self.arguments = list(arguments)
        self.run_arguments = list(run_arguments)
        self.process = None
        self.log_path = pathlib.Path(tempfile.mkstemp(prefix="atalaya-agent-log-")[1])

    def __enter__(self):
        self.enroll()
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()
        self.log_path.unlink(missing_ok=True)

    def enroll(self, token=None, check=True):
        token = token or self.server.post("/enrolments")["token"]
        done = subprocess.run([binary("atalaya-agent"), "enroll", "--server", self.server.url, "--token", token,
                               "--data", str(self.data), "--name", self.name, *self.arguments],
                              capture_output=True, text=True, timeout=60)
        if check:
            assert done.returncode == 0, f"enroll: exit code {done.returncode}: {done.stderr}"
        return done

    def start(self):
        self.process = subprocess.Popen([binary("atalaya-agent"), "run", "--data", str(self.data), *self.arguments,
                                         *self.run_arguments],
                                        stderr=open(self.log_path, "ab"))
        return self

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        assert code == 0, f"agent: exit code {code} after SIGTERM; log:\n{self.log()[-4000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait(30)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
