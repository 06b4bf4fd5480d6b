#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Signals at any moment: a run ends soon, says so with exit code 130, and leaves nothing half-written.
. "$2/tests/cli/common.sh"

# signalled SIGNAL SECONDS ARGUMENTS...: run, and send a signal after a time; $found gets the exit code.
signalled() {
    signal=$1
    delay=$2
    shift 2
    found=0
    timeout --preserve-status -k 20 -s "$signal" "$delay" "$pladis" "$@" >"$place/out" 2>"$place/err" </dev/null || found=$?
}
# as it is on Linux for most processors
number() {
    case $1 in
    HUP) echo 1 ;; INT) echo 2 ;; QUIT) echo 3 ;; USR1) echo 10 ;; USR2) echo 12 ;; ALRM) echo 14 ;; TERM) echo 15 ;; XCPU) echo 24 ;;
    esac
}
small="generate -m $model -W 64 -H 64 --steps 1 -p fox -q"

# While it draws. A signal before the program can listen ends it as the shell counts.
drawn_until() {
    signalled "$1" "$2" generate -m "$model" -W 256 -H 256 --steps 900 -p x -o out.png --dump dump.safetensors \
        --report report.json --preview-file preview.png
    rm -f preview.png # whole pictures, which are wanted
    case $2:$found in
    *:130) ;;
    0.*:$((128 + $(number "$1")))) ;;
    *) fail "$1 after $2 s: exit code $found" ;;
    esac
    empty_folder
}
said() {
    grep -q '^pladis: error: .*cancelled' "$place/err"
}
for signal in INT TERM HUP QUIT USR1 USR2 ALRM XCPU; do
    drawn_until "$signal" 0.02
    drawn_until "$signal" 0.6
    # A slow machine may not have begun to listen by then.
    said || drawn_until "$signal" 5
    said || fail "$signal: nothing is said"
done

# At a pipe that nobody reads, and at one whose reader does not go on; by each way that leads there.
mkfifo "$place/pipe"
# shellcheck disable=SC2086
for way in "-o $place/pipe" "-o a.png --report $place/pipe" "-o /dev/null --dump $place/pipe" \
    "-o /dev/null --attention-stats $place/pipe" "-o a.png --profile $place/pipe" "-o a.png --preview-file $place/pipe" \
    "-o a.png --attention-maps fox --attention-maps-output $place/pipe"; do
    signalled INT 1.5 $small $way
    [ $found -eq 130 ] || fail "$way: exit code $found with a pipe that nobody reads"
    rm -f a.png
    empty_folder
done
# shellcheck disable=SC2086
for signal in TERM HUP QUIT; do
    signalled $signal 1.5 $small -o "$place/pipe"
    [ $found -eq 130 ] || fail "$signal: exit code $found with a pipe that nobody reads"
done
sleep 30 <>"$place/pipe" &
reader=$!
signalled INT 3 generate -m "$model" -W 512 -H 512 --steps 1 -p fox -q -o "$place/pipe"
[ $found -eq 130 ] || fail "exit code $found with a pipe whose reader sleeps"
kill $reader
wait $reader 2>/dev/null || true
mkfifo "$place/output"
sleep 30 <>"$place/output" &
reader=$!
found=0
timeout --preserve-status -k 20 -s TERM 3 "$pladis" generate -m "$model" -W 512 -H 512 --steps 1 -p fox -q -o - \
    >"$place/output" 2>"$place/err" </dev/null || found=$?
[ $found -eq 130 ] || fail "exit code $found with an output that nobody reads"
kill $reader
wait $reader 2>/dev/null || true
empty_folder

# At a pipe that nobody writes.
mkfifo "$place/input"
for way in "evaluate -m $source/models/demo --prompts $place/input -o evaluation" \
    "bench attention -m $source/models/demo --compare $place/input"; do
    for signal in INT TERM; do
        # shellcheck disable=SC2086
        signalled $signal 1.5 $way
        [ $found -eq 130 ] || fail "$way: exit code $found with a pipe that nobody writes"
        grep -q 'cancelled before everything was read' "$place/err" || fail "$way: nothing is said"
        rm -rf evaluation
    done
done
(sleep 0.5; printf 'a red star\n' >"$place/input") &
expect 0 generate -m "$source/models/demo" --prompt-file "$place/input" -W 32 -H 32 --steps 1 -q -o late.png
wait
rm late.png

# nohup: a terminal that is closed does not end the run.
(
    trap '' HUP
    "$pladis" generate -m "$model" -W 256 -H 256 --steps 12 -p fox -q -o kept.png &
    sleep 0.3
    kill -HUP $!
    wait $!
) || fail "a run under nohup was ended"
[ -s kept.png ] || fail "no picture under nohup"
rm kept.png

# convert: the folder or file is whole or not there, and nothing lies beside it.
for signal in INT HUP QUIT; do
    for delay in 0.03 0.06 0.1; do
        for output in folder file.safetensors; do
            signalled "$signal" $delay convert "$model" -o $output -q --dtype f32
            case $found in
            0) [ -e $output ] || fail "no $output" ;;
            130 | $((128 + $(number "$signal")))) [ ! -e $output ] || fail "$output after exit code $found" ;;
            *) fail "$signal after $delay s: convert: exit code $found" ;;
            esac
            rm -rf $output
            empty_folder
        done
    done
done

# Killed: nothing is left where the file system has files without names.
if python3 -c 'import os; os.open(".", os.O_TMPFILE | os.O_RDWR)' 2>/dev/null; then
    for delay in 0.03 0.05 0.07 0.1 0.15; do
        signalled KILL $delay convert "$model" -o file.safetensors -q --dtype f32
        rm -f file.safetensors # whole, or not there
        empty_folder
    done
fi
