#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a person sees while the program works: on terminals of every width, and in a log.
. "$2/tests/cli/common.sh"
small="-m $model -W 64 -H 64 --steps 3 -p fox"
log() {
    grep -q "$1" "$place/err" || fail "the log does not say \"$1\""
}

# In a log: what is drawn in one line, no bar; nothing with -q.
# shellcheck disable=SC2086
{
    expect 0 generate $small -o fox.png
    log '^drawing   sd15, seed 42, 64 × 64, pndm, 3 steps, cfg (scale 7.5), λ = 2, α = 1.5$'
    [ "$(grep -c '^drawing' "$place/err")" -eq 1 ] || fail "more than one line at the start"
    ! grep -q "$(printf '\r')" "$place/err" || fail "a bar in a log"
    expect 0 generate $small -b 3 --no-pladis -o foxes.png
    log '^drawing   3 pictures, sd15, 64 × 64, .*, λ = 0; varies: seed$'
    printf 'a fox\na hare\n' >prompts.txt
    expect 0 generate -m "$model" -W 64 -H 64 --steps 1 --prompt-file prompts.txt -o animals.png
    log '^drawing   2 pictures, sd15, seed 42, .*, 1 step, .*; varies: prompt$'
    expect 0 generate $small -q -o fox.png
    [ ! -s "$place/err" ] || fail "-q says something"
}

cat >terminal.py <<'END'
"""Run pladis on a pseudo-terminal: no line is longer than the terminal is wide, whatever that is."""
import fcntl, os, pty, re, struct, sys, termios

def run(columns, arguments, resize=None, **environment):
    pid, terminal = pty.fork()
    if pid == 0:
        for name in ("LC_ALL", "LC_CTYPE", "LANG"):
            os.environ.pop(name, None)
        os.environ.update(environment)
        os.read(0, 1)  # until the window has its size
        os.execv(sys.argv[1], [sys.argv[1]] + arguments)
    size = lambda n: fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, n, 0, 0))
    size(columns)
    os.write(terminal, b"\n")
    data = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        data += part
        if resize and b" 1/4" in data:
            size(resize)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, data[-300:]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode())
    return [line for line in re.split(r"[\r\n]+", text) if line]

small = ["generate", "-m", sys.argv[2], "-W", "64", "-H", "64", "--steps", "3", "-p", "fox", "-b", "2", "-o", "t.png"]
for columns in (6, 16, 24, 40, 50, 59, 80, 120):
    for locale in ("C", "C.UTF-8") if columns in (24, 50) else ("C.UTF-8",):
        lines = run(columns, small, LANG=locale)
        bars = [line for line in lines if re.search(r"\d/4\b", line)]
        assert bars and all(len(line) < columns for line in bars), (columns, bars)
        if columns >= 24: # nothing but single words can be longer than narrower ones
            assert all(len(line) <= columns or " " not in line.strip() for line in lines), (columns, lines)
            assert any("left" in line for line in bars), bars
        if columns >= 50:
            assert any("s/step" in line for line in bars), bars
            assert any(("━" if locale != "C" else "#") in line for line in bars), bars
        assert locale != "C" or all(ord(c) < 128 for line in bars for c in line), bars
        if columns >= 120:
            first = lines[0] if lines[0].startswith("drawing") else lines[1]
            assert first.startswith("drawing   2 pictures, sd15, 64"), lines[:3]
            assert any("picture 2 of 2" in line for line in bars), bars
lines = run(100, small + ["-b", "8"], resize=30, LANG="C.UTF-8")
last = [line for line in lines if line.startswith("8/8  4/4") or "8 of 8" in line]
assert last and all(len(line) < 30 for line in last), last
lines = run(40, ["convert", sys.argv[2], "-o", "x.safetensors"], LANG="C")
bars = [line for line in lines if not line.startswith("pladis: ")]
assert not any("picture" in line for line in bars) and any(re.search(r"\d %", line) for line in bars), lines
END
python3 terminal.py "$pladis" "$model" || fail "lines on a terminal"
