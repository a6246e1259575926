# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by ./dev: the release build and the server in the foreground.

release=$root/build/gcc-release

# Only what the server is made of, so that running it needs no test library.
build_server() {
	[ -f "$release/build.ninja" ] || configure gcc-release -DCONVRO_TESTS=OFF
	cmake --build "$release" --target core/all modules/all >&2
}

# What stands in a command line is read by everybody on the machine.
refuse_secret() {
	local name=${1%%=*} value=${1#*=}
	if [[ $name =~ (^|[._])(secret|password|passphrase|private_key|token)$ ]]; then
		die "--set $name would show a secret to everybody who can list processes: put it into a file (auth.secret_file)"
	fi
	refuse_password "$value"
}

refuse_password() {
	if [[ $1 =~ ^postgres(ql)?://[^/@]*:[^/@]*@ || $1 =~ [?\&[:space:]](password|sslpassword)= || $1 =~ ^password= ]]; then
		die "a password in the URL would be seen by everybody who can list processes: use a service file, PGPASSFILE or the environment"
	fi
}

uri_escape() {
	local text=$1 out='' i char
	for ((i = 0; i < ${#text}; i++)); do
		char=${text:i:1}
		if [[ $char == [A-Za-z0-9/._~-] ]]; then out+=$char; else out+=$(printf '%%%02X' "'$char"); fi
	done
	echo "$out"
}

make_secret() {
	local file=$1
	[ -s "$file" ] && return
	# Whole or not at all, and never readable by others, not even for a moment.
	(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$file.new" && echo >>"$file.new" && mv "$file.new" "$file")
}

run_server() {
	local port=8080 data=$root/var postgresql='' url='' args=()
	while [ $# -gt 0 ]; do
		case "$1" in
		--port | --data | --workers | --set)
			[ $# -ge 2 ] || die "$1 needs a value"
			set -- "$1=$2" "${@:3}"
			continue
			;;
		--port=*) port=${1#*=} ;;
		--data=*) data=$(realpath -m "${1#*=}") ;;
		--workers=*) args+=(--set "server.workers=${1#*=}") ;;
		--set=*)
			refuse_secret "${1#*=}"
			args+=(--set "${1#*=}")
			;;
		--postgresql) postgresql=private ;;
		--postgresql=*)
			postgresql=given
			url=${1#*=}
			refuse_password "$url"
			;;
		*) die "unknown option '$1': see ./dev help" ;;
		esac
		shift
	done
	[[ $port =~ ^[0-9]+$ ]] || die "no port: '$port'"

	local groups=(run)
	[ "$postgresql" != private ] || groups+=(postgresql)
	need "${groups[@]}"
	build_server
	mkdir -p "$data"
	make_secret "$data/secret"

	local server=("$release/bin/convrod" --config "$root/conf/convro.conf"
		--set "server.listen=127.0.0.1:$port"
		--set "server.module_dir=$release/modules" --set "server.driver_dir=$release/drivers"
		--set "auth.secret_file=$data/secret")
	case "$postgresql" in
	'') exec "${server[@]}" --set storage.engine=sqlite --set "storage.path=$data/convro.db" "${args[@]}" ;;
	given) exec "${server[@]}" --set storage.engine=postgresql --set "storage.url=$url" "${args[@]}" ;;
	private) run_on_private_cluster "$data" "${server[@]}" --set storage.engine=postgresql "${args[@]}" ;;
	esac
}

# The cluster lives and dies with the server: it starts first and stops last.
run_on_private_cluster() {
	local data=$1 script=$root/packaging/dev/postgresql.sh place cluster child status=0
	shift
	exec 9>"$data/postgresql.lock"
	flock -n 9 || die "another ./dev run uses the cluster of $data"
	place=$(bash "$script" place "$data/postgresql")
	[ "$place" = "$data/postgresql" ] || say "the postgres user cannot reach $data, so the cluster lives in $place"
	bash "$script" halt "$place"

	# A session of its own, or Ctrl-C would stop the cluster before the server has written its last words.
	setsid bash "$script" serve "$place" 9>&- &
	cluster=$!
	# shellcheck disable=SC2064 # the number is meant, not the variable
	trap "kill -INT $cluster 2>/dev/null || true; wait $cluster || true" EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	bash "$script" ready "$place" convro

	"$@" --set "storage.url=postgresql:///convro?host=$(uri_escape "$place/socket")&user=convro" 9>&- &
	child=$!
	# shellcheck disable=SC2064
	trap "kill -TERM $child 2>/dev/null || true" TERM INT
	# A trapped signal ends `wait` early; the server is waited for until it has really ended.
	while kill -0 "$child" 2>/dev/null; do
		status=0
		wait "$child" || status=$?
	done
	exit "$status"
}
