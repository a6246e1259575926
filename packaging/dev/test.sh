# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by ./dev: all tests, step by step, with a summary at the end.

tests_log=$root/build/test-logs
sanitizer_engines=(sqlite)

run_tests() {
	local only=() engines=(sqlite postgresql) keep_going='' files=()
	while [ $# -gt 0 ]; do
		case "$1" in
		--only | --engine)
			[ $# -ge 2 ] || die "$1 needs a value"
			set -- "$1=$2" "${@:3}"
			continue
			;;
		--only=*) only+=("${1#*=}") ;;
		--engine=*) engines=("${1#*=}") ;;
		--keep-going) keep_going=yes ;;
		-*) die "unknown option '$1': see ./dev help" ;;
		*)
			[ -f "$1" ] || die "no such test file: $1"
			files+=("$(realpath "$1")")
			;;
		esac
		shift
	done
	[[ ${engines[*]} =~ ^(sqlite|postgresql|sqlite postgresql)$ ]] || die "no such engine: ${engines[*]}"
	local steps=(style unit e2e asan tsan fuzz) name
	for name in "${only[@]}"; do
		[[ " ${steps[*]} " == *" $name "* ]] || die "no such step: $name (there are ${steps[*]})"
	done

	need run postgresql test
	need_node
	need_peer
	rm -rf "$tests_log"
	mkdir -p "$tests_log"
	cd "$root"
	summary=() any_failed=0
	if [ ${#files[@]} -gt 0 ]; then
		test_files "${files[@]}"
	else
		[ ${#only[@]} -gt 0 ] || only=("${steps[@]}")
		for name in "${steps[@]}"; do
			[[ " ${only[*]} " != *" $name "* ]] || "steps_$name"
		done
	fi
	finish
}

# step NAME COMMAND...: announced, timed, logged. The first failure ends the run unless --keep-going.
step() {
	local name=$1 begin=$SECONDS status
	shift
	echo
	echo "== $name"
	set +e
	(
		set -e
		"$@"
	) 2>&1 | tee "$tests_log/$name.log"
	status=${PIPESTATUS[0]}
	set -e
	local outcome=ok
	[ "$status" -eq 0 ] || outcome=FAILED any_failed=1
	summary+=("$(printf '%-22s %-6s %4d s' "$name" "$outcome" $((SECONDS - begin)))")
	if [ "$status" -ne 0 ] && [ -z "$keep_going" ]; then
		finish
	fi
}

# The runners' closing lines again, together; the last line is the sum of them.
finish() {
	local line log passed=0 failed=0 all bad
	echo
	echo "== summary"
	for log in "$tests_log"/*.log; do
		[ -e "$log" ] || continue
		while read -r line; do
			printf '%-22s %s\n' "$(basename "$log" .log)" "$line"
			if [[ $line =~ ([0-9]+)\ tests\ failed\ out\ of\ ([0-9]+) ]]; then
				bad=${BASH_REMATCH[1]} all=${BASH_REMATCH[2]}
				failed=$((failed + bad)) passed=$((passed + all - bad))
			elif [[ $line =~ pass\ ([0-9]+) ]]; then
				passed=$((passed + BASH_REMATCH[1]))
			elif [[ $line =~ (fail|cancelled)\ ([0-9]+) ]]; then
				failed=$((failed + BASH_REMATCH[2]))
			fi
		done < <(grep -E '^[0-9]+% tests passed|^(#|ℹ) (tests|pass|fail|cancelled|skipped) [0-9]+' "$log" |
			grep -vE '(cancelled|skipped) 0$')
	done
	echo
	printf '%s\n' "${summary[@]}"
	echo "$((SECONDS / 60)) min $((SECONDS % 60)) s"
	if [ "$any_failed" -ne 0 ]; then
		echo "some steps failed; their output is in $tests_log"
	elif [ "$passed" -eq 0 ] && [[ ${#only[@]} -gt 1 ]]; then
		echo "no test ran at all"
		any_failed=1
	fi
	echo "total: $passed passed, $failed failed"
	exit "$any_failed"
}

steps_style() {
	step style packaging/dev/check-style.sh
}

# The test with a database takes a minute; what clang makes of the driver meets it under ThreadSanitizer.
steps_unit() {
	local preset
	for preset in dev gcc-release; do
		step "build-$preset" build "$preset"
		step "unit-$preset" unit_tests "$preset"
	done
	step build-clang-release build clang-release
	step unit-clang-release unit_tests clang-release -E '^test_db_postgresql$'
}

# The page in a browser and the bench's peer are the same whatever the store and the build: once is enough.
e2e_again() {
	find tests/e2e -maxdepth 1 -name '*.test.js' ! -name page.test.js ! -name bench.test.js | sort
}

steps_e2e() {
	local engine files=(tests/e2e/*.test.js)
	step build-e2e build gcc-release
	for engine in "${engines[@]}"; do
		step "e2e-$engine" e2e gcc-release "$engine" "${files[@]}"
		mapfile -t files < <(e2e_again)
	done
}

# The sanitizers' servers are slow, so ./dev test runs them on one engine and ./dev soak on both.
steps_asan() {
	local engine files
	mapfile -t files < <(e2e_again)
	step build-asan build dev
	for engine in "${sanitizer_engines[@]}"; do
		step "e2e-asan-$engine" e2e dev "$engine" "${files[@]}"
	done
}

steps_tsan() {
	local engine files
	mapfile -t files < <(e2e_again)
	step build-tsan build tsan
	step unit-tsan without_aslr unit_tests tsan
	for engine in "${sanitizer_engines[@]}"; do
		step "e2e-tsan-$engine" without_aslr e2e tsan "$engine" "${files[@]}"
	done
}

run_soak() {
	sanitizer_engines=(sqlite postgresql)
	run_tests --only asan --only tsan --keep-going "$@"
}

steps_fuzz() {
	step build-fuzz build fuzz fuzz_targets
	step fuzz fuzz_briefly 10
}

# Files by hand: unit tests in the sanitizer build, the others in the build that ships.
test_files() {
	local file engine e2e_files=() unit=()
	for file in "$@"; do
		case "$file" in
		*.test.js) e2e_files+=("$file") ;;
		*/test_*.c) unit+=("$(basename "$file" .c)") ;;
		*) die "neither *.test.js nor test_*.c: $file" ;;
		esac
	done
	if [ ${#unit[@]} -gt 0 ]; then
		step build-dev build dev
		step unit-dev unit_tests dev -R "^($(IFS='|' && echo "${unit[*]}"))\$"
	fi
	if [ ${#e2e_files[@]} -gt 0 ]; then
		step build-gcc-release build gcc-release
		for engine in "${engines[@]}"; do
			step "e2e-$engine" e2e gcc-release "$engine" "${e2e_files[@]}"
		done
	fi
}

unit_tests() {
	local preset=$1
	shift
	export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	export TSAN_OPTIONS=second_deadlock_stack=1:suppressions=$root/tests/tsan.supp
	ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --timeout 120 -j "$(nproc)" "$@"
}

# e2e PRESET ENGINE FILE...: node's test runner against the binary of that build.
e2e() {
	local preset=$1 engine=$2 options=(--test --test-reporter=spec)
	shift 2
	[ -e "$1" ] || { echo "no end-to-end tests found" && return 1; }
	# Before 18.19 the number of files run at once cannot be chosen.
	if node --test-concurrency=2 --version >/dev/null 2>&1; then
		options+=("--test-concurrency=$(nproc)")
	fi
	export CONVRO_BUILD=build/$preset CONVRO_ENGINE=$engine
	if [ "$engine" = postgresql ]; then
		start_test_cluster
	fi
	# A test that hangs must not hang the run.
	timeout --kill-after=30 1500 node "${options[@]}" "$@"
}

# One throwaway cluster for all test files; ends with the step, which is a shell of its own.
start_test_cluster() {
	local script=$root/packaging/dev/postgresql.sh dir place pid
	dir=$(mktemp -d "${TMPDIR:-/tmp}/convro-pg-XXXXXXXX")
	chmod 711 "$dir" # the postgres user passes through when this is run by root
	place=$(bash "$script" place "$dir/pg")
	setsid bash "$script" serve "$place" throwaway >/dev/null &
	pid=$!
	# shellcheck disable=SC2064 # these values, now
	trap "kill -QUIT $pid || true; wait $pid || true; rm -rf '$place' '$dir'" EXIT
	bash "$script" ready "$place"
	export CONVRO_TEST_POSTGRESQL=$place/socket
}

# ThreadSanitizer cannot map its shadow when the kernel moves the program about too freely.
without_aslr() {
	if setarch -R true 2>/dev/null; then
		export -f unit_tests e2e start_test_cluster
		export root
		setarch -R bash -euo pipefail -c '"$@"' bash "$@"
	else
		"$@"
	fi
}

# Each target for a few seconds, from its corpus; what it finds lands in build/fuzz/found.
fuzz_briefly() {
	local seconds=$1 targets=()
	mapfile -t targets < <(find build/fuzz/tests -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x | sort)
	[ ${#targets[@]} -gt 0 ] || { echo "no fuzz targets" && return 1; }
	mkdir -p build/fuzz/found
	export -f fuzz_one
	printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz_one "$@"' bash "$seconds"
}

fuzz_one() {
	local seconds=$1 target=$2 name seeds
	name=$(basename "$target")
	seeds=tests/fuzz/corpus/${name#fuzz_}
	mkdir -p "build/fuzz/corpus/$name"
	local dirs=("build/fuzz/corpus/$name")
	[ ! -d "$seeds" ] || dirs+=("$seeds")
	if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="build/fuzz/found/$name-" \
		"${dirs[@]}" >"build/fuzz/$name.log" 2>&1; then
		echo "$name: $(grep -E '^(Done|DONE)|#[0-9]+.*DONE' "build/fuzz/$name.log" | tail -1)"
	else
		echo "$name: FAILED"
		tail -60 "build/fuzz/$name.log"
		return 1
	fi
}
