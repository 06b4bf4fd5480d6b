/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "terminal/message.h"
#include "terminal/output.h"
#include "terminal/terminal.h"

enum { LEAST_BAR = 8, MOST_BAR = 30, PART = 64, LINE = 512 };

static struct {
    bool shown;
    int picture;          /* that was last heard of */
    double done_seconds;  /* of the pictures before this one */
    double last_seconds;  /* of this one, as last heard */
    double began_seconds; /* of this one, when its first step began */
} state;

/** What a line may tell, "" for what it cannot. */
typedef struct progress_parts {
    double done;                         /* part of the work, from 0 to 1, as a bar; negative: none */
    char place[PART], short_place[PART]; /* "picture 2 of 4", "2/4" */
    char count[PART];                    /* "7/10" */
    char rate[PART];                     /* "0.5 s/step" */
    char left[PART];                     /* "12 s left" */
} progress_parts;

/** Note which picture is at work, and what those before it took. */
static void note_picture(const pld_progress *progress) {
    if (progress->image != state.picture) {
        state.done_seconds = progress->image > 0 ? state.done_seconds + state.last_seconds : 0;
        state.picture = progress->image;
    }
    state.last_seconds = progress->seconds;
}

/** "12 s", "3 min 05 s" or "2 h 07 min". */
static void format_left(double seconds, char text[PART]) {
    const long whole = seconds > 0 ? (long)(seconds + 0.5) : 0;
    if (whole < 60) {
        snprintf(text, PART, "%ld s left", whole);
    } else if (whole < 3600) {
        snprintf(text, PART, "%ld min %02ld s left", whole / 60, whole % 60);
    } else {
        snprintf(text, PART, "%ld h %02ld min left", whole / 3600, whole / 60 % 60);
    }
}

/** Two digits that count: "0.05 s/step", "1.3 s/step", "75 s/step". */
static void format_rate(double seconds, const char *of, char text[PART]) {
    snprintf(text, PART, "%.*f s/%s", seconds < 1 ? 2 : seconds < 10 ? 1 : 0, seconds, of);
}

/** `width` characters, `done` of them filled. */
static void append_bar(char line[LINE], int width, double done) {
    const bool utf8 = terminal_is_utf8();
    const char *full = utf8 ? "━" : "#", *empty = utf8 ? "─" : ".";
    const int filled = (int)(width * done + 1e-9);
    for (int i = 0; i < width; i++) {
        strncat(line, i < filled ? full : empty, LINE - strlen(line) - 1);
    }
}

static void append(char line[LINE], const char *text) {
    if (text[0] != '\0') {
        strncat(line, line[0] != '\0' ? "  " : "", LINE - strlen(line) - 1);
        strncat(line, text, LINE - strlen(line) - 1);
    }
}

/** A line of less and less detail, with a bar of `bar` characters. */
static void describe(const progress_parts *parts, int detail, int bar, char line[LINE]) {
    line[0] = '\0';
    append(line, detail >= 5 ? parts->place : detail >= 2 ? parts->short_place : "");
    if (bar > 0) {
        strncat(line, line[0] != '\0' ? "  " : "", LINE - strlen(line) - 1);
        append_bar(line, bar, parts->done);
    }
    append(line, parts->count);
    append(line, detail >= 3 ? parts->rate : "");
    append(line, detail >= 1 ? parts->left : "");
}

/** The most telling line that fits into `columns`: first the words shrink, then bar, rate, place and time go.
 */
static void fit(const progress_parts *parts, int columns, char line[LINE]) {
    for (int detail = 5; detail >= 0; detail--) {
        const bool bar = detail >= 4 && parts->done >= 0;
        describe(parts, detail, 0, line);
        const int room = columns - terminal_width(line) - (bar ? 2 : 0);
        if (bar && room >= LEAST_BAR) {
            describe(parts, detail, room < MOST_BAR ? room : MOST_BAR, line);
            return;
        }
        if (!bar && room >= 0) {
            return;
        }
    }
}

/** Cut a line of ASCII to `columns`: what is left when even the shortest does not fit. */
static void cut(char line[LINE], int columns) {
    if (terminal_width(line) > columns) {
        line[columns > 0 ? columns : 0] = '\0';
    }
}

/** The last column stays free, since some terminals wrap when it is written. */
static void print(const progress_parts *parts) {
    char line[LINE] = "";
    const int columns = terminal_columns() - 1;
    fit(parts, columns, line);
    cut(line, columns);
    print_message("\r%s\033[K", line);
    state.shown = true;
}

static bool is_wanted(void) {
    return message_verbosity() != VERBOSITY_QUIET && isatty(STDERR_FILENO);
}

/** Seconds until the last picture is done, were all like those so far; negative while unknown. */
static double seconds_left_in_all(const pld_progress *progress) {
    if (progress->seconds_left < 0) {
        return -1;
    }
    double so_far = state.done_seconds + progress->seconds + progress->seconds_left;
    return progress->seconds_left + so_far / (progress->image + 1) * (progress->images - progress->image - 1);
}

bool progress_show(void *user, const pld_progress *progress) {
    progress_parts parts = {.done = -1};
    (void)user;
    note_picture(progress);
    const bool steps = strcmp(progress->stage, "denoise") == 0;
    if (steps && progress->step == 0) {
        state.began_seconds = progress->seconds;
    }
    if (!is_wanted()) {
        return true;
    }
    if (progress->images > 1) {
        snprintf(parts.place, PART, "picture %d of %d", progress->image + 1, progress->images);
        snprintf(parts.short_place, PART, "%d/%d", progress->image + 1, progress->images);
    }
    if (steps && progress->steps > 0) {
        const double left = seconds_left_in_all(progress);
        parts.done = progress->step < progress->steps ? (double)progress->step / progress->steps : 1;
        snprintf(parts.count, PART, "%d/%d", progress->step, progress->steps);
        if (progress->step > 0) {
            format_rate((progress->seconds - state.began_seconds) / progress->step, "step", parts.rate);
        }
        if (left >= 0) {
            format_left(left, parts.left);
        }
    } else {
        snprintf(parts.count, PART, "%s ...", progress->stage);
    }
    print(&parts);
    return true;
}

void progress_show_count(size_t done, size_t all, double seconds_each, double seconds_left) {
    progress_parts parts = {.done = (double)done / (double)all};
    if (!is_wanted()) {
        return;
    }
    snprintf(parts.count, PART, "%zu/%zu", done, all);
    format_rate(seconds_each, "picture", parts.rate);
    format_left(seconds_left, parts.left);
    print(&parts);
}

void progress_show_part(double done) {
    progress_parts parts = {.done = done < 1 ? done : 1};
    if (is_wanted()) {
        snprintf(parts.count, PART, "%.0f %%", 100 * parts.done);
        print(&parts);
    }
}

void progress_clear(void) {
    if (state.shown) {
        print_message("\r\033[K");
        state.shown = false;
    }
}
