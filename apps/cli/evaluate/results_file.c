/* SPDX-License-Identifier: Apache-2.0 */
#include "evaluate/results_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files/whole_file.h"
#include "terminal/message.h"
#include "values/json_values.h"

enum { LONGEST_LINE = 512 /* that results_file_add writes */ };

static bool failed(const results_file *results, const char *what) {
    message_failure("%s: cannot be %s: %s", results->path, what, strerror(errno));
    return false;
}

/** All bytes of the file, with a zero byte behind them; NULL after an error line. */
static char *read_all(const results_file *results, size_t *size) {
    enum { MOST_BYTES = 1 << 30 };
    struct stat status;
    if (fstat(results->file, &status) != 0) {
        failed(results, "read");
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        message_failure(
            "%s: expected a regular file with results, found something else; use another --output",
            results->path);
        return NULL;
    }
    if (status.st_size > MOST_BYTES) {
        message_failure("%s: expected at most %d bytes of results, found %lld; use another --output",
                        results->path, (int)MOST_BYTES, (long long)status.st_size);
        return NULL;
    }
    *size = (size_t)status.st_size;
    char *text = malloc(*size + 1);
    if (text == NULL || pread(results->file, text, *size, 0) != (ssize_t)*size) {
        failed(results, "read");
        free(text);
        return NULL;
    }
    text[*size] = '\0';
    return text;
}

