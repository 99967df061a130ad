#!/bin/sh
# users.acl for a Redis of some version, with the passwords' hashes: `users.sh 7.0.15 >users.acl`.
set -eu

here=$(dirname "$0")
version=${1:?the version of the server is missing, such as 7.0.15}

# A password stands in $NAME, or in the file $NAME_FILE, as secrets are mounted. Redis is only told its hash.
hash_of() {
    eval "password=\${$1-} file=\${$1_FILE-}"
    [ -z "$file" ] || password=$(cat "$file")
    [ -z "$password" ] || printf %s "$password" | sha256sum | cut -d " " -f 1
}

needed() {
    hash=$(hash_of "$1")
    [ -n "$hash" ] || { echo "users.sh: $1 or $1_FILE must be set" >&2; exit 1; }
    echo "$hash"
}

GENERATE=$(needed REDIS_GENERATE_PASSWORD)
CONSUME=$(needed REDIS_CONSUME_PASSWORD)
# Whoever backs it up or looks into it. Without a password nobody may.
ADMIN=$(hash_of REDIS_ADMIN_PASSWORD)

# A server that does not know a command does not start on its name: Pub/Sub within a shard begins with Redis 7.
unknown=
[ "${version%%.*}" -ge 7 ] || unknown='s/ +spublish//; s/ +ssubscribe//; s/ +sunsubscribe//'

sed -e "/^user generate /s/\$/ #$GENERATE/" -e "/^user consume /s/\$/ #$CONSUME/" \
    ${ADMIN:+-e "s/^user default off\$/user default on ~* \&* +@all #$ADMIN/"} ${unknown:+-e "$unknown"} "$here/users.acl"
