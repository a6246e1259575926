#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sqlpack: every mistake is one sentence with file and line and writes nothing; the output depends
# on the input alone and is left alone when it does not change.
# usage: test_sqlpack.sh <sqlpack>
set -u
sqlpack=$1
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0

pack() {
	"$sqlpack" demo "$dir/sql" "$dir/demo_sql.h" "$dir/demo_sql.c" 2>"$dir/err"
}

fresh() {
	rm -rf "$dir/sql" "$dir"/demo_sql.*
	mkdir "$dir/sql"
}

fail() {
	printf 'FAILED: %s\n' "$1"
	sed 's/^/    /' "$dir/err"
	failed=1
}

# refuses <name> <part of the message> <file>, content on stdin
refuses() {
	fresh
	cat >"$dir/sql/$3"
	if pack; then fail "$1: accepted"; fi
	grep -qF "$2" "$dir/err" || fail "$1: no message \"$2\""
	if [ -e "$dir/demo_sql.h" ] || [ -e "$dir/demo_sql.c" ]; then fail "$1: wrote output"; fi
}

# statement <name> <message>, with the header and text as one argument each
statement() {
	printf '%s\n' "$3" | refuses "$1" "$2" statements.sql
}

head='-- name: demo.x
-- args: a:i b:t?
-- columns: c:j'
good="$head
SELECT \$1, \$2;"

statement "no args line" "statements.sql:1: demo.x has no \"-- args:\" line" \
	'-- name: demo.x
-- columns:
SELECT 1'
statement "no columns line" "has no \"-- columns:\" line" '-- name: demo.x
-- args:
SELECT 1'
statement "no text" "statements.sql:1: demo.x has no text" "$head"
statement "a foreign module" "\"auth.x\" is not of the form demo.what_by_what" '-- name: auth.x
-- args:
-- columns:
SELECT 1'
statement "an unknown engine" "\"mysql\" is no engine" '-- name: demo.x mysql
-- args:
-- columns:
SELECT 1'
statement "a name twice" "statements.sql:5: demo.x is there already, in line 1" "$good
$good"
statement "a name for both and for one" "is there already" "$good
-- name: demo.x pg
-- args:
-- columns:
SELECT 1"
statement "a header twice" "a second \"-- args:\"" '-- name: demo.x
-- args:
-- args:
-- columns:
SELECT 1'
statement "a header after the text" "statements.sql:5: \"-- flags:\" comes after the text" "$good
-- flags: write"
statement "a header before any name" "\"-- args:\" before any" '-- args: a:i'
statement "text before any name" "statements.sql:1: text before any" 'SELECT 1;'
statement "an argument beyond the header" "the text uses \$3, the header has 2 arguments" "$head
SELECT \$1, \$2, \$3"
statement "argument zero" "the text uses \$0" "$head
SELECT \$0, \$1, \$2"
statement "an argument not used" "demo.x does not use its argument b (\$2)" "$head
SELECT \$1"
statement "an argument only in a string" "does not use its argument b" "$head
SELECT \$1, '\$2'"
statement "an unknown type" "args: \"a:x\" is not name:type" '-- name: demo.x
-- args: a:x
-- columns:
SELECT $1'
statement "a bad tail" "after the type comes nothing, ? or []" '-- name: demo.x
-- args: a:i!
-- columns:
SELECT $1'
statement "two arguments of a name" "args: two are named a" '-- name: demo.x
-- args: a:i a:t
-- columns:
SELECT $1, $2'
statement "two blanks" "one blank between two entries" '-- name: demo.x
-- args: a:i  b:t
-- columns:
SELECT $1, $2'
statement "an array as column" "columns: c cannot be an array" '-- name: demo.x
-- args:
-- columns: c:i[]
SELECT 1'
statement "an array used on SQLite" "uses the array a, which SQLite cannot bind" '-- name: demo.x
-- args: a:i[]
-- columns:
SELECT $1'
statement "an unknown flag" "unknown flag \"fast\"" '-- name: demo.x
-- args:
-- columns:
-- flags: fast
SELECT 1'
statement "a write without its flag" "demo.x changes rows" '-- name: demo.x
-- args:
-- columns:
DELETE FROM t'
statement "idempotent without write" "flagged idempotent but not write" '-- name: demo.x
-- args:
-- columns:
-- flags: idempotent
SELECT 1'
statement "coalesce without array" "has no array argument" '-- name: demo.x pg
-- args: a:i
-- columns:
-- flags: coalesce
SELECT $1'
statement "a key without coalesce" "has a key but nothing to coalesce" '-- name: demo.x pg
-- args: a:i[]
-- columns:
-- key: 1
SELECT $1'
statement "a key beyond the arguments" "key \"2\" must be numbers of array arguments" '-- name: demo.x pg
-- args: a:i[]
-- columns:
-- flags: coalesce
-- key: 2
SELECT $1'
statement "two statements on PostgreSQL" "takes one statement, not several" '-- name: demo.x pg
-- args:
-- columns:
SELECT 1; SELECT 2;'
statement "an unknown macro" "statements.sql:4: unknown macro @I65@" '-- name: demo.x
-- args:
-- columns:
SELECT @I65@'
statement "an open quote" "statements.sql:4: a quote is not closed on its line" "-- name: demo.x
-- args:
-- columns:
SELECT 'it"
statement "a block comment" "a comment is written with --" '-- name: demo.x
-- args:
-- columns:
SELECT /* no */ 1'
statement "engines called differently" "args of demo.x differ between pg and sqlite at 1" '-- name: demo.x pg
-- args: a:i
-- columns:
SELECT $1
-- name: demo.x sqlite
-- args: a:t
-- columns:
SELECT $1'
echo 'CREATE TABLE t(x @I64@);' | refuses "a gap" "expected 0001" 0002_late.sql
echo 'CREATE TABLE t(x @I64@);' | refuses "a bad name" "a file is called" 1_short.sql
echo 'CREATE TABLE t(x @I64@);' | refuses "a capital letter" "a file is called" 0001_Bad.sql
echo '-- nothing' | refuses "an empty migration" "the migration is empty" 0001_empty.sql
printf -- '-- flags: quick\nSELECT 1;' | refuses "a bad flag" "only flag of a migration is no_tx" 0001_x.sql

