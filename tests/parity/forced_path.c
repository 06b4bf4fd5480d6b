/* SPDX-License-Identifier: Apache-2.0 */
#include "forced_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"
#include "core/parallel.h"

static const char *setting(const char *variable) {
    const char *value = getenv(variable);
    return value && *value ? value : "";
}

static bool is_set_to(const char *variable, const char *value) {
    return strcmp(setting(variable), value) == 0;
}

const pld_kernels *forced_kernels(void) {
    enum { SKIPPED = 77 };
    const char *name = setting("PLADIS_TEST_ISA");
    if (!*name) {
        return pld_kernels_get(PLD_ISA_BEST);
    }
    const pld_isa isa = pld_isa_from_name(name);
    if (isa == PLD_ISA_COUNT || !pld_isa_supported(isa)) {
        printf("SKIPPED: this CPU has no %s, its kernels did not run\n", name);
        exit(SKIPPED);
    }
    return pld_kernels_get(isa);
}

static const char *forced_conv(void) {
    const char *name = setting("PLADIS_TEST_CONV");
    return *name ? name : "auto";
}

bool forced_bf16(void) {
    return is_set_to("PLADIS_TEST_DTYPE", "bf16");
}

bool forced_int8(void) {
    return is_set_to("PLADIS_TEST_DTYPE", "int8");
}

pld_product_settings forced_settings(void) {
    const char *conv = forced_conv();
    return (pld_product_settings){.conv = strcmp(conv, "direct") == 0     ? PLD_CONV_DIRECT
                                          : strcmp(conv, "winograd") == 0 ? PLD_CONV_WINOGRAD
                                                                          : PLD_CONV_AUTO,
                                  .low_memory = *setting("PLADIS_TEST_LOW_MEMORY") != 0,
                                  .split = forced_bf16() || is_set_to("PLADIS_TEST_DTYPE", "split")};
}

static pld_device *device;

pld_device *forced_device(void) {
    pld_error error = {0};
    const pld_device_options options = {pld_available_threads(), pld_isa_name(forced_kernels()->isa)};
    if (!device) {
        check_status(pld_backend_cpu.open(&options, &device, &error), &error);
    }
    return device;
}

pld_run forced_run(pld_plan *plan) {
    return (pld_run){.plan = plan, .device = forced_device(), .settings = forced_settings()};
}

static pld_engine *engine;

pld_engine *forced_engine(void) {
    pld_error error = {0};
    pld_engine_options options;
    if (!engine) {
        pld_engine_options_init(&options, sizeof options);
        options.isa = pld_isa_name(forced_kernels()->isa);
        options.conv = forced_conv();
        options.low_memory = forced_settings().low_memory;
        check_status(pld_engine_create(&options, &engine, &error), &error);
    }
    return engine;
}

void forced_path_close(void) {
    pld_engine_destroy(&engine);
    if (device) {
        pld_backend_cpu.close(&device);
    }
}
