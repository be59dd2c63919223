#!/usr/bin/env bash
# Installs what building and testing need, from Debian's packages: as root, or through
# sudo. What is installed already is left alone. On other systems it names what to
# install, and exits 1. Prints what it does, and nothing else.
set -u

build=(gcc make libc6-dev uuid-dev libsmartcols-dev pkg-config)
tests=(bats bats-support bats-assert libcmocka-dev spin python3 jq util-linux procps less tmux zsh fish
	strace valgrind task-spooler
	g++ clang libclang-rt-14-dev mandoc)
lint=(git clang-format clang-tidy cppcheck shellcheck)

is_installed() { # package
	dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

quietly() { # command…: what it says is told only where it fails
	local output
	output=$("$@" 2>&1) && return
	printf '%s\n' "$output" >&2
	echo "deps: '$*' failed" >&2
	exit 1
}

apt_get() {
	quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet=2 -o DPkg::Lock::Timeout=300 "$@"
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: this is no Debian; install what these Debian packages hold:" >&2
	printf '  %s\n' "to build: ${build[*]}" "to test: ${tests[*]}" "to lint: ${lint[*]}" >&2
	exit 1
fi

missing=()
for package in "${build[@]}" "${tests[@]}" "${lint[@]}"; do
	is_installed "$package" || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then
	echo "deps: all is installed"
	exit 0
fi
if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
	echo "deps: neither root nor sudo; have an administrator install: ${missing[*]}" >&2
	exit 1
fi

echo "deps: installing ${missing[*]}"
apt_get update
apt_get install --no-install-recommends "${missing[@]}"
for package in "${missing[@]}"; do
	if ! is_installed "$package"; then
		echo "deps: $package is still missing" >&2
		exit 1
	fi
done
echo "deps: done"
