#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A private PostgreSQL 15 cluster: no TCP, one socket directory that only its owner (and root) can enter.
# Used by ./dev and by the kit of the end-to-end tests.
#
#   postgresql.sh place DIR                 print where the cluster meant for DIR can live, and make it
#   postgresql.sh serve PLACE [throwaway] [NAME=VALUE]...
#                                           make the cluster if need be, then become the postgres process
#   postgresql.sh ready PLACE [DATABASE]    wait for it; make the role convro and the database
#   postgresql.sh halt PLACE                stop a cluster that an earlier run left behind
#
# The socket directory is PLACE/socket. SIGINT to the serving process stops it.
set -euo pipefail

bin=/usr/lib/postgresql/15/bin

fail() {
	echo "postgresql.sh: $*" >&2
	exit 1
}

# initdb and postgres refuse root, so root hands over to the package's own user.
as_owner() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
	else
		"$@"
	fi
}

owner() {
	if [ "$(id -u)" -eq 0 ]; then id -u postgres; else id -u; fi
}

# Makes the directory, or takes it when it is the owner's; a link or a stranger's directory is refused,
# which matters under /var/tmp, where anybody could have put one.
claim() {
	mkdir -p "$(dirname "$1")"
	if mkdir -m 0700 "$1" 2>/dev/null && [ "$(id -u)" -eq 0 ]; then
		chown postgres:postgres "$1"
	fi
	[ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %u "$1")" = "$(owner)" ]
}

# DIR itself, unless the postgres user cannot get there (a clone under root's home) or the socket's
# path would pass the 107 bytes that the kernel allows.
place() {
	local dir fallback
	dir=$(realpath -m "$1")
	if [ $((${#dir} + 22)) -le 107 ] && claim "$dir" && as_owner test -w "$dir" -a -x "$dir"; then
		echo "$dir"
		return
	fi
	fallback=/var/tmp/convro-postgresql-$(printf '%s' "$dir" | sha256sum | cut -c1-16)
	rmdir "$dir" 2>/dev/null || true
	claim "$fallback" || fail "$fallback belongs to somebody else: remove it, or give --data another directory"
	echo "$fallback"
}

make_cluster() {
	local data=$1/data
	[ -e "$data/PG_VERSION" ] && return
	# Into a new directory first: an interrupted initdb must not look like a cluster.
	as_owner rm -rf "$data.new"
	as_owner "$bin/initdb" --pgdata "$data.new" --username postgres --encoding UTF8 --locale C.UTF-8 \
		--auth-local trust --auth-host reject --data-checksums --no-instructions >/dev/null
	as_owner mv "$data.new" "$data"
}

serve() {
	local place=$1 setting settings=()
	shift
	for setting in "$@"; do
		# Tests do not cut the power; what they keep for a minute need not reach the disk.
		[ "$setting" != throwaway ] || setting=fsync=off
		settings+=(-c "$setting")
	done
	cd /
	make_cluster "$place"
	as_owner mkdir -p -m 0700 "$place/socket"
	local run=("$bin/postgres" -D "$place/data" -c listen_addresses= -c "unix_socket_directories=$place/socket"
		-c unix_socket_permissions=0700 -c max_connections=200 "${settings[@]}")
	# The owner opens the log, not root: the directory is not root's to trust.
	# shellcheck disable=SC2016
	run=(bash -c 'exec "$@" >>"$0" 2>&1' "$place/postgresql.log" "${run[@]}")
	if [ "$(id -u)" -eq 0 ]; then
		exec setpriv --reuid=postgres --regid=postgres --init-groups -- "${run[@]}"
	fi
	exec "${run[@]}"
}

sql() {
	psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$1" -U postgres -d postgres -c "$2"
}

ready() {
	local sockets=$1/socket database=${2:-} tries=0
	until "$bin/pg_isready" -q -h "$sockets" -d postgres -U postgres; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "the cluster did not start in 30 s: see $1/postgresql.log"
		sleep 0.1
	done
	if [ -z "$(sql "$sockets" "SELECT 1 FROM pg_roles WHERE rolname = 'convro'")" ]; then
		sql "$sockets" "CREATE ROLE convro LOGIN"
	fi
	if [ -n "$database" ] && [ -z "$(sql "$sockets" "SELECT 1 FROM pg_database WHERE datname = '$database'")" ]; then
		sql "$sockets" "CREATE DATABASE $database OWNER convro"
	fi
}

halt() {
	cd /
	if as_owner "$bin/pg_ctl" status -D "$1/data" >/dev/null 2>&1; then
		as_owner "$bin/pg_ctl" stop -D "$1/data" -m fast -w >/dev/null
	fi
}

case "${1:-}" in
place | serve | ready | halt)
	[ $# -ge 2 ] || fail "$1 needs a directory"
	[ -x "$bin/postgres" ] || fail "$bin/postgres is missing: install the package postgresql-15"
	"$@"
	;;
*) fail "unknown command '${1:-}': place, serve, ready or halt" ;;
esac