fresh
printf '%s\n' "$good" >"$dir/sql/statements.sql"
cat >"$dir/sql/0001_t.sql" <<'SQL'
-- flags: no_tx
CREATE TABLE t (id @SERIAL@, "a--b" @TEXT@ DEFAULT 'x--@I64@'); -- a remark
CREATE INDEX CONCURRENTLY i ON t(id); -- pg
CREATE INDEX i ON t(id);              -- sqlite
SQL
pack || fail "good input: refused"
grep -q 'define DEMO_X (demo_statement_base + 0u)' "$dir/demo_sql.h" || fail "no constant in the header"
grep -q "checksum = \"$(sha256sum <"$dir/sql/0001_t.sql" | cut -c1-64)\"" "$dir/demo_sql.c" ||
	fail "the checksum is not that of sha256sum"
[ "$(grep -c 'CONCURRENTLY' "$dir/demo_sql.c")" = 1 ] || fail "a pg line is not for pg alone"
[ "$(grep -c "x--@I64@" "$dir/demo_sql.c")" = 2 ] || fail "a string was changed"
grep -q 'remark' "$dir/demo_sql.c" && fail "a comment was kept"
grep -q '\.flags = 1,' "$dir/demo_sql.c" || fail "no_tx was lost"
before=$(stat -c '%i %Y' "$dir/demo_sql.h" "$dir/demo_sql.c")
pack || fail "second run: refused"
[ "$before" = "$(stat -c '%i %Y' "$dir/demo_sql.h" "$dir/demo_sql.c")" ] || fail "an unchanged output was replaced"
# Lengths around the blocks of SHA-256.
for length in 53 54 55 56 62 63 64 65 119 120 200; do
	fresh
	printf 'SELECT %0*d;' $((length - 8)) 7 >"$dir/sql/0001_t.sql"
	pack || fail "length $length: refused"
	grep -q "\"$(sha256sum <"$dir/sql/0001_t.sql" | cut -c1-64)\"" "$dir/demo_sql.c" ||
		fail "wrong checksum of $length bytes"
done
exit $failed
