#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests of the virtual machine's runner, which all other tests in it depend on: that it tells each way
# a run can end, and loses nothing. Prints TAP. It boots five times.

set -u

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0
failed=0

# check DESCRIPTION COMMAND...: COMMAND succeeds
check()
{
	number=$((number + 1))
	description=$1
	shift
	if "$@" >"$tmp/why" 2>&1; then
		echo "ok $number $description"
	else
		failed=$((failed + 1))
		echo "not ok $number $description"
		sed 's/^/# /' "$tmp/why" "$tmp/stderr"
	fi
}

# vm ARGUMENT...: leaves $status, $tmp/stdout and $tmp/stderr
vm()
{
	status=0
	"$here/vm" "$@" </dev/null >"$tmp/stdout" 2>"$tmp/stderr" || status=$?
}

status_is()
{
	echo "status $status, expected $1"
	[ "$status" -eq "$1" ]
}

printed()
{
	grep -qxF -e "$1" "$tmp/stdout"
}

told()
{
	grep -q -e "$1" "$tmp/stderr"
}

# The last two lines of the output are 9 bytes.
megabyte_is_whole()
{
	tail -c $((1048576 + 9)) "$tmp/stdout" | head -c 1048576 | cmp - "$tmp/a/megabyte"
}

echo 'TAP version 13'

# What needs no machine

vm run
check 'no command is refused' status_is 125
vm run --kernel 2.4 -- true
check 'an unknown kernel is refused' status_is 125
vm run --frobnicate -- true
check 'an unknown option is refused' status_is 125
vm run --payload "$tmp/none" -- true
check 'a payload that is not there is refused' status_is 125
vm run --timeout
check 'an option without its argument is refused' status_is 125

# A run that ends well, on 6.1. Both payloads have files in directories of the machine, one of them
# behind a link (/lib), and the second one wins.

mkdir -m 700 "$tmp/a" "$tmp/b"
mkdir -p "$tmp/a/usr/bin" "$tmp/a/lib/dre" "$tmp/a/root" "$tmp/b/usr/bin"
chmod 755 "$tmp/a/root"
echo 'echo first' >"$tmp/a/usr/bin/which-payload"
echo 'echo second' >"$tmp/b/usr/bin/which-payload"
chmod 755 "$tmp/a/usr/bin/which-payload" "$tmp/b/usr/bin/which-payload"
echo 'from the payload' >"$tmp/a/lib/dre/file"
head -c 1048576 /dev/urandom >"$tmp/a/megabyte"
cat >"$tmp/a/test" <<'END'
#!/bin/sh
uname -r
echo "to stderr" >&2
echo "to /dev/stdout" >/dev/stdout
which-payload
cat /usr/lib/dre/file
stat -c "%a %n" / /root
printf "[%s]" "$@" && echo
echo "panic_on_warn $(cat /proc/sys/kernel/panic_on_warn)"
cat /proc/cmdline
grep -q 'cpuset cpu io memory .*pids' /sys/fs/cgroup/cgroup.subtree_control && echo controllers
printf '<4>%s\n' 'x invoked oom-killer: order=0' 'Call Trace:' 'DEBUG is no BUG.' >/dev/kmsg
sleep 1000 &
cat /megabyte
echo
echo the end
exit 42
END
chmod 755 "$tmp/a/test"
vm run --payload "$tmp/a" --payload "$tmp/b" --append dre.selftest --log "$tmp/log" -- \
	/test 'a b' "it's" '' "\$HOME"
abi=$("$here/../../scripts/kernels" abi 6.1)
check "the command's status is the run's" status_is 42
check 'the kernel is 6.1' printed "$abi"
check 'the standard error comes out' printed 'to stderr'
check 'the standard output can be opened again' printed 'to /dev/stdout'
check 'the last payload wins' printed second
check 'a payload goes through links to directories' printed 'from the payload'
check "the root directory's mode stays" printed '755 /'
check "a directory's mode stays" printed '700 /root'
check 'arguments arrive as they are' printed "[a b][it's][][\$HOME]"
check 'a warning would stop the kernel' printed 'panic_on_warn 1'
check 'the controllers are enabled' printed controllers
check "the kernel gets what is appended" grep -q '^console=.* dre.selftest$' "$tmp/stdout"
check 'all of the output arrives' printed 'the end'
check 'and unchanged, whatever is in it' megabyte_is_whole
check 'the log is written' grep -q 'sysrq: Power Off' "$tmp/log"

# Output is there while the command runs.

mkfifo "$tmp/live"
"$here/vm" run --name live -- sh -c 'printf "<4>%s\n" "WARNING: from a test" "int3: 0000" "Code: 0f cc <1f>" >/dev/kmsg
	echo started; sleep 10; echo stopped' >"$tmp/live" 2>"$tmp/stderr" </dev/null &
run=$!
{
	read -r first
	first_at=$(date +%s%N)
	cat >"$tmp/stdout"
	last_at=$(date +%s%N)
} <"$tmp/live"
status=0
wait $run || status=$?
check 'output comes while the command runs' [ "$first" = started -a \
	$((last_at - first_at)) -ge 1000000000 ]
check 'a warning of the kernel fails a run that ends well' status_is 123
check 'and is told' told 'WARNING: from a test'

# 6.12, and a panic

vm run --kernel 6.12 --name doomed -- sh -c 'uname -r; echo c >/proc/sysrq-trigger; sleep 100'
abi=$("$here/../../scripts/kernels" abi 6.12)
check 'the kernel is 6.12' printed "$abi"
check 'a panic ends the run' status_is 122
check 'and is told' told 'Kernel panic'
check 'by the name of the run' told '^doomed: the machine ended'

# The same panic after what only an emulator does

vm run -- sh -c 'printf "<4>%s\n" "Oops: int3: 0000 [#1]" "Code: 90 0f <1f> 44" >/dev/kmsg
	grep -om 1 "QEMU TCG" /proc/cpuinfo; echo c >/proc/sysrq-trigger; sleep 100'
if printed 'QEMU TCG'; then
	check 'a machine that the emulator broke is told from others' status_is 121
else
	check 'only an emulated machine is broken by the emulator' status_is 122
fi

vm run --timeout 3 -- true
check 'a machine that takes too long is ended' status_is 124
check 'and that is told' told 'not done after 3 seconds'

echo "1..$number"
[ $failed -eq 0 ]
