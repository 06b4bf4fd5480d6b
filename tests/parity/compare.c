/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

#include <math.h>
#include <stdio.h>

double relative_error(const float *a, const float *b, size_t count) {
    double difference = 0;
    double norm = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    return norm > 0 ? sqrt(difference / norm) : sqrt(difference);
}

/** The error that came nearest to its tolerance, and how many there were. */
static struct {
    char what[96], tensor[128];
    double error, tolerance, share;
    int compared;
} largest = {.share = -1};

void check_error(const char *what, const char *tensor, double error, double tolerance) {
    const double share = error == 0 ? 0 : error / tolerance;
    printf("error %-28s %-40s %.2e of %.0e\n", what, tensor, error, tolerance);
    largest.compared++;
    if (!(share <= largest.share)) {
        largest.share = share;
        largest.error = error;
        largest.tolerance = tolerance;
        snprintf(largest.what, sizeof largest.what, "%s", what);
        snprintf(largest.tensor, sizeof largest.tensor, "%s", tensor);
    }
    if (!(error <= tolerance)) {
        fail_msg("%s: %s: relative error %.3e, allowed %.1e", what, tensor, error, tolerance);
    }
}

void report_errors(void) {
    printf("%d errors compared", largest.compared);
    if (largest.compared > 0) {
        printf("; nearest to its tolerance: %s, %s: %.2e of %.1e", largest.what, largest.tensor,
               largest.error, largest.tolerance);
    }
    printf("\n");
}

void check_status(pld_status status, const pld_error *error) {
    if (status != PLD_OK) {
        fail_msg("%s: %s", pld_status_text(status), error->message);
    }
}