/** Say in which field two headers differ. */
static void report_difference(const results_file *results, const char *field, const json_t *mine,
                              const json_t *theirs) {
    char *expected = json_write(mine, JSON_COMPACT | JSON_ENCODE_ANY);
    char *found = theirs != NULL ? json_write(theirs, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    message_failure("%s: contains a different evaluation: field '%s': expected %.200s, found %.200s; use "
                    "another --output, or remove the file to start over",
                    results->path, field, expected != NULL ? expected : "?",
                    found != NULL ? found : "nothing");
    free(expected);
    free(found);
}

/** The same value in each field of the header, options one by one. False after an error line. */
static bool same_fields(const results_file *results, const json_t *header, const json_t *other) {
    const char *field;
    json_t *value;
    json_object_foreach((json_t *)header, field, value) {
        const json_t *found = json_object_get(other, field);
        if (json_is_object(value) && json_is_object(found) &&
            json_object_size(value) == json_object_size(found)) {
            if (!same_fields(results, value, found)) {
                return false;
            }
        } else if (found == NULL || !json_equal(value, (json_t *)found)) {
            report_difference(results, field, value, found);
            return false;
        }
    }
    return true;
}

/** The file is of this evaluation. */
static bool check_header(const results_file *results, const char *line, const json_t *header) {
    json_error_t problem;
    json_t *found = json_read(line, strlen(line), &problem);
    bool same = json_is_object(found) && json_object_get(found, "format") != NULL;
    if (json_memory_was_out()) {
        message_failure("%s: out of memory", results->path);
    } else if (!same) {
        message_failure("%s: is not a results file of pladis evaluate; use another --output", results->path);
    }
    same = same && !json_memory_was_out() && same_fields(results, header, found);
    json_decref(found);
    return same;
}

static bool read_index(const json_t *line, const char *field, size_t limit, size_t *value) {
    const json_t *number = json_object_get(line, field);
    *value = (size_t)json_integer_value(number);
    return json_is_integer(number) && json_integer_value(number) >= 0 && *value < limit;
}

static bool read_outcome(const json_t *line, outcome *came) {
    const json_t *verdict = json_object_get(line, "verdict"),
                 *evaluations = json_object_get(line, "evaluations");
    const json_t *denoise = json_object_get(line, "denoise_seconds"), *all = json_object_get(line, "seconds");
    bool whole = json_is_object(verdict) && json_is_integer(evaluations) && json_is_number(denoise) &&
                 json_is_number(all);
    for (int i = 0; whole && i < PLD_ASPECT_COUNT; i++) {
        const json_t *aspect = json_object_get(verdict, pld_world_word(PLD_WORLD_ASPECTS, i));
        whole = json_is_boolean(aspect) || (json_is_null(aspect) && i != PLD_ASPECT_ALL);
        came->verdict[i] = json_is_null(aspect) ? PLD_ANY : json_is_true(aspect);
    }
    came->done = true;
    came->evaluations = (int)json_integer_value(evaluations);
    came->denoise_seconds = json_number_value(denoise);
    came->seconds = json_number_value(all);
    return whole;
}

/** Take one line over; false where it is damaged, out of range or there twice. */
static bool read_line(const char *text, outcomes *known) {
    json_error_t problem;
    json_t *line = json_read(text, strlen(text), &problem);
    picture_place at = {0};
    outcome came = {0};
    bool good = json_is_object(line) && read_index(line, "setting", known->settings, &at.setting) &&
                read_index(line, "prompt", known->prompts, &at.prompt) &&
                read_index(line, "repetition", known->seeds, &at.repetition) && read_outcome(line, &came);
    json_decref(line);
    if (good) {
        outcome *place = &known->items[outcomes_index(known, at)];
        good = !place->done;
        known->done += good;
        *place = came;
    }
    return good;
}

/** Of a line that was not taken. */
static bool report_damage(const results_file *results, size_t number) {
    if (json_memory_was_out()) {
        message_failure("%s: out of memory", results->path);
        return false;
    }
    message_failure(
        "%s: line %zu is damaged or appears twice; remove the line, or remove the file to start over",
        results->path, number);
    return false;
}

/** One line, text[length], whose end has been made a zero byte; behind another one nothing would be read. */
static bool take_line(const results_file *results, const char *line, size_t length, size_t number,
                      const json_t *header, outcomes *known) {
    if (strlen(line) != length) {
        return report_damage(results, number);
    }
    return number == 1 ? check_header(results, line, header)
                       : read_line(line, known) || report_damage(results, number);
}

/** Everything that is whole in text[size]; *used bytes of it in *lines lines. */
static bool read_lines(const results_file *results, char *text, size_t size, const json_t *header,
                       outcomes *known, size_t *used, size_t *lines) {
    for (char *end; (end = memchr(text + *used, '\n', size - *used)) != NULL;) {
        char *line = text + *used;
        *end = '\0';
        if (!take_line(results, line, (size_t)(end - line), ++*lines, header, known)) {
            return false;
        }
        *used = (size_t)(end - text) + 1;
    }
    return true;
}

/** What stands behind the last line that ends: nothing; a line whose end alone is missing, which is given it
 * and counts in *used; or the beginning of a line of a run that was killed, which may be cut off. Anything
 * else is somebody's, and stays. */
static bool check_rest(const results_file *results, const char *rest, size_t length, size_t number,
                       outcomes *known, size_t *used) {
    static const char beginning[] = "{\"setting\":";
    const size_t shorter = length < sizeof beginning - 1 ? length : sizeof beginning - 1;
    if (strlen(rest) != length || length >= LONGEST_LINE || memcmp(rest, beginning, shorter) != 0) {
        return report_damage(results, number);
    }
    if (length > 0 && read_line(rest, known)) {
        *used += length + 1;
        return write(results->file, "\n", 1) == 1 || failed(results, "written");
    }
    if (length > 0) {
        message_note("%s: line %zu was cut short; its picture will be drawn again", results->path, number);
    }
    return true;
}

/** Begin an empty file, or cut off the half line of a run that was killed. */
static bool make_ready(const results_file *results, const json_t *header, char *text, size_t size,
                       size_t used) {
    char *line = json_write(header, JSON_COMPACT);
    if (line == NULL) {
        message_failure("%s: out of memory", results->path);
        return false;
    }
    size_t length = strlen(line);
    bool foreign = used == 0 && (strlen(text) != size || strncmp(text, line, size) != 0 || size > length);
    bool done = !foreign;
    if (foreign) {
        message_failure("%s: is not a results file of pladis evaluate; use another --output", results->path);
    } else if (ftruncate(results->file, (off_t)used) != 0) {
        done = failed(results, "written");
    } else if (used == 0) {
        line[length] = '\n'; /* in place of the zero byte */
        done = write(results->file, line, length + 1) == (ssize_t)length + 1 || failed(results, "written");
    }
    free(line);
    return done;
}

bool results_file_open(const char *path, const json_t *header, outcomes *known, results_file *results) {
    *results = (results_file){.file = -1};
    snprintf(results->path, sizeof results->path, "%s", path);
    results->file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (results->file < 0) {
        return failed(results, "written");
    }
    if (flock(results->file, LOCK_EX | LOCK_NB) != 0) {
        message_failure("%s: another run is writing to it; wait for that run to end, or use another --output",
                        path);
        return false;
    }
    size_t size = 0, used = 0, lines = 0;
    char *text = read_all(results, &size);
    bool done = text != NULL && read_lines(results, text, size, header, known, &used, &lines) &&
                (used == 0 || check_rest(results, text + used, size - used, lines + 1, known, &used)) &&
                make_ready(results, header, text, size, used);
    free(text);
    return done;
}

bool results_file_add(results_file *results, picture_place at, int64_t seed, const outcome *came) {
    char line[LONGEST_LINE];
    int length =
        snprintf(line, sizeof line,
                 "{\"setting\":%zu,\"prompt\":%zu,\"repetition\":%zu,\"seed\":%lld,\"evaluations\":%d,"
                 "\"denoise_seconds\":%.6f,\"seconds\":%.6f,\"verdict\":{",
                 at.setting, at.prompt, at.repetition, (long long)seed, came->evaluations,
                 came->denoise_seconds, came->seconds);
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        length += snprintf(line + length, sizeof line - (size_t)length, "%s\"%s\":%s", i > 0 ? "," : "",
                           pld_world_word(PLD_WORLD_ASPECTS, i),
                           came->verdict[i] == PLD_ANY ? "null"
                           : came->verdict[i]          ? "true"
                                                       : "false");
    }
    length += snprintf(line + length, sizeof line - (size_t)length, "}}\n");
    struct stat before;
    const bool known = fstat(results->file, &before) == 0;
    ssize_t written;
    do {
        written = write(results->file, line, (size_t)length);
    } while (written < 0 && errno == EINTR);
    if (written >= 0 && written < length) { /* no half line stays */
        (void)!(known && ftruncate(results->file, before.st_size));
        errno = ENOSPC;
    }
    return written == length || failed(results, "written");
}

void results_file_close(results_file *results) {
    if (results->file >= 0) {
        close(results->file);
    }
    results->file = -1;
}
