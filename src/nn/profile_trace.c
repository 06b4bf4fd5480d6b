/* SPDX-License-Identifier: Apache-2.0 */
/** A profile as JSON in the trace-event format: complete events ("ph": "X") in microseconds on one row, where
 * the viewer nests what lies inside each other. */
#include <stdio.h>
#include <string.h>

#include "io/atomic_file.h"
#include "nn/profile.h"

/** `text` as the inside of a JSON string; layer names are plain, anything else becomes "?". */
static const char *plain(const char *text, char *out, size_t size) {
    size_t used = 0;
    for (; *text && used + 1 < size; text++, used++) {
        const bool safe = *text >= ' ' && *text <= '~' && *text != '"' && *text != '\\';
        out[used] = '?';
        if (safe) {
            out[used] = *text;
        }
    }
    out[used] = 0;
    return out;
}

static pld_status write_text(pld_atomic_file *file, const char *text, pld_error *error) {
    return pld_atomic_file_write(file, text, strlen(text), error);
}

static pld_status write_span(pld_atomic_file *file, const pld_profile_span *span, bool last,
                             pld_error *error) {
    static const char *const categories[] = {"stage", "network", "prepare", "operator"};
    char line[640], name[PLD_PROFILE_NAME], shape[PLD_PROFILE_NAME], implementation[PLD_PROFILE_WORD];
    double rate = span->operations > 0 && span->seconds > 0 ? span->operations / span->seconds / 1e9 : 0;
    snprintf(line, sizeof line,
             "{\"name\":\"%s\",\"cat\":\"%s\",\"ph\":\"X\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":1,\"tid\":1,"
             "\"args\":{\"network\":\"%s\",\"kind\":\"%s\",\"shape\":\"%s\",\"implementation\":\"%s\","
             "\"gflops\":%.2f}}%s\n",
             plain(span->name, name, sizeof name), categories[span->level], 1e6 * span->begin,
             1e6 * span->seconds, span->network, span->kind, plain(span->shape, shape, sizeof shape),
             plain(span->implementation, implementation, sizeof implementation), rate, last ? "" : ",");
    return write_text(file, line, error);
}

static pld_status write_all(pld_atomic_file *file, const pld_profile *profile, pld_error *error) {
    size_t count;
    const pld_profile_span *spans = pld_profile_spans(profile, &count);
    PLD_TRY(write_text(file,
                       "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
                       "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"pladis\"}}",
                       error));
    PLD_TRY(write_text(file, count ? ",\n" : "\n", error));
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(write_span(file, &spans[i], i + 1 == count, error));
    }
    return write_text(file, "]}\n", error);
}

pld_status pld_profile_write_trace(const pld_profile *profile, const char *path, pld_error *error) {
    pld_atomic_file *file = NULL;
    PLD_TRY(pld_atomic_file_open(path, &file, error));
    pld_status status = write_all(file, profile, error);
    if (status == PLD_OK) {
        return pld_atomic_file_commit(&file, error);
    }
    pld_atomic_file_discard(&file);
    return status;
}
