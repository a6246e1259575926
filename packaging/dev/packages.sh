# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Sourced by ./dev: what has to be installed, and installing what is missing of it.

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "packages are missing and there is no sudo: install as root: ${missing[*]}"
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" >&2
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need GROUP...: the packages of these groups in packaging/debian-packages.txt.
need() {
	local group package wanted=" $* "
	missing=()
	while read -r group package; do
		[[ $wanted == *" $group "* ]] || continue
		is_installed "$package" || missing+=("$package")
	done < <(grep -v '^#' "$root/packaging/debian-packages.txt")
	[ ${#missing[@]} -gt 0 ] || return 0

	say "installing ${missing[*]}"
	as_root apt-get update -q >&2
	[[ " ${missing[*]} " != *" postgresql-15 "* ]] || keep_postgresql_quiet
	[[ " ${missing[*]} " != *" nginx "* ]] || hold_nginx
	apt_install "${missing[@]}"
	[[ " ${missing[*]} " != *" nginx "* ]] || release_nginx
}

# Debian's package would make a cluster of its own and start it. Nobody asked for that, so it is told
# not to before it arrives; a machine whose administrator has decided this already is left as it is.
keep_postgresql_quiet() {
	local settings=/etc/postgresql-common/createcluster.conf
	is_installed postgresql-common || apt_install postgresql-common
	if ! grep -Eq '^[[:space:]]*create_main_cluster' "$settings" 2>/dev/null; then
		printf '%s\n' "# Written by Convro's ./dev, which runs private clusters only." \
			"create_main_cluster = false" | as_root tee -a "$settings" >/dev/null
	fi
}

# Nor does the test of the proxy want a web server at the machine's port 80: Debian's package would start
# one. It is masked while it arrives, and left disabled.
hold_nginx() {
	! command -v systemctl >/dev/null || as_root systemctl -q mask nginx.service
}

release_nginx() {
	if command -v systemctl >/dev/null; then
		as_root systemctl -q unmask nginx.service
		as_root systemctl -q disable nginx.service
	fi
}

# Any Node from 18 on will do; Debian 12 has 18.
need_node() {
	local major
	major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p' || true)
	if [ -z "$major" ] || ! command -v npm >/dev/null; then
		need node
	elif [ "$major" -lt 18 ]; then
		die "node is version $major, 18 or newer is needed"
	fi
	npm_packages "$root/tests" "the clients' packages"
}

# What ./dev bench measures Convro beside; a test sees to it that it answers alike.
need_peer() {
	npm_packages "$root/tests/bench/peer-node" "the Node peer's packages"
}

# npm ci is slow and starts from nothing: once per state of the lock file is enough.
npm_packages() {
	local folder=$1 what=$2 stamp=$1/node_modules/.convro-lock
	if ! cmp -s "$folder/package-lock.json" "$stamp"; then
		say "installing $what with npm"
		npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >&2
		cp "$folder/package-lock.json" "$stamp"
	fi
}
