"""ALPN: the protocol that a browser and this address would agree on."""

import socket
import ssl

_CONNECT_S = 8.0


def agreed(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """`h2` or `http/1.1`; empty where the server does not say, None where TLS can't be had at all."""
    offering = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    offering.check_hostname = context.check_hostname
    offering.verify_mode = context.verify_mode
    offering.load_default_certs()
    offering.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with (
            socket.create_connection((host, port), _CONNECT_S) as plain,
            offering.wrap_socket(plain, server_hostname=host) as secure,
        ):
            return secure.selected_alpn_protocol() or ""
    except OSError:  # ssl's errors are among them; the requests tell of it
        return None
