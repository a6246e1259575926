#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# conf/convro.conf and the options in packaging/man/convro.conf.5 are what convrod prints.
# reference.sh CONVROD MODULE_DIR          writes both
# reference.sh --check CONVROD MODULE_DIR  ends with 1 when one differs
set -eu
check=no
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
if [ $# -lt 2 ]; then
	echo "usage: $0 [--check] CONVROD MODULE_DIR" >&2
	exit 2
fi
convrod=$1
modules=$2
root=$(dirname "$0")/../..
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$convrod" --print-reference conf --set "server.module_dir=$modules" >"$work/convro.conf"
"$convrod" --print-reference man --set "server.module_dir=$modules" >"$work/options"
# The lines between the two comments become what was printed.
awk -v options="$work/options" '
	/^\.\\" End of what is printed/ { inside = 0 }
	!inside { print }
	/^\.\\" From here on printed/ {
		inside = 1
		while ((getline line < options) > 0)
			print line
	}' "$root/packaging/man/convro.conf.5" >"$work/convro.conf.5"

failed=0
for file in conf/convro.conf packaging/man/convro.conf.5; do
	new=$work/$(basename "$file")
	if [ "$check" = no ]; then
		cat "$new" >"$root/$file"
	elif ! diff -u "$root/$file" "$new"; then
		echo "$file is not what convrod prints: run packaging/dev/reference.sh" >&2
		failed=1
	fi
done
exit "$failed"
