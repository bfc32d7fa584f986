"""Mail through a real SMTP server: STARTTLS, authentication, headers, and what happens when it is away."""

import email
import email.policy
import socket


from atalaya import Server, make_certificate, until
from smtp import MailSink

RULES = "rules:\n  a:\n    always:\n      title: It is always so\n      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n"


def package(port, folder, **settings):
    (folder / "password").write_text("correct horse\n")
    fields = {"smtp": f"'smtp://127.0.0.1:{port}'", "from": "atalaya@example.org", "to": "[ana@example.org, bo@example.org]",
              "user": "atalaya", "password_file": str(folder / "password"), "starttls": "required",
              "ca_file": str(folder / "tls/cert.pem"), **settings}
    channel = ", ".join(f"{name}: {value}" for name, value in fields.items())
    return f"package: test\nversion: 1.0.0\n{RULES}channels:\n  ops:\n    mail: {{email: {{{channel}}}}}\n"


def test_mail_arrives_encrypted_and_authenticated(data, tmp_path):
    tls = make_certificate(tmp_path / "tls")
    with MailSink(tls=tls, user="atalaya", password="correct horse") as sink:
        with Server(data, command="up", packages={"test": package(sink.port, tmp_path)}):
            mail = sink.wait_for(lambda mail: b"always" in mail["content"])[0]
            assert mail["tls"] and mail["user"] == "atalaya"
            assert mail["to"] == ["ana@example.org", "bo@example.org"]
            message = email.message_from_bytes(mail["content"], policy=email.policy.default)
            assert "always" in message["Subject"]
            assert message["Auto-Submitted"] == "auto-generated"
            assert message["Message-ID"]
            assert "always" in message.get_content()


def test_a_wrong_password_is_visible_and_never_shown(data, tmp_path):
    tls = make_certificate(tmp_path / "tls")
    with MailSink(tls=tls, user="atalaya", password="another") as sink:
        with Server(data, command="up", packages={"test": package(sink.port, tmp_path)}) as server:
            def tried():
                mails = [n for n in server.get("/notifications")["notifications"] if n["type"] == "email"]
                return mails and mails[0]["attempts"] and mails[0]
            delivery = until(tried, what="an attempt")
            assert not delivery["attempts"][0]["ok"]
            assert "535" in str(delivery) or "auth" in str(delivery).lower() or "login" in str(delivery).lower()
            assert "correct horse" not in str(delivery) + server.log()
            assert "correct horse" not in str(server.get("/channels"))


def test_a_mail_server_that_is_away_is_retried_until_it_is_back(data, tmp_path, webhook):
    tls = make_certificate(tmp_path / "tls")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    text = package(port, tmp_path) + f"    hook: {{webhook: {{url: '{webhook.url}'}}}}\n"
    with Server(data, command="up", packages={"test": text}) as server:
        webhook.wait_for()
        until(lambda: [n for n in server.get("/notifications")["notifications"]
                       if n["type"] == "email" and n["state"] == "retrying"], what="the first failure")
        with MailSink(tls=tls, user="atalaya", password="correct horse", port=port) as sink:
            sink.wait_for(timeout=60)
            until(lambda: [n for n in server.get("/notifications")["notifications"]
                           if n["type"] == "email" and n["state"] == "sent"], what="sent")
