#!/usr/bin/env bats
# `make install` puts each thing where it is looked for, under PREFIX, LIBDIR and DESTDIR.
# BUILD is the folder of the build that is copied and installed (build).

load cli/helpers

setup() {
	setup_table
	# Another PREFIX changes what is built: not in the build under test.
	mkdir "$BATS_TEST_TMPDIR/build"
	(cd "$BUILD" && cp -a lib cmd examples paths invctl* invbroker libinvctl* "$BATS_TEST_TMPDIR/build")
	unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX LIBDIR
	unset "${!PKG_CONFIG@}"
	DEST=$BATS_TEST_TMPDIR/dest
}

install_with() { # VARIABLE=VALUE...
	make -s -C "$ROOT" install BUILD="$BATS_TEST_TMPDIR/build" "$@"
}

# All but helpers, and what is in share.
installed() {
	(cd "$DEST" && find . ! -type d | sed 's/^\.//' | grep -vE '/share/|/libexec/invctl/invctl-' | LC_ALL=C sort)
}

# As a package's user would, from what lies in DEST.
pkg_config() { # libdir argument...
	PKG_CONFIG_SYSROOT_DIR=$DEST PKG_CONFIG_LIBDIR=$DEST$1/pkgconfig pkg-config "${@:2}" invctl
}

builds_and_runs() { # libdir
	printf '#include <invctl.h>\n#include <stdio.h>\nint main(void) { return puts(inv_version()) < 0; }\n' >user.c
	# shellcheck disable=SC2046
	cc -o user user.c $(pkg_config "$1" --cflags --libs)
	run env LD_LIBRARY_PATH="$DEST$1" ldd user
	assert_output --partial "$DEST$1/libinvctl.so.0"
	run env LD_LIBRARY_PATH="$DEST$1" ./user
	assert_success
	assert_output "$("$INVCTL" --version | sed 's/^invctl //')"
}

@test "with PREFIX=/usr and a multiarch LIBDIR" {
	local libdir=/usr/lib/x86_64-linux-gnu page unit
	install_with DESTDIR="$DEST" PREFIX=/usr LIBDIR=$libdir
	assert_equal "$(installed)" "$(printf '%s\n' \
		/usr/bin/invbroker /usr/bin/invctl /usr/include/invctl.h \
		/usr/lib/systemd/system/invbroker@.service /usr/lib/systemd/user/invbroker.service \
		$libdir/libinvctl.a $libdir/libinvctl.so $libdir/libinvctl.so.0 $libdir/pkgconfig/invctl.pc)"
	for unit in user/invbroker.service system/invbroker@.service; do
		grep -q '^ExecStart=/usr/bin/invbroker ' "$DEST/usr/lib/systemd/$unit"
	done
	for page in man1/invctl.1 man3/libinvctl.3 man8/invbroker.8; do
		[ -s "$DEST/usr/share/man/$page" ]
	done
	[ "$(PKG_CONFIG_LIBDIR=$DEST$libdir/pkgconfig pkg-config --variable=libdir invctl)" = $libdir ]
	builds_and_runs $libdir
}

@test "a LIBDIR without a slash in front is one of PREFIX" {
	install_with DESTDIR="$DEST" PREFIX=/opt/invctl LIBDIR=lib/x86_64-linux-gnu
	builds_and_runs /opt/invctl/lib/x86_64-linux-gnu
	run installed
	refute_line --regexp '^/(usr|lib)/'
}

@test "without LIBDIR, and without DESTDIR, the library is in PREFIX/lib" {
	DEST=
	install_with PREFIX="$BATS_TEST_TMPDIR/prefix"
	builds_and_runs "$BATS_TEST_TMPDIR/prefix/lib"
}

@test "what is installed finds the broker in its own PREFIX" {
	local prefix=$BATS_TEST_TMPDIR/prefix
	install_with PREFIX="$prefix"
	# Neither beside the program nor in PATH.
	mv "$prefix/bin/invbroker" "$prefix/libexec/invctl/"
	PATH=/usr/bin:/bin "$prefix/bin/invctl" run -- true
	[ "$(readlink "/proc/$(broker_pid)/exe")" = "$prefix/libexec/invctl/invbroker" ]
}
