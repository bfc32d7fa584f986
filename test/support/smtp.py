"""A real SMTP server (aiosmtpd) that keeps what it was given."""

import ssl
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class MailSink:
    """STARTTLS is required when a certificate is given; AUTH is then required too."""

    def __init__(self, tls=None, user=None, password=None, port=0):
        self.mails = []
        self.arrived = threading.Condition()
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, tls))

        def authenticate(server, session, envelope, mechanism, data):
            good = (isinstance(data, LoginPassword) and data.login.decode() == user
                    and data.password.decode() == password)
            return AuthResult(success=good, handled=good, auth_data=data if good else None)

        self.controller = Controller(
            self, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=tls is not None,
            auth_required=user is not None, authenticator=authenticate if user else None)

    async def handle_DATA(self, server, session, envelope):
        with self.arrived:
            self.mails.append({"from": envelope.mail_from, "to": envelope.rcpt_tos, "content": envelope.content,
                               "tls": session.ssl is not None,
                               "user": session.auth_data.login.decode() if session.auth_data else None})
            self.arrived.notify_all()
        return "250 kept"

    def __enter__(self):
        if self.controller.port == 0:
            # The controller connects to itself once, so it wants to know its port beforehand.
            import socket
            with socket.create_server(("127.0.0.1", 0)) as reserved:
                self.controller.port = reserved.getsockname()[1]
        self.controller.start()
        self.port = self.controller.port
        return self

    def __exit__(self, *_):
        self.controller.stop()

    def wait_for(self, matching=lambda mail: True, timeout=30):
        """The mails that match, as soon as there is one."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: any(map(matching, self.mails)), timeout), \
                f"{len(self.mails)} mails arrived, none that matches"
            return [mail for mail in self.mails if matching(mail)]
