/* SPDX-License-Identifier: Apache-2.0 */
/* The file of `pladis bench --compare`, beside a run of two results that nobody measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "measure/report.h"
#include "terminal/output.h"

const bench_result *bench_get_results(const bench_run *run, size_t *count) {
    static const bench_result results[] = {{.group = "kernels",
                                            .name = "silu",
                                            .shape = "4096",
                                            .unit = "s",
                                            .median = 1e-6,
                                            .lower = 9e-7,
                                            .upper = 2e-6},
                                           {.group = "stages",
                                            .name = "memory",
                                            .shape = "",
                                            .unit = "bytes",
                                            .median = 1e9,
                                            .lower = 1e9,
                                            .upper = 1e9}};
    (void)run;
    *count = sizeof results / sizeof *results;
    return results;
}

const bench_machine *bench_get_machine(const bench_run *run) {
    static const bench_machine machine = {.cpu = "a CPU", .isa = "scalar", .threads = 2};
    (void)run;
    return &machine;
}

double bench_peak_of(const bench_machine *machine, const bench_result *result) {
    (void)machine;
    (void)result;
    return 0;
}

const char *bench_commit(void) {
    return "unknown";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bench_old *old = NULL;
    fuzz_quiet();
    if (bench_old_read(fuzz_file(data, size), &old)) {
        size_t length = 0;
        fuzz_print_begin();
        bench_old_compare(old, NULL, print_output);
        const char *text = fuzz_printed(&length);
        FUZZ_REQUIRE(length > 0);
        if (FUZZ_ALL_MADE_PRINTABLE) {
            fuzz_require_plain(text, length);
        }
    }
    bench_old_free(&old);
    return 0;
}
