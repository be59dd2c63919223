# Builds the programs of these tests into $BUILD/stress, from the sources here and the
# library in $BUILD. To be sourced by a script in the folder above this one's.
# shellcheck shell=bash
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
export BUILD

# stress_program NAME SOURCE…: not built anew where nothing is newer.
stress_program() {
	local name=$1 folder=$BUILD/stress source newer=
	shift
	for source in "${@/#/tests/stress/}" include/invctl.h tests/stress/*.h; do
		[ "$folder/$name" -nt "$source" ] || newer=1
	done
	[ -n "$newer" ] || return 0
	mkdir -p "$folder"
	# Put in its place whole, so that another run of these tests may use it meanwhile.
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
		-Wstrict-prototypes -Wmissing-prototypes -Iinclude -o "$folder/$name.$$" \
		"${@/#/tests/stress/}" -L"$BUILD" -linvctl -Wl,-rpath,"$BUILD" -lpthread &&
		mv "$folder/$name.$$" "$folder/$name"
}

# stress_preload NAME SOURCE: a shared object to be preloaded.
stress_preload() {
	local file=$BUILD/stress/$1.so source=tests/stress/$2
	[ "$file" -nt "$source" ] && return
	mkdir -p "$BUILD/stress"
	${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
		-fPIC -shared -o "$file.$$" "$source" && mv "$file.$$" "$file"
}

# The command itself is static, and preloads nothing: the same objects, linked dynamically, do.
stress_dynamic_invctl() {
	local file=$BUILD/stress/invctl-dynamic
	[ "$file" -nt "$BUILD/invctl" ] && return
	mkdir -p "$BUILD/stress"
	# By the sources: an older build may have left objects of files that are gone.
	local objects=(cmd/invctl/*.c cmd/common/*.c cmd/supervise/*.c)
	objects=("${objects[@]/#/$BUILD/}")
	${CC:-cc} -o "$file.$$" "${objects[@]/%.c/.o}" "$BUILD/libinvctl.a" -luuid -lrt -lpthread
	# It looks for its helpers beside itself.
	ln -sf ../invctl-view "$BUILD/stress/invctl-view" && mv "$file.$$" "$file"
}
