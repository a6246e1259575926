# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by ./dev: two servers for protocol suites, in the foreground; the second one, on the next
# port, has connection state recovery on.

conformance_server() {
	local build=$1 data=$2 port=$3 recovery=$4
	mkdir -p "$data"
	make_secret "$data/secret"
	exec "$build/bin/convrod" --config /dev/null \
		--set "server.listen=127.0.0.1:$port" \
		--set "server.modules=auth socketio $build/test-modules/conformance.so" \
		--set "server.module_dir=$build/modules" --set "server.driver_dir=$build/drivers" \
		--set storage.engine=sqlite --set "storage.path=$data/convro.db" \
		--set "auth.secret_file=$data/secret" --set socketio.path=/realtime \
		--set conformance.i_am_a_test=on --set "conformance.recovery=$recovery"
}

run_conformance() {
	local port=3000 preset=dev build=''
	while [ $# -gt 0 ]; do
		case "$1" in
		--port | --preset | --build)
			[ $# -ge 2 ] || die "$1 needs a value"
			set -- "$1=$2" "${@:3}"
			continue
			;;
		--port=*) port=${1#*=} ;;
		--preset=*) preset=${1#*=} ;;
		--build=*) build=$(realpath "${1#*=}") ;;
		*) die "unknown option '$1': see ./dev help" ;;
		esac
		shift
	done
	[[ $port =~ ^[0-9]+$ ]] || die "no port: '$port'"
	if [ -z "$build" ]; then
		build "$preset"
		build=$root/build/$preset
	fi

	conformance_data=$(mktemp -d)
	(conformance_server "$build" "$conformance_data/plain" "$port" off) &
	local plain=$!
	(conformance_server "$build" "$conformance_data/recovery" "$((port + 1))" on) &
	local recovery=$! status=0
	# shellcheck disable=SC2064 # the numbers are meant, not the variables
	trap "kill -TERM $plain $recovery 2>/dev/null || true" TERM INT
	# One without the other is no use; a trapped signal ends `wait` early.
	wait -n || status=$?
	kill -TERM "$plain" "$recovery" 2>/dev/null || true
	wait "$plain" || status=$?
	wait "$recovery" || status=$?
	rm -rf "$conformance_data"
	exit "$status"
}
