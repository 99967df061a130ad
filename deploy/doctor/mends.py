"""The lines that mend a chain of proxies, for those that people have: nginx, Kubernetes' ingress-nginx, AWS …"""

from shared.findings import Mend

_NGINX = "nginx, location /api/consume-stream"
_INGRESS = "Ingress (ingress-nginx), annotation"

DOCTOR_ON = (Mend("environment of both services", "REJOIN_DOCTOR=on"),)
SPLIT_CONSUME = (Mend("nginx", "location /api/consume-stream { proxy_pass http://<consume-stream>:8002; }"),)
SPLIT_GENERATE = (Mend("nginx", "location /api/ { proxy_pass http://<generate-stream>:8001; }"),)
BUFFERING = (
    Mend(f"every {_NGINX}", "proxy_buffering off;"),
    # An nginx keeps the header that asks for it to itself: the one before it never hears.
    Mend("or at an nginx behind another one", "proxy_pass_header X-Accel-Buffering;"),
    Mend(_INGRESS, 'nginx.ingress.kubernetes.io/proxy-buffering: "off"'),
)
COMPRESSION = (Mend(_NGINX, "gzip off;"), Mend("nginx: take text/event-stream out of", "gzip_types"))
HTTP_1_1_UPSTREAM = (
    Mend(_NGINX, "proxy_http_version 1.1;"),
    Mend(_NGINX, 'proxy_set_header Connection "";'),
)
HTTP_2 = (
    Mend("nginx before 1.25.1", "listen 443 ssl http2;"),
    Mend("nginx from 1.25.1 on, beside listen 443 ssl;", "http2 on;"),
    Mend("AWS ALB", "aws elbv2 modify-load-balancer-attributes … --attributes Key=routing.http2.enabled,Value=true"),
)
TLS = (Mend("nginx", "listen 443 ssl http2;"), Mend("nginx", "ssl_certificate …; ssl_certificate_key …;"))


def idle(cut_off_s: float) -> tuple[Mend, ...]:
    """For a cut-off after so much silence: let it wait longer, or say something more often."""
    often = f"{max(0.5, cut_off_s / 2):.2g}"
    return (
        Mend(_NGINX, "proxy_read_timeout 1h;"),
        Mend(_INGRESS, 'nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"'),
        Mend(
            "AWS ALB",
            "aws elbv2 modify-load-balancer-attributes … --attributes Key=idle_timeout.timeout_seconds,Value=3600",
        ),
        Mend("where it can't be changed: environment of consume-stream", f"REJOIN_PING_S={often}"),
    )
