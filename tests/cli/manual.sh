#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Help, manual, completion, report and metadata tell of every row of the table of options: pladis_option_rows prints it.
# usage: manual.sh PROGRAM SOURCE_FOLDER MANUAL_PROGRAM OPTION_ROWS
manual=$(realpath "$3")
rows=$(realpath "$4")
. "$2/tests/cli/common.sh"

"$manual" "$source/docs/pladis.1.in" >made.1
"$manual" "$source/docs/pladis-serve.1.in" >serve.1
cmp serve.1 "$source/docs/pladis-serve.1" || fail "docs/pladis-serve.1 is not what its template and the table give; ./dev manual writes it"
cmp made.1 "$source/docs/pladis.1" || fail "docs/pladis.1 is not what its template and the table give; ./dev manual writes it"
if command -v groff >/dev/null; then
    groff -man -ww -z -Tutf8 made.1 2>warnings || fail "the manual is no manual page"
    [ ! -s warnings ] || fail "the manual page has faults: $(head -n 1 warnings)"
fi
for shell in bash zsh fish; do
    "$pladis" completion $shell >"script.$shell"
done
cp "$source/docs/evidence/pictures-1.png" begin.png
expect 0 generate -p 'a red star' --steps 2 -i begin.png --strength 0.5 -q -o drawn.png --report report.json
expect 0 generate --from drawn.png -q -o again.png
cmp drawn.png again.png || fail "--from draws another picture"
"$pladis" info drawn.png --json >metadata.json

# A value for an axis of a grid, where 1 is none.
value_of() {
    case $1 in
    guidance) echo rescale ;;
    sampling-method) echo euler ;;
    scheduler) echo karras ;;
    spacing) echo leading ;;
    pladis-sites) echo self ;;
    pladis-alpha) echo 1.5 ;;
    pladis-start) echo 0.5 ;;
    prediction) echo v ;;
    preset) echo lcm ;;
    dtype) echo f32 ;;
    empty-prompt) echo token ;;
    rng) echo cpu ;;
    original-size | target-size) echo 64x64 ;;
    crop) echo '1,1;2,2' ;;
    init-img | mask) echo begin.png ;;
    *) echo 1 ;;
    esac
}

# lines of NAME|COMMANDS|KIND
"$rows" >table
[ "$(wc -l <table)" -gt 100 ] || fail "the table has few rows"
while IFS='|' read -r name commands kind; do
    for command in $commands; do
        if [ "$kind" = habit ]; then
            continue
        fi
        [ -f "help.$command" ] || "$pladis" "$command" --help >"help.$command"
        grep -q -E -e "^  (-., |    )--$name( |\$)" "help.$command" || fail "$command --help lacks --$name"
        for shell in bash zsh; do
            grep -q -e "--${name}[^a-z-]" "script.$shell" || fail "completion of $shell lacks --$name"
        done
        grep -q -e "seen_subcommand_from $command' -l $name " script.fish || fail "completion of fish lacks $command --$name"
    done
    escaped=$(printf '%s' "--$name" | sed 's/-/\\\\-/g')
    [ "$kind" = missing ] || grep -q -e "\\\\fB$escaped\\\\fR" made.1 || fail "the manual lacks --$name"
    if [ "$kind" = picture ]; then
        refused 1 nowhere grid -p x -i begin.png --x "$name=$(value_of "$name")" -o nowhere/x.png
    fi
    if [ "$kind" = picture ] || [ "$kind" = picture-flag ]; then
        field=$(printf '%s' "$name" | tr - _)
        grep -q "\"$field\":" report.json || fail "--report lacks $field"
        grep -q -w "$field" metadata.json || fail "the metadata lacks $field"
    fi
done <table
