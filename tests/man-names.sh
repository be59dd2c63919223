#!/usr/bin/env bash
# The section-3 pages and include/invctl.h tell of the same functions: every function
# has a page under its own name, every page's functions exist, every prototype is the
# header's, and what one page refers to is there.
# Ends with the line "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1
passed=0 failed=0

check() { # what command…
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not so: $what"
	fi
}

# The header's prototypes, one a line, without comments, directives and attributes.
header_prototypes() {
	gcc -fpreprocessed -dD -E -P include/invctl.h | grep -v '^#' | tr '\n' ' ' |
		sed -E 's/extern "C" \{//; s/[{][^{}]*[}]//g; s/__attribute__ *\(\([^;]*\)\)//g; s/;/;\n/g' |
		sed -E 's/^ +//; s/ +/ /g; s/ ;/;/' | grep -E '^[a-z].*[ *]inv_[a-z_]+\(' | grep -v '^typedef'
}

# A page's prototypes, in the same form.
page_prototypes() { # page
	awk '
		/^\.Ft / { type = unquoted(substr($0, 5)); next }
		/^\.Fo / { text = type (type ~ /\*$/ ? "" : " ") $2 "("; count = 0; next }
		/^\.Fa / && text != "" { text = text (count++ ? ", " : "") unquoted(substr($0, 5)); next }
		/^\.Fc/ { print text ");"; text = "" }
		function unquoted(word) { gsub(/"/, "", word); return word }
	' "$1"
}

is_link() { [ -L "$1" ]; }

# The page that a name leads to.
page_of() { # name
	local file=man/$1.3
	[ -f "$file" ] || return 1
	if is_link "$file"; then
		file=man/$(readlink "$file")
	fi
	[ -f "$file" ] && ! is_link "$file" && echo "$file"
}

names_it() { # page name
	grep -qE "^\.Nm $2( ,)?\$" "$1"
}

function_has_page() { # name
	local page
	page=$(page_of "$1") && names_it "$page" "$1"
}

in_header() { # prototype
	grep -qxF -- "$1" <<<"$prototypes"
}

is_function() { # name
	grep -qE "[ *]$1\(" <<<"$prototypes"
}

has_section() { # page section
	grep -q "^\.Sh $2" "$1"
}

prototypes=$(header_prototypes)
mapfile -t functions < <(grep -oE 'inv_[a-z_]+\(' <<<"$prototypes" | tr -d '(' | sort -u)
check "include/invctl.h declares functions" [ "${#functions[@]}" -gt 0 ]

for name in "${functions[@]}"; do
	check "$name has a page that names it" function_has_page "$name"
done

for page in man/*.3; do
	if is_link "$page"; then
		name=$(basename "$page" .3)
		check "$page leads to a page" page_of "$name" >/dev/null
		[ "$name" = invctl ] || check "$page is of a function" is_function "$name"
		continue
	fi
	while read -r name; do
		[ "$name" = libinvctl ] || check "$page: $name is a function" is_function "$name"
	done < <(sed -nE 's/^\.Nm (\w+)( ,)?$/\1/p' "$page")
	while read -r prototype; do
		check "$page: the header has '$prototype'" in_header "$prototype"
	done < <(page_prototypes "$page")
	while read -r name; do
		check "$page: $name() is a function" is_function "$name"
	done < <(sed -nE 's/^\.(It )?Fn (inv_\w+).*/\2/p' "$page" | sort -u)
	while read -r name; do
		check "$page: $name(3), to which it refers, exists" [ -f "man/$name.3" ]
	done < <(sed -nE 's/^\.(It |Pq )?Xr ((inv_|libinvctl)\w*) 3.*/\2/p' "$page" | sort -u)
	for section in NAME SYNOPSIS DESCRIPTION 'RETURN VALUES' 'THREADS AND SIGNALS' EXAMPLES HISTORY; do
		check "$page has the section $section" has_section "$page" "$section"
	done
done

# Each prototype of the header stands in some page.
while read -r prototype; do
	name=$(grep -oE 'inv_[a-z_]+\(' <<<"$prototype" | head -n 1 | tr -d '(')
	check "$name's page has its prototype" \
		grep -qxF -- "$prototype" <(page_prototypes "$(page_of "$name" || echo /dev/null)")
done <<<"$prototypes"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
