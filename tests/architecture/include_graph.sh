#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each floor of src/ includes only the floors below it, and the rooms of a floor include each other in no circle; programs
# and examples include the public headers only. What lies in a floor's own folder belongs to all of its rooms.
# usage: include_graph.sh SOURCE_FOLDER
set -eu
cd "$1"

# shellcheck disable=SC2016
find src apps bench examples include -name '*.[ch]' | sort | xargs awk '
    BEGIN {
        # What a floor may include besides itself, lowest first. kernels, io and scoring are siblings, as are
        # backends and models, and models and sampling. What networks are (nn, models) knows nothing of kernels.
        below["core"] = ""
        below["kernels"] = "core"
        below["io"] = "core"
        below["scoring"] = "core"
        below["text"] = "core io"
        below["loras"] = "core io text"
        below["nn"] = "core io loras"
        below["backends"] = "core kernels nn"
        below["models"] = "core io text nn"
        below["sampling"] = "core kernels io text"
        below["pipeline"] = "core kernels io text loras nn backends models sampling"
        # Measuring reaches inside; nothing includes it but the program, and that only its one interface.
        below["bench"] = "core kernels io text loras nn backends models sampling pipeline"
    }
    function refuse(why) {
        printf "%s:%d: %s: %s\n", FILENAME, FNR, why, $0
        bad++
    }
    function has(list, word) { return index(" " list " ", " " word " ") > 0 }
    # Follow the rooms that the last one on the way includes, and name the includes that lead back to one on it.
    function follow(way,    rooms, count, on, last, i, k) {
        last = split(way, on, " ")
        visited[on[last]] = 1
        count = split(includes[on[last]], rooms, " ")
        for (i = 1; i <= count; i++) {
            if (has(way, rooms[i])) {
                circles++
                on[last + 1] = rooms[i]
                for (k = last; k > 0; k--) {
                    printf "%s: in a circle, %s includes %s\n", example[on[k], on[k + 1]], on[k], on[k + 1]
                    if (on[k] == rooms[i]) break
                }
            } else if (!(rooms[i] in visited)) follow(way " " rooms[i])
        }
    }
    FNR == 1 {
        files++
        split(FILENAME, part, "/")
        floor = part[1] == "src" ? part[2] : part[1]
        if (part[1] == "src" && !(floor in below)) refuse("unknown floor " floor)
        # Folders of the program include each other by the names that they have in it.
        home = part[1] == "src" ? part[1] "/" part[2] : part[1] == "apps" ? part[1] "/" part[2] : ""
        room = home != "" && part[4] != "" ? home "/" part[3] : ""
    }
    /^[ \t]*#[ \t]*include[ \t]*["<]/ {
        target = $0
        sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", target)
        sub(/[">].*$/, "", target)
        folder = target ~ /\// ? substr(target, 1, index(target, "/") - 1) : ""
        is_floor = folder in below
        # Nobody outside models looks into the folder of a network or of a family, and none of those into another.
        if (target ~ /^models\/[a-z0-9_]+\// && target !~ /^models\/layouts\//) {
            split(target, inside, "/")
            of = part[3]
            if (folder != floor) refuse("of models the interface and the registry only")
            else if (inside[2] != of && inside[2] != "blocks" && target != "models/families/rows.h")
                refuse("a network may not look into another")
        }
        other = home == "" ? "" : part[1] == "apps" ? home "/" target : "src/" target
        if (room != "" && split(other, inside, "/") >= 4 && inside[2] == part[2]) {
            other = inside[1] "/" inside[2] "/" inside[3]
            if (other != room && !((room, other) in example)) {
                example[room, other] = FILENAME ":" FNR
                includes[room] = includes[room] " " other
            }
        }
        # Of a backend its table only: that which of them runs is not known above. Measuring may.
        if (target ~ /^backends\/[a-z0-9_]+\// && floor != "bench") {
            split(target, inside, "/")
            if (floor != "backends" || part[3] != inside[2]) refuse("a backend stands behind its table")
        }
        if (target ~ /\.\./) refuse("no way out of the folder")
        else if (folder == "pladis") {
            if (target == "pladis/pladis.h" && part[1] == "src" && floor != "pipeline")
                refuse("only pipeline knows the whole public interface")
        }
        else if (part[1] == "apps" && target == "bench/bench.h") next
        else if (!(floor in below) && is_floor) refuse("only public headers here")
        else if (is_floor && folder != floor && !has(below[floor], folder))
            refuse(floor " may not include " folder)
        else if (target ~ /^(dnnl|oneapi|omp\.h)/) refuse("own products and threads alone")
    }
    END {
        for (at in includes)
            if (!(at in visited)) follow(at)
        printf "%d files, %d includes against the floors, %d circles of rooms\n", files, bad, circles
        exit bad + circles > 0 || files < 50
    }'
