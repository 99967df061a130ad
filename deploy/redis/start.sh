#!/bin/sh
# Redis with the two services as its users, whose passwords come from the environment: arguments are redis-server's.
set -eu

here=$(dirname "$0")
: "${REJOIN_RUN_DIR:=/run/rejoin}" "${REDIS_SERVER:=redis-server}"
version=$("$REDIS_SERVER" --version | sed 's/.* v=\([0-9.]*\).*/\1/')

mkdir -p "$REJOIN_RUN_DIR"
umask 077
sh "$here/users.sh" "$version" >"$REJOIN_RUN_DIR/users.acl"
# Its environment can be read at any time: the passwords have no business there any more.
unset REDIS_GENERATE_PASSWORD REDIS_CONSUME_PASSWORD REDIS_ADMIN_PASSWORD REDISCLI_AUTH
exec "$REDIS_SERVER" "$@" --aclfile "$REJOIN_RUN_DIR/users.acl"
