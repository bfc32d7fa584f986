#!/usr/bin/python3
"""A mail server for tests: takes everything, prints each message as one line of JSON.

    smtp_sink.py CERT KEY

Listens on three ports of the system's choice and prints them first: `plain` (no TLS, no login),
`starttls` (refuses mail without STARTTLS and the login of ana / s3cret-p4ss), `smtps` (TLS from the
first byte, same login). Recipients at refused.example are answered 550, at later.example 451.
Ends with its standard input.
"""
import asyncio
import json
import logging
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith('@refused.example'):
            return '550 5.1.1 no such user'
        if address.endswith('@later.example'):
            return '451 4.7.1 greylisted, try again'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            'from': envelope.mail_from,
            'to': envelope.rcpt_tos,
            'tls': session.ssl is not None or server.transport.get_extra_info('sslcontext') is not None,
            'login': bool(session.authenticated),
            'text': envelope.content.decode('utf-8', 'replace'),
        }), flush=True)
        return '250 2.0.0 Ok: queued as 4F2'


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data.login == b'ana' and data.password == b's3cret-p4ss'
    return AuthResult(success=known, handled=False)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    loop = asyncio.get_running_loop()

    async def listen(factory, **options):
        server = await loop.create_server(factory, '127.0.0.1', 0, **options)
        return server.sockets[0].getsockname()[1]

    login = dict(authenticator=authenticate, auth_required=True)
    ports = {
        'plain': await listen(lambda: SMTP(Sink(), hostname='sink')),
        'starttls': await listen(
            lambda: SMTP(Sink(), hostname='sink', tls_context=context, require_starttls=True, **login)),
        'smtps': await listen(
            lambda: SMTP(Sink(), hostname='sink', auth_require_tls=False, **login), ssl=context),
    }
    print(json.dumps(ports), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


logging.disable()  # refused handshakes are what some tests are about
warnings.simplefilter('ignore')
asyncio.run(main())
