# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by ./dev: figures beside those of what one would use instead; see tests/bench/README.md.

run_bench() {
	need run postgresql bench
	need_node
	need_peer
	configure gcc-release -DCONVRO_TESTS=ON
	cmake --build "$release" --target core/all modules/all conformance convro-load >&2
	mkdir -p "$release/bench"
	"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -shared -fPIC -o "$release/bench/slow_flush.so" "$root/tests/bench/slow_flush.c"
	# Ten thousand sockets are ten thousand descriptors, in the server and in the generator.
	ulimit -n "$(ulimit -Hn)"
	exec node "$root/tests/bench/bench.js" --build "$release" "$@"
}
