#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The rules of the house that a program can check. Formatting here, the rest in check-style.js.
# Ends with 1 after listing everything it found.
set -euo pipefail
cd "$(dirname "$0")/../.."

failed=0
mapfile -d '' sources < <(find core modules include tests packaging \( -name node_modules -o -name build \) -prune \
	-o \( -name '*.c' -o -name '*.h' \) -print0)
if [ ${#sources[@]} -gt 0 ]; then
	unformatted=$(clang-format-14 --dry-run -Werror "${sources[@]}" 2>&1 | sed -n 's/^\([^: ]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u || true)
	for file in $unformatted; do
		echo "$file:1: not formatted: run clang-format-14 -i $file" >&2
		failed=1
	done
fi
node packaging/dev/check-style.js || failed=1
exit "$failed"
