/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures/cost.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_CALLS = 5 };

void call_times_note(call_times *times, int step, double now) {
    if (step == 0) {
        times->count = 0;
    } else if (times->count == times->capacity) {
        const size_t capacity = times->capacity > 0 ? 2 * times->capacity : 64;
        double *seconds = realloc(times->seconds, capacity * sizeof *seconds);
        if (seconds != NULL) {
            times->seconds = seconds;
            times->capacity = capacity;
        }
    }
    if (step > 0 && times->count < times->capacity) {
        times->seconds[times->count++] = now - times->last;
    }
    times->last = now;
}

void call_times_free(call_times *times) {
    free(times->seconds);
    *times = (call_times){0};
}

static int compare_seconds(const void *a, const void *b) {
    const double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/** What `part` of the sorted numbers do not exceed, between neighbours. */
static double quantile(const double *sorted, size_t count, double part) {
    const double place = part * (double)(count - 1);
    const size_t below = (size_t)place;
    const size_t above = below + 1 < count ? below + 1 : below;
    const double share = place - (double)below;
    return sorted[below] * (1 - share) + sorted[above] * share;
}

/** Calls of some pictures. */
typedef struct kind_of_calls {
    double *sorted; /* [count] */
    size_t count, pictures;
    double least_lower, most_upper; /* of the quartiles of the halves */
} kind_of_calls;

/** Take in `count` calls that followed each other. */
static void add_stretch(kind_of_calls *kind, const double *seconds, size_t count) {
    double *own = kind->sorted + kind->count;
    memcpy(own, seconds, count * sizeof *own);
    qsort(own, count, sizeof *own, compare_seconds);
    const double lower = quantile(own, count, 0.25), upper = quantile(own, count, 0.75);
    kind->least_lower = kind->count == 0 || lower < kind->least_lower ? lower : kind->least_lower;
    kind->most_upper = kind->count == 0 || upper > kind->most_upper ? upper : kind->most_upper;
    kind->count += count;
}

/** Take in pictures, each in two halves where they are long enough, so that a machine that becomes busy
 * is noticed. False when memory is out or a picture is too short. */
static bool gather(const call_times *const *pictures, size_t count, kind_of_calls *kind) {
    size_t all = 1;
    bool enough = count > 0;
    for (size_t i = 0; i < count; i++) {
        all += pictures[i]->count;
        enough = enough && pictures[i]->count > LEAST_CALLS;
    }
    *kind = (kind_of_calls){.sorted = enough ? malloc(all * sizeof *kind->sorted) : NULL, .pictures = count};
    for (size_t i = 0; kind->sorted != NULL && i < count; i++) {
        const double *seconds = pictures[i]->seconds + 1;
        const size_t used = pictures[i]->count - 1;
        const size_t first = used / 2 >= LEAST_CALLS ? used / 2 : used;
        add_stretch(kind, seconds, first);
        if (used > first) {
            add_stretch(kind, seconds + first, used - first);
        }
    }
    if (kind->sorted != NULL) {
        qsort(kind->sorted, kind->count, sizeof *kind->sorted, compare_seconds);
    }
    return kind->sorted != NULL;
}

/** All calls of one picture, the first counted as long as the others. */
static double seconds_a_picture(const kind_of_calls *kind) {
    const double calls = (double)kind->count / (double)kind->pictures + 1;
    return quantile(kind->sorted, kind->count, 0.5) * calls;
}

bool pladis_cost_measure(const call_times *const *without, size_t without_count,
                         const call_times *const *with, size_t with_count, pladis_cost *cost) {
    kind_of_calls off = {0}, on = {0};
    bool certain = gather(without, without_count, &off) && gather(with, with_count, &on) &&
                   on.least_lower > off.most_upper;
    if (certain) {
        *cost = (pladis_cost){seconds_a_picture(&off), seconds_a_picture(&on)};
    }
    free(off.sorted);
    free(on.sorted);
    return certain;
}
