#!/bin/sh
# Tells all proxies that a key is revoked, or has changed in any other way: its scopes, its expiry, its owner. Say it after
# your own database has it. The key, or its SHA-256 in hex, is the first line of stdin: arguments are for everybody to see.
#
#   tell-proxies.sh revoked <key.txt
#   echo "$DIGEST" | tell-proxies.sh changed
#
# REDIS_URL, NAMESPACE (resolution.redis.namespace), BOUND (resolution.staleness_bound in seconds, at least), KIND (key, or
# session) say where.
set -eu
case "${1:-}" in
  revoked | changed) state=$1 ;;
  *) echo "usage: tell-proxies.sh revoked|changed <key" >&2; exit 2 ;;
esac
IFS= read -r credential || [ -n "$credential" ] || { echo "tell-proxies.sh: there is no key on stdin" >&2; exit 2; }
digest=$credential
if ! printf %s "$credential" | grep -Eqx '[0-9a-f]{64}'; then
  digest=$(printf %s "$credential" | sha256sum | cut -d ' ' -f 1)
fi

redis() { redis-cli -u "${REDIS_URL:-redis://127.0.0.1:6379/0}" --no-auth-warning "$@"; }
name="${NAMESPACE:-}keygate:v1:${KIND:-key}:$digest"
tombstone="{\"v\":1,\"digest\":\"$digest\",\"state\":\"$state\"}"

# The tombstone first: whoever hears the message looks here. It keeps what is on its way from standing here again.
reply=$(redis SET "$name" "$tombstone" EX "${BOUND:-60}")
[ "$reply" = OK ] || { echo "tell-proxies.sh: Redis says: ${reply:-nothing}; say it again" >&2; exit 1; }
hearers=$(redis PUBLISH "${NAMESPACE:-}keygate:v1:invalidate" "$digest")
case "$hearers" in
  '' | *[!0-9]*) echo "tell-proxies.sh: Redis says: ${hearers:-nothing}; say it again" >&2; exit 1 ;;
esac
echo "$state: $hearers workers heard of it"
