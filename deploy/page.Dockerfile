# The page, and nginx as the one origin: docker build -f deploy/page.Dockerfile .
ARG NODE=node:22-slim
ARG NGINX=nginx:1.28-alpine

FROM ${NODE} AS page
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci --no-audit --no-fund --loglevel=error
COPY web ./
RUN npm run --silent build

FROM ${NGINX}
# For the certificate that it makes for itself where it is given none.
RUN command -v openssl >/dev/null || apk add --no-cache openssl
COPY deploy/nginx /etc/rejoin
COPY --from=page /web/dist /usr/share/rejoin
# What is mounted here takes its owner from here.
RUN mkdir -p /tls /run/rejoin && chown 10001:10001 /tls /run/rejoin
USER 10001:10001
EXPOSE 8080 8443
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=3 \
    CMD wget -q -O /dev/null "http://127.0.0.1:${REJOIN_HTTP_PORT:-8080}/healthz"
# At once: while this one waits for its streams, there is no other to come back to.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/etc/rejoin/start.sh"]
CMD []
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="rejoin-page" \
    org.opencontainers.image.description="Rejoin's page, and nginx in front of both services" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
