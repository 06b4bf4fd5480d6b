#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --preview in terminals of every kind, and never anywhere else; --preview-file.
. "$2/tests/cli/common.sh"

# Never in a pipe, whatever is asked for and whatever the environment says; the picture stays the same.
export KITTY_WINDOW_ID=1 TERM=xterm-256color COLORTERM=truecolor LANG=C.UTF-8
unset LC_ALL LC_CTYPE TMUX TERM_PROGRAM
small="-m $model -W 64 -H 64 --steps 3 -p fox --no-metadata"
# shellcheck disable=SC2086
{
    expect 0 generate $small -o plain.png
    for kind in '' auto kitty sixel blocks; do
        expect 0 generate $small --preview $kind -o shown.png
        cmp plain.png shown.png || fail "--preview $kind changes the picture"
        ! grep -q "$(printf '\033')" "$place/err" || fail "--preview $kind writes to a pipe"
        [ ! -s "$place/out" ] || fail "standard output is not empty"
    done
    expect 0 generate $small --preview --preview-file forming.png -o shown.png
    [ -s forming.png ] || fail "no preview file"
    cmp plain.png shown.png || fail "--preview-file changes the picture"
    expect 0 info forming.png
    said 'PNG, 64 x 64'
    refused 2 'expected one of: auto kitty sixel blocks' generate $small --preview ascii
    refused 1 'nowhere' generate $small --preview-file nowhere/p.png
    expect 0 generate -m "$source/models/demo" -W 64 -H 64 --steps 2 -p ring --preview-file demo.png -q -o ring.png
}

cat >terminal.py <<'END'
"""Run pladis on a pseudo-terminal and check what it draws there."""
import base64, fcntl, os, pty, re, struct, sys, termios

def run(arguments, **environment):
    pid, terminal = pty.fork()
    if pid == 0:
        for name in ("KITTY_WINDOW_ID", "TERM", "COLORTERM"):
            os.environ.pop(name, None)
        os.environ.update(environment)
        os.execv(sys.argv[1], [sys.argv[1]] + arguments)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 1000, 600))
    data = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        data += part
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, data[-300:]
    return data

small = ["generate", "-m", sys.argv[2], "-W", "64", "-H", "64", "--steps", "3", "-p", "fox", "--sampling-method",
         "heun", "-o", "terminal.png", "--preview"]
BLOCK = "▀".encode()

full = run(small, TERM="xterm-256color", COLORTERM="truecolor")
assert full.count(BLOCK) == 3 * 8 * 4, full.count(BLOCK)  # three steps of 8 x 8 latents, two to a cell
assert b"\033[38;2;" in full and b"\033[4A" in full
coarse = run(small, TERM="xterm-256color")
assert coarse.count(BLOCK) == 3 * 8 * 4 and b"\033[38;5;" in coarse
kitty = run(small, TERM="xterm-kitty")
frames = re.findall(rb"\033_Ga=T,f=24,s=8,v=8,c=8,r=4,i=\d+,p=1,q=2,C=1,m=0;([^\033]*)\033\\", kitty)
assert len(frames) == 3 and all(len(base64.b64decode(f, validate=True)) == 8 * 8 * 3 for f in frames)
assert frames[0] != frames[2]
sixel = run(small + ["sixel"], TERM="xterm")
pictures = re.findall(rb"\033Pq\"1;1;256;256(.*?)\033\\", sixel, re.S)
assert len(pictures) == 3 and all(p.count(b"-") == 43 for p in pictures)  # 256 rows in bands of six
assert all(re.fullmatch(rb"[?-~#$;0-9-]*", p) for p in pictures)
for environment in ({"TERM": "dumb"}, {"TERM": "vt100"}, {"TERM": "xterm-256color", "LANG": "C"}):
    plain = run(small, **environment)
    assert BLOCK not in plain and b"\033_G" not in plain and b"\033P" not in plain
    assert b"note: --preview: this terminal" in plain
multiplexed = run(small, TERM="tmux-256color", TMUX="x", KITTY_WINDOW_ID="1", COLORTERM="truecolor")
assert b"\033_G" not in multiplexed and BLOCK in multiplexed
assert BLOCK not in run(small + ["-q"], TERM="xterm-256color", COLORTERM="truecolor")
END
python3 terminal.py "$pladis" "$model" || fail "previews in a terminal"
