"""A client of OCCI as curl would be, and the lines that tests write and read."""

import http.client
import json
import urllib.parse

INFRA = "http://schemas.ogf.org/occi/infrastructure#"
CORE = "http://schemas.ogf.org/occi/core#"
JSON = "application/occi+json"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.getheaders()
        self.text = response.read().decode()

    def header(self, name):
        return next((v for k, v in self.headers if k.lower() == name.lower()), None)

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def lines(self):
        return self.text.splitlines()

    def attribute(self, name):
        """Of a text/plain rendering."""
        return next((line.split("=", 1)[1] for line in self.lines if line.startswith(f"X-OCCI-Attribute: {name}=")),
                    None)


class Client:
    """As curl would ask: headers may repeat, nothing is added but the credential."""

    def __init__(self, server, token=None):
        self.server = server
        self.token = token or server.token

    def __call__(self, method, path, body=None, accept=None, content=None, headers=()):
        address = urllib.parse.urlsplit(self.server.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.putrequest(method, path)
            connection.putheader("Authorization", f"Bearer {self.token}")
            if accept:
                connection.putheader("Accept", accept)
            if content:
                connection.putheader("Content-Type", content)
            for name, value in headers:
                connection.putheader(name, value)
            data = json.dumps(body).encode() if isinstance(body, (dict, list)) else (body or "").encode()
            if data or method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def text(self, method, path, *lines, **more):
        return self(method, path, "\n".join(lines) + "\n", content="text/plain", **more)

    def json(self, method, path, body, **more):
        return self(method, path, body, content=JSON, accept=JSON, **more)


def kind(term, scheme=INFRA):
    return f'Category: {term}; scheme="{scheme}"; class="kind"'


def attribute(name, value):
    return f"X-OCCI-Attribute: {name}={json.dumps(value)}"


def id_of(answer):
    assert answer.status == 201, answer.text
    return answer.header("Location").rsplit("/", 1)[1]


def refused(answer, status, *words):
    assert answer.status == status, f"{answer.status}: {answer.text}"
    for word in words:
        assert word in answer.text, answer.text
