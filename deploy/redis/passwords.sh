#!/bin/sh
# Passwords for compose, made once: an environment for Redis and one for each service, which nobody else can read.
set -eu

secrets=$(dirname "$0")/../secrets
[ ! -d "$secrets" ] || exit 0

# No sign of it needs escaping, in a URL or elsewhere.
password() {
    od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
GENERATE=$(password) CONSUME=$(password) ADMIN=$(password)
# Whole or not at all.
new=$secrets.new
rm -rf "$new"
mkdir "$new"
# redis-cli inside the container is the administrator.
cat >"$new/redis.env" <<END
REDIS_GENERATE_PASSWORD=$GENERATE
REDIS_CONSUME_PASSWORD=$CONSUME
REDIS_ADMIN_PASSWORD=$ADMIN
REDISCLI_AUTH=$ADMIN
END
echo "REDIS_URL=redis://generate:$GENERATE@redis:6379/0" >"$new/generate.env"
echo "REDIS_URL=redis://consume:$CONSUME@redis:6379/0" >"$new/consume.env"
mv "$new" "$secrets"
