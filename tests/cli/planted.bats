#!/usr/bin/env bats
# What somebody may have put under a table's name: each command and the broker refuses it
# with a sentence that names it and says what to do, at once, and leaves it as it is. ("A segment
# that someone else planted is refused"; "a corrupt, foreign, older or newer segment: a clear error".)
# shellcheck disable=SC2154  # run sets output and stderr

load helpers

# Where the header has its fields (lib/table/layout.h).
MAGIC_AT=0 VERSION_AT=8 CAPACITY_AT=12 FINGERPRINT_AT=16 BYTES_AT=24 SLOTS_AT=40
OWNERS_AT=44 EPOCH_AT=48 SHARED_AT=64

setup() {
	setup_table
	OBJECT=/dev/shm/$INVCTL_TABLE
}

# An ordinary table that nobody serves.
make_table() {
	"$INVBROKER" --capacity=100 --retain=inf 3>&-
	"$INVCTL" run true
	end_broker
}

look_of() { # FILE
	stat -c '%F %a %u %g %s %i %h %N' "$1"
	[[ ! -f $1 ]] || sha1sum <"$1"
}

INVCTL_ID_OF_NOBODY=00000000-0000-4000-8000-000000000001

is_unchanged() {
	local before
	before=$(look_of "$OBJECT")
	command sleep 0.05
	[[ $(look_of "$OBJECT") == "$before" ]]
}

