#!/bin/sh
# nginx from its template and the environment. `start.sh render` only writes the files, for a reload.
set -eu

here=$(dirname "$0")
# Where the services are: one name, whose addresses are looked up again and again, or several servers.
: "${REJOIN_GENERATE:=generate:8001}" "${REJOIN_CONSUME:=consume:8002}"
# The address and ports to listen on. REJOIN_TLS=off: all in clear on the HTTP port, behind something that has the TLS.
: "${REJOIN_HOST:=0.0.0.0}" "${REJOIN_HTTP_PORT:=8080}" "${REJOIN_HTTPS_PORT:=8443}" "${REJOIN_TLS:=on}"
# The port that browsers know for REJOIN_HTTPS_PORT, and the name that a self-signed certificate is made for.
: "${REJOIN_PUBLIC_HTTPS_PORT:=$REJOIN_HTTPS_PORT}" "${REJOIN_NAME:=localhost}"
# Addresses and networks of what stands before it, with commas between: their X-Forwarded-For says who the client is.
: "${REJOIN_TRUSTED_PROXIES:=}"
# What browsers remember of the TLS (HSTS); empty: nothing. Nothing either where the certificate is nobody's but its own.
: "${REJOIN_HSTS=max-age=31536000}"
# Files: the page, tls.crt and tls.key, and what is written at run time.
: "${REJOIN_PAGE:=/usr/share/rejoin}" "${REJOIN_TLS_DIR:=/tls}" "${REJOIN_RUN_DIR:=/run/rejoin}"
: "${REJOIN_ACCESS_LOG:=/dev/stdout}" "${MIME_TYPES:=/etc/nginx/mime.types}"

# Fill in ${CAPITALS} from the environment. A line stays as it is where nothing is to be filled in.
fill() {
    awk '{
        rest = $0; out = ""
        while (match(rest, /\$\{[A-Z_]+\}/)) {
            out = out substr(rest, 1, RSTART - 1) ENVIRON[substr(rest, RSTART + 2, RLENGTH - 3)]
            rest = substr(rest, RSTART + RLENGTH)
        }
        print out rest
    }' "$1"
}

# What a request of a service goes to: a name as it stands, or the group of its servers.
place() {
    case $2 in
        *" "* | *[0-9].[0-9]*:* | \[* | localhost:*) echo "$1" ;;
        *) echo "$2" ;;
    esac
}

# A server that failed is asked again at once (max_fails=0), and passed over again if need be: nginx forgives a failure
# only when a later request has ended, and streams do not end for hours. Meanwhile it would let in one a second.
# Of two drawn at random the one with fewer streams: so not everybody meets a dead one first.
group() {
    [ "$(place "$1" "$2")" = "$1" ] || return 0
    echo "upstream $1 { zone $1 256k; random two least_conn;"
    for server in $2; do echo "server $server max_fails=0;"; done
    echo "}"
}

resolver() {
    awk '$1 == "nameserver" { print "resolver " ($2 ~ /:/ ? "[" $2 "]" : $2) " valid=2s;"; exit }' /etc/resolv.conf
}

trusted() {
    for proxy in $(echo "$1" | tr , ' '); do echo "set_real_ip_from $proxy;"; done
}

render() {
    mkdir -p "$REJOIN_RUN_DIR"
    GENERATE=$(place generate_stream "$REJOIN_GENERATE")
    CONSUME=$(place consume_stream "$REJOIN_CONSUME")
    UPSTREAMS=$(group generate_stream "$REJOIN_GENERATE"; group consume_stream "$REJOIN_CONSUME")
    RESOLVER=$(resolver)
    TRUSTED=$(trusted "$REJOIN_TRUSTED_PROXIES")
    OPEN_FILES=$(ulimit -n)
    [ "$OPEN_FILES" != unlimited ] && [ "$OPEN_FILES" -lt 16384 ] || OPEN_FILES=16384
    # As root, nginx would hand over to a user who can't read what root has made private.
    USER=
    [ "$(id -u)" != 0 ] || USER="user $(id -un) $(id -gn);"
    HTTPS_SUFFIX=
    [ "$REJOIN_PUBLIC_HTTPS_PORT" = 443 ] || HTTPS_SUFFIX=":$REJOIN_PUBLIC_HTTPS_PORT"
    export REJOIN_HOST REJOIN_HTTP_PORT REJOIN_PAGE REJOIN_TLS_DIR REJOIN_RUN_DIR REJOIN_ACCESS_LOG MIME_TYPES
    export GENERATE CONSUME UPSTREAMS RESOLVER TRUSTED OPEN_FILES USER HTTPS_SUFFIX
    HSTS=
    if [ "$REJOIN_TLS" = off ]; then
        LISTEN="listen $REJOIN_HOST:$REJOIN_HTTP_PORT;"
        REDIRECT=
    else
        certificate
        LISTEN="listen $REJOIN_HOST:$REJOIN_HTTPS_PORT ssl http2;
            ssl_certificate $REJOIN_TLS_DIR/tls.crt; ssl_certificate_key $REJOIN_TLS_DIR/tls.key;"
        REDIRECT=$(fill "$here/https-only.conf")
        [ -z "$REJOIN_HSTS" ] || self_signed || HSTS="add_header Strict-Transport-Security \"$REJOIN_HSTS\" always;"
    fi
    export LISTEN REDIRECT HSTS
    cp "$here/page-headers.conf" "$here/answer-headers.conf" "$REJOIN_RUN_DIR/"
    fill "$here/nginx.conf.template" >"$REJOIN_RUN_DIR/nginx.conf"
}

self_signed() {
    crt=$REJOIN_TLS_DIR/tls.crt
    [ "$(openssl x509 -noout -subject_hash -in "$crt")" = "$(openssl x509 -noout -issuer_hash -in "$crt")" ]
}

# Yours, if it lies there; else one that is made once and that no browser trusts by itself.
certificate() {
    [ ! -s "$REJOIN_TLS_DIR/tls.crt" ] || return 0
    mkdir -p "$REJOIN_TLS_DIR"
    # Its own directory is the last to be trusted with a half-written pair: the certificate comes last.
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 825 -subj "/CN=$REJOIN_NAME" \
        -addext "subjectAltName=DNS:$REJOIN_NAME,DNS:localhost,IP:127.0.0.1" -addext "basicConstraints=CA:FALSE" \
        -keyout "$REJOIN_TLS_DIR/tls.key" -out "$REJOIN_TLS_DIR/tls.new" 2>/dev/null
    mv "$REJOIN_TLS_DIR/tls.new" "$REJOIN_TLS_DIR/tls.crt"
    echo "start.sh: a self-signed certificate for $REJOIN_NAME was made" >&2
}

# Connections are files.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || :
render
[ "${1:-}" = render ] || exec nginx -e stderr -c "$REJOIN_RUN_DIR/nginx.conf"
