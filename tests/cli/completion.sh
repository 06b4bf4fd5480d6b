#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What shells complete, asked in the shells that this machine has.
. "$2/tests/cli/common.sh"

refused 2 'expected one of: bash zsh fish' completion tcsh
refused 2 'expected one of: bash zsh fish' completion
mkdir bin
ln -s "$pladis" bin/pladis
PATH=$PWD/bin:$PATH
export PATH
for shell in bash zsh fish; do
    "$pladis" completion $shell >"script.$shell"
done
: >drawn.png

# completes SHELL WORD... = EXPECTED: the line completes to the word, among others.
completes() {
    shell=$1
    shift
    line=
    while [ "$1" != = ]; do
        line="$line${line:+ }$1"
        shift
    done
    "complete_$shell" "$line" >"$place/out" 2>"$place/err" || fail "$shell: $line"
    grep -q -x -F -e "$2" "$place/out" || fail "$shell: \"$line\" does not complete to $2"
    [ $# -eq 2 ] || ! grep -q -x -F -e "$3" "$place/out" || fail "$shell: \"$line\" completes to $3"
}
# The last word is the one that is completed; a line that ends in a blank has an empty one.
complete_bash() {
    bash --norc -c '
        set -u
        source ./script.bash
        read -r -a COMP_WORDS <<<"$1"
        [[ $1 != *" " ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _pladis
        printf "%s\n" ${COMPREPLY[@]+"${COMPREPLY[@]}"}' bash "$1"
}
complete_fish() {
    HOME=$place fish --no-config -c 'source script.fish; complete -C $argv[1]' -- "$1" | cut -f 1
}
# zsh completes only where there is a terminal: one is made, and what a key makes it list is read from there.
mkdir rc
cat >rc/.zshrc <<'END'
PS1='asking> '
autoload -U compinit
compinit -D -u
source ./script.zsh
bindkey '^D' list-choices
LISTMAX=10000
zstyle ':completion:*' verbose no
stty columns 300 rows 300
END
cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty -b shell "ZDOTDIR=$PWD/rc TERM=dumb zsh -i"
wait_for() {
    local all= line= i
    for i in {1..600}; do
        while zpty -r -t shell line; do all+=$line; done
        [[ $all == *$1* ]] && break
        sleep 0.1
    done
    REPLY=$all
}
wait_for $'\e[?2004h'
zpty -w -n shell "$1"$'\004'
wait_for $'\nasking> '
print -r -- "$REPLY"
END
complete_zsh() {
    zsh -f ask.zsh "$1" | tr -d '\r' | sed 1d | tr -s ' ' '\n'
}

for shell in bash fish zsh; do
    if ! command -v $shell >/dev/null; then
        echo "note: there is no $shell here"
        continue
    fi
    completes "$shell" pladis ge = generate
    completes "$shell" pladis ev = evaluate
    completes "$shell" pladis generate --pladis-bl = --pladis-blocks
    completes "$shell" pladis generate --sampling-method eu = euler_a
    completes "$shell" pladis generate --dtype b = bf16
    completes "$shell" pladis generate --init-img dr = drawn.png
    completes "$shell" pladis grid --cs = --csv
    completes "$shell" pladis convert --lay = --layout
    completes "$shell" pladis list sam = samplers
    completes "$shell" pladis bench ker = kernels
done