# refused STATUS PATTERN [COMMAND...]: by these, else by a few, and the broker; in at most 20 s
# each, a planted FIFO notwithstanding.
refused() {
	local expected=$1 pattern=$2 before command
	shift 2
	(($# > 0)) || set -- "list" "run true" "check"
	# What has just started may still be entering itself.
	retry is_unchanged
	before=$(look_of "$OBJECT")
	for command; do
		# shellcheck disable=SC2086  # several words on purpose
		run --separate-stderr -"$expected" env INVCTL_ID="$INVCTL_ID_OF_NOBODY" timeout 20 "$INVCTL" $command
		told "$output" "invctl: " "$pattern"
	done
	run --separate-stderr -"$expected" timeout 20 "$INVBROKER"
	told "$output" "invbroker: " "$pattern"
	assert_equal "$(look_of "$OBJECT")" "$before"
}

refused_by_all() { # STATUS PATTERN
	refused "$@" "list" "list --all --json" "status" "status --json" "show abcd" "cancel --all" \
		"wait abcd" "run true" "run --detach true" "check" "check --peek" "sleep 0.01" "log word" "why"
	run --separate-stderr -"$1" timeout 20 "$INVBROKER" --foreground
	told "$output" "invbroker: " "$2"
	run --separate-stderr -"$1" timeout 20 "$INVBROKER" --group=0
	told "$output" "invbroker: " "$2"
}

told() { # OUTPUT WHO PATTERN: one sentence, on stderr, with a remedy
	[[ -z $1 && $(wc -l <<<"$stderr") == 1 && $stderr == "$2"*"$INVCTL_TABLE"*"$3"* &&
		$stderr =~ (remove|another --table) ]] || {
		echo "not told as '$3': $stderr" >&2
		return 1
	}
}

@test "a FIFO holds nobody up" {
	mkfifo -m 0600 "$OBJECT"
	refused_by_all 116 "is a FIFO"
}

@test "a symbolic link is not followed: not to a table, a device or into nothing" {
	local other=$INVCTL_TABLE-other
	"$INVBROKER" --table="$other" --capacity=100 3>&-
	kill -KILL "$("$INVCTL" --table="$other" status --json | jq .broker.pid)"
	local before target
	before=$(look_of "/dev/shm/$other")
	for target in "/dev/shm/$other" /dev/zero "$PWD/made"; do
		ln -s "$target" "$OBJECT"
		refused 116 "is a symbolic link"
		rm "$OBJECT"
	done
	[[ ! -e made ]]
	assert_equal "$(look_of "/dev/shm/$other")" "$before"
	rm "/dev/shm/$other"
}

@test "a directory, with something in it" {
	mkdir "$OBJECT"
	touch "$OBJECT/kept"
	refused 116 "is a directory"
	[[ -e $OBJECT/kept ]]
	rm -r "$OBJECT"
}

@test "a socket" {
	perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); bind($s, pack_sockaddr_un($ARGV[0])) or die' "$OBJECT"
	refused 116 "is a socket"
}

@test "another user's table: root sees and cancels what is in it, and starts nothing there" {
	((EUID == 0)) || skip "only root can be another user"
	local mode place
	place=$(mktemp -d)
	chmod 0755 "$place"
	cp "$INVCTL" "$INVBROKER" "$place"
	for mode in 0600 0660; do
		as_owner() {
			env INVCTL_STATE_DIR="$BATS_TEST_TMPDIR" setpriv --reuid=61001 --regid=61001 --clear-groups "$@"
		}
		as_owner "$place/invbroker" --mode=$mode 3>&-
		ID=$(new_id)
		as_owner "$place/invctl" run --id="$ID" sleep 1000 2>/dev/null 3>&- &
		RUN_PID=$!
		STARTED_PIDS+=("$RUN_PID")
		retry field_is "$ID" .status running
		refused 118 "belongs to user 61001" "run --no-parent true" "run --no-parent --detach true"
		[[ $stderr != *remove* ]]
		run -0 "$INVCTL" cancel --wait=20s "$ID"
		ended_with 122
		end_broker
		refused 118 "belongs to user 61001" "run --no-parent true" "run --no-parent --detach true"
		[[ $stderr != *remove* ]]
		rm "$OBJECT"
	done
	rm -r "$place"
}

@test "a file of another user's that is no table of that user" {
	((EUID == 0)) || skip "only root can plant one"
	make_table
	chown 61001 "$OBJECT"
	refused_by_all 118 "belongs to user 61001"
	[[ $stderr != *remove* ]]
	chmod 0666 "$OBJECT"
	refused 118 "belongs to user 61001"
	# As if it were shared with us; it does not say so itself.
	chmod 0660 "$OBJECT"
	refused 116 "is damaged or no table"
}

@test "a mode that is wider than promised, or otherwise not a table's" {
	local mode
	make_table
	for mode in 0666 0640; do
		chmod $mode "$OBJECT"
		refused 118 "has mode $mode"
	done
	chmod 0660 "$OBJECT"
	refused 116 "is damaged or no table"
	chmod 0600 "$OBJECT"
	run -0 "$INVCTL" list
}

@test "a second name" {
	make_table
	ln "$OBJECT" "$OBJECT-second"
	refused 118 "has a second name"
	rm "$OBJECT-second"
	run -0 "$INVCTL" list
}

@test "an empty file, one of garbage, and one of zeros of the right size" {
	local size
	make_table
	size=$(stat -c %s "$OBJECT")
	rm "$OBJECT"
	install -m 0600 /dev/null "$OBJECT"
	refused 116 "(0 bytes) is damaged or no table"
	head -c "$size" /dev/urandom >"$OBJECT"
	refused 116 "($size bytes) is damaged or no table"
	truncate -s 0 "$OBJECT"
	truncate -s "$size" "$OBJECT"
	refused 116 "($size bytes) is damaged or no table"
}

@test "a table that was cut short or made longer" {
	local size wrong
	make_table
	size=$(stat -c %s "$OBJECT")
	for wrong in $((size + 4096)) $((size - 1)) 4095; do
		truncate -s "$wrong" "$OBJECT"
		refused 116 "($wrong bytes) is damaged"
	done
}

# put OFFSET BYTES VALUE: a little-endian number into the table; what stood there is kept.
put() {
	cp "$OBJECT" "$BATS_TEST_TMPDIR/kept"
	perl -e 'my ($bytes, $value) = @ARGV; print substr(pack("Q<", hex($value)), 0, $bytes)' "$2" "$3" |
		dd of="$OBJECT" bs=1 seek="$1" conv=notrunc status=none
}

put_back() {
	cat "$BATS_TEST_TMPDIR/kept" >"$OBJECT"
}

@test "another version's table, and another layout of this version" {
	make_table
	put $VERSION_AT 4 7fffffff
	refused 116 "another version"
	put_back
	put $FINGERPRINT_AT 8 1
	refused 116 "another version"
	put_back
	run -0 "$INVCTL" list
}

@test "counts and sizes that are zero, that overflow, or that disagree" {
	local field
	make_table
	for field in "$MAGIC_AT 8 0" "$CAPACITY_AT 4 0" "$CAPACITY_AT 4 ffffffff" "$CAPACITY_AT 4 100001" \
		"$BYTES_AT 8 0" "$BYTES_AT 8 ffffffffffffffff" "$SLOTS_AT 4 0" "$OWNERS_AT 4 ffffffff" \
		"$EPOCH_AT 8 0" "$SHARED_AT 4 1"; do
		# shellcheck disable=SC2086  # three words on purpose
		put $field
		run -116 "$INVCTL" list
		assert_output --partial "is damaged"
		put_back
	done
	put $CAPACITY_AT 4 0
	refused 116 "is damaged"
	put_back
	run -0 "$INVCTL" list
}
