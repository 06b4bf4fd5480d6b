/* SPDX-License-Identifier: Apache-2.0 */
/* Several values of options. The first byte even: one axis, "pladis=0,1,2"; odd: a grid, "pladis=0,1
 * cfg-scale=1,4". */
#include <stdlib.h>
#include <string.h>

#include "evaluate/grids.h"
#include "fuzz.h"
#include "request/sweep.h"

/** Every value of an accepted axis was tried, so each can be given to settings. */
static void check_axis(const sweep_axis *axis) {
    static generate_request settings;
    char label[64];
    FUZZ_REQUIRE(axis->row && axis->row->of_picture && axis->count > 0 && axis->count <= SWEEP_MOST_VALUES);
    for (size_t i = 0; i < axis->count; i++) {
        FUZZ_REQUIRE(generate_options_defaults(&settings));
        FUZZ_REQUIRE(sweep_axis_apply(axis, i, &settings));
        FUZZ_REQUIRE(settings.output != NULL && settings.report == NULL && settings.dump == NULL);
        const pld_option_value *timesteps = pld_options_get(settings.values, NULL, "timesteps");
        FUZZ_REQUIRE(timesteps->count <= 1000 && timesteps->count == settings.timestep_count);
        for (size_t j = 0; j < timesteps->count; j++) {
            FUZZ_REQUIRE(timesteps->numbers[j] >= 0 && timesteps->numbers[j] <= 1000);
            FUZZ_REQUIRE(j == 0 || timesteps->numbers[j] < timesteps->numbers[j - 1]);
        }
        sweep_axis_label(axis, i, label, sizeof label);
        FUZZ_REQUIRE(strlen(label) < sizeof label);
        generate_options_free(&settings);
    }
}

static void one_axis(const char *text) {
    sweep_axis axis;
    if (sweep_axis_parse("x", text, &axis)) {
        check_axis(&axis);
    } else {
        FUZZ_REQUIRE(axis.count == 0 && axis.values == NULL);
    }
    sweep_axis_free(&axis);
}

static void whole_grid(const char *text) {
    evaluate_grid grid = {0};
    if (evaluate_grid_parse(text, &grid)) {
        FUZZ_REQUIRE(grid.count > 0 && grid.count <= EVALUATE_MOST_AXES);
        for (size_t i = 0; i < grid.count; i++) {
            check_axis(&grid.axes[i]);
        }
    }
    evaluate_grid_free(&grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_quiet();
    if (size == 0) {
        return 0;
    }
    char *text = malloc(size);
    FUZZ_REQUIRE(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    (data[0] % 2 == 0 ? one_axis : whole_grid)(text);
    free(text);
    return 0;
}
