# SPDX-License-Identifier: Apache-2.0
# Public headers with other structs, as callers of other versions have them: each struct that begins with struct_size
# loses its last fields, or gets some more at its end.
#
#     awk -v drop=1 …       without the last field
#     awk -v share=0.25 …   without the last quarter of the fields
#     awk -v grow=1 …       with two more
#     awk -v list=1 …       nothing but lines "struct field", "enumerator NAME" and "function DECLARATION"
#
# Comments go, so that a semicolon is the end of a field.
function without_comments(text,    out, at) {
    out = ""
    while ((at = index(text, "/*")) > 0) {
        out = out substr(text, 1, at - 1) " "
        text = substr(text, at + 2)
        text = substr(text, index(text, "*/") + 2)
    }
    return out text
}

# The name that a declarator declares: "*name", "name[4]", "(*name)(int)".
function declared(text) {
    if (match(text, /\(\*[a-z_]+\)/)) {
        return substr(text, RSTART + 2, RLENGTH - 3)
    }
    sub(/\[.*/, "", text)
    sub(/ *$/, "", text)
    sub(/.*[ *]/, "", text)
    return text
}

function print_fields(name, body,    fields, count, parts, i, j, n) {
    count = split(body, fields, ";")
    for (i = 1; i < count; i++) {
        n = fields[i] ~ /\(\*/ ? 1 : split(fields[i], parts, ",")
        for (j = 1; j <= n; j++) {
            print name " " declared(n == 1 ? fields[i] : parts[j])
        }
    }
}

function print_struct(name, body,    fields, count, keep, i) {
    if (list) {
        print_fields(name, body)
        return
    }
    print "typedef struct " name " {"
    count = split(body, fields, ";") - 1
    keep = count
    if (fields[1] ~ /size_t struct_size/) {
        keep = count - (drop > count * share ? drop : int(count * share))
        keep = keep < 1 ? 1 : keep
    }
    for (i = 1; i <= keep; i++) {
        print fields[i] ";"
    }
    if (grow && fields[1] ~ /size_t struct_size/) {
        print "double appended_number; void *appended_pointer;"
    }
    print "} " name ";"
}

function print_enumerators(body,    parts, count, i) {
    count = split(body, parts, ",")
    for (i = 1; i <= count; i++) {
        if (parts[i] !~ /PLD_STATUS_LIST/ && match(parts[i], /PLD_[A-Z0-9_]+/)) {
            print "enumerator " substr(parts[i], RSTART, RLENGTH)
        }
    }
}

{ text = text $0 "\n" }

END {
    count = split(without_comments(text), lines, "\n")
    for (i = 1; i <= count; i++) {
        line = lines[i]
        if (line ~ /^typedef struct [a-z_]+ \{/) {
            split(line, words, " ")
            body = ""
            while (lines[++i] !~ /^\}/) {
                body = body " " lines[i]
            }
            print_struct(words[3], body)
        } else if (!list) {
            print line
        } else if (line ~ /^PLD_API/) {
            while (line !~ /;/) {
                line = line " " lines[++i]
            }
            print "function " line
        } else if (line ~ /^(typedef )?enum.*\{/) {
            body = line
            sub(/.*\{/, "", body)
            while (line !~ /\}/) {
                line = lines[++i]
                if (line !~ /^#/) {
                    body = body " " line
                }
            }
            sub(/\}.*/, "", body)
            print_enumerators(body)
        } else if (line ~ /^ *X\(PLD_/) {
            print_enumerators(line)
        }
    }
}
