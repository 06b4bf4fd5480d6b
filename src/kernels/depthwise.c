/* SPDX-License-Identifier: Apache-2.0 */
/* Channels in stripes whose rows of pixels the second level of the cache holds until the next rows of the
 * output have read them, too. */
#include "kernels/depthwise.h"

#include "core/parallel.h"
#include "kernels/cuts.h"

enum { STRIPE = 128, STRIPE_ROWS = 16 }; /* channels, and rows of the output, of an item */

/** An item is a stripe of channels of some rows of a picture. */
typedef struct depthwise_job {
    const pld_kernels *k;
    const pld_depthwise *d;
    int64_t out_channels, stripes, row_parts;
} depthwise_job;

static void run_rows(const depthwise_job *job, int64_t picture, int64_t part, int64_t first) {
    const pld_depthwise *d = job->d;
    const int64_t row_floats = d->width * d->channels;
    const float *x = d->x + picture * d->height * row_floats + first;
    float *out = d->out + picture * d->height * d->width * job->out_channels + first;
    pld_depthwise_row row = {.side = d->side,
                             .pixel = d->channels,
                             .width = d->width,
                             .channels = pld_smaller(STRIPE, job->out_channels - first),
                             .partner = d->gated ? job->out_channels : 0,
                             .weights = d->weights + first,
                             .weight_row = d->channels,
                             .bias = d->bias ? d->bias + first : NULL,
                             .out_pixel = job->out_channels};
    const int64_t end = pld_smaller((part + 1) * STRIPE_ROWS, d->height);
    for (int64_t y = part * STRIPE_ROWS; y < end; y++) {
        for (int64_t dy = 0; dy < d->side; dy++) {
            const int64_t from = y + dy - d->side / 2;
            row.rows[dy] = from < 0 || from >= d->height ? NULL : x + from * row_floats;
        }
        row.out = out + y * d->width * job->out_channels;
        job->k->depthwise_row(&row);
    }
}

static void run_items(void *context, size_t begin, size_t end, int thread) {
    const depthwise_job *job = context;
    (void)thread;
    for (size_t item = begin; item < end; item++) {
        const int64_t stripe = (int64_t)item % job->stripes;
        const int64_t part = (int64_t)item / job->stripes % job->row_parts;
        run_rows(job, (int64_t)item / job->stripes / job->row_parts, part, stripe * STRIPE);
    }
}

void pld_depthwise_run(const pld_kernels *k, const pld_depthwise *depthwise, int threads) {
    depthwise_job job = {.k = k, .d = depthwise, .row_parts = pld_parts(depthwise->height, STRIPE_ROWS)};
    job.out_channels = depthwise->gated ? depthwise->channels / 2 : depthwise->channels;
    job.stripes = pld_parts(job.out_channels, STRIPE);
    pld_parallel_for(threads, (size_t)(depthwise->batch * job.row_parts * job.stripes), run_items, &job);
}
