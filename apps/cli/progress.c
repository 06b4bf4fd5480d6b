/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

enum { BAR_WIDTH = 30 };

static struct {
    bool shown;
    int picture, pictures;
    double done_seconds; /* of the pictures before this one */
    double last_seconds; /* of this one, as last heard */
} state = {.pictures = 1};

void progress_set_picture(int picture, int pictures) {
    state.done_seconds = picture > 0 ? state.done_seconds + state.last_seconds : 0;
    state.last_seconds = 0;
    state.picture = picture;
    state.pictures = pictures;
}

/** "12 s" or "3 min 05 s". */
static void format_time(double seconds, char *text, size_t size) {
    int whole = seconds > 0 ? (int)(seconds + 0.5) : 0;
    if (whole < 60) {
        snprintf(text, size, "%d s", whole);
    } else {
        snprintf(text, size, "%d min %02d s", whole / 60, whole % 60);
    }
}

/** Seconds until the last picture is done, were all like those so far; negative while unknown. */
static double seconds_left_in_all(const pld_progress *progress) {
    if (progress->seconds_left < 0) {
        return -1;
    }
    double so_far = state.done_seconds + progress->seconds + progress->seconds_left;
    return progress->seconds_left + so_far / (state.picture + 1) * (state.pictures - state.picture - 1);
}

bool progress_show(void *user, const pld_progress *progress) {
    (void)user;
    state.last_seconds = progress->seconds;
    if (message_verbosity() == VERBOSITY_QUIET || !isatty(STDERR_FILENO)) {
        return true;
    }
    char line[200] = "";
    size_t length = 0;
    if (state.pictures > 1) {
        length = (size_t)snprintf(line, sizeof line, "picture %d of %d  ", state.picture + 1, state.pictures);
    }
    if (progress->steps > 0 && strcmp(progress->stage, "denoise") == 0) {
        char bar[BAR_WIDTH + 1];
        int step = progress->step < progress->steps ? progress->step : progress->steps;
        int filled = (int)((double)BAR_WIDTH * step / progress->steps);
        for (int i = 0; i < BAR_WIDTH; i++) {
            bar[i] = i < filled ? '#' : '.';
        }
        bar[BAR_WIDTH] = '\0';
        char left[40] = "";
        double seconds_left = seconds_left_in_all(progress);
        if (seconds_left >= 0) {
            format_time(seconds_left, left, sizeof left);
        }
        snprintf(line + length, sizeof line - length, "[%s] %d/%d  %s%s", bar, step, progress->steps, left,
                 left[0] != '\0' ? " left" : "");
    } else {
        snprintf(line + length, sizeof line - length, "%s ...", progress->stage);
    }
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    state.shown = true;
    return true;
}

void progress_show_count(size_t done, size_t all, double seconds_left) {
    if (message_verbosity() == VERBOSITY_QUIET || !isatty(STDERR_FILENO)) {
        return;
    }
    char bar[BAR_WIDTH + 1], left[40] = "";
    const int filled = (int)((double)BAR_WIDTH * (double)done / (double)all);
    for (int i = 0; i < BAR_WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[BAR_WIDTH] = '\0';
    format_time(seconds_left, left, sizeof left);
    fprintf(stderr, "\r[%s] %zu of %zu pictures  %s left\033[K", bar, done, all, left);
    fflush(stderr);
    state.shown = true;
}

void progress_clear(void) {
    if (state.shown) {
        fprintf(stderr, "\r\033[K");
        state.shown = false;
    }
}
