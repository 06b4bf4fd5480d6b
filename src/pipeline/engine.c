/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/sized.h"
#include "pipeline/engine.h"
#include "pipeline/options/options.h"

enum { MAX_THREADS = 1024 };

static pld_engine_options make_defaults(void) {
    pld_engine_options defaults = {.log_level = PLD_LOG_NOTICE};
    pld_options_defaults(PLD_FIELD_OF_ENGINE, &defaults, sizeof defaults);
    return defaults;
}

void pld_engine_options_init(pld_engine_options *options, size_t struct_size) {
    const pld_engine_options defaults = make_defaults();
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

/** The cap that a name means: the best for NULL and "auto". */
static pld_status find_isa(const char *name, pld_isa *isa, pld_error *error) {
    *isa = PLD_ISA_BEST;
    if (!name || strcmp(name, "auto") == 0) {
        return PLD_OK;
    }
    *isa = pld_isa_from_name(name);
    if (*isa == PLD_ISA_COUNT) {
        char known[128] = "";
        for (int i = 0; i < PLD_ISA_COUNT; i++) {
            const size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, ", %s", pld_isa_name((pld_isa)i));
        }
        return pld_fail(error, PLD_ERROR_ARGUMENT, "isa: expected one of auto%s, found '%.60s'", known, name);
    }
    return pld_isa_supported(*isa)
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED, "isa: this CPU has no %s; use auto", name);
}

static pld_status find_conv(const char *name, pld_conv_choice *conv, pld_error *error) {
    static const char *const names[] = {
        [PLD_CONV_AUTO] = "auto", [PLD_CONV_DIRECT] = "direct", [PLD_CONV_WINOGRAD] = "winograd"};
    for (int i = PLD_CONV_AUTO; i <= PLD_CONV_WINOGRAD; i++) {
        if (strcmp(name ? name : "auto", names[i]) == 0) {
            *conv = (pld_conv_choice)i;
            return PLD_OK;
        }
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT, "conv: expected auto, direct or winograd, found '%.60s'",
                    name);
}

pld_status pld_engine_create(const pld_engine_options *given, pld_engine **engine, pld_error *error) {
    const pld_engine_options defaults = make_defaults();
    pld_engine_options full;
    const pld_engine_options *options = &full;
    PLD_NEED(engine);
    *engine = NULL;
    PLD_TRY(PLD_SIZED_READ(pld_engine_options, given, &defaults, &full, error));
    if (options->threads < 0 || options->threads > MAX_THREADS) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "threads: expected 0 to %d, found %d", MAX_THREADS,
                        options->threads);
    }
    if ((int)options->log_level < PLD_LOG_WARNING || options->log_level > PLD_LOG_DETAIL) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "log_level: expected %d to %d, found %d", PLD_LOG_WARNING,
                        PLD_LOG_DETAIL, (int)options->log_level);
    }
    pld_isa isa;
    PLD_TRY(find_isa(options->isa, &isa, error));
    pld_product_settings settings = {.low_memory = options->low_memory};
    PLD_TRY(find_conv(options->conv, &settings.conv, error));
    pld_engine *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "engine");
    }
    made->threads = options->threads ? options->threads : pld_available_threads();
    made->kernels = pld_kernels_get(isa);
    made->settings = settings;
    made->max_memory = options->max_memory;
    made->log = (pld_log){options->log, options->log_user, options->log_level};
    const pld_device_options device = {made->threads, pld_isa_name(isa)};
    const pld_status status = pld_backend_cpu.open(&device, &made->device, error);
    if (status != PLD_OK) {
        pld_engine_destroy(&made);
        return status;
    }
    *engine = made;
    return PLD_OK;
}

void pld_engine_destroy(pld_engine **engine) {
    if (!engine) {
        return;
    }
    if (*engine && (*engine)->device) {
        (*engine)->device->backend->close(&(*engine)->device);
    }
    pld_free(*engine);
    *engine = NULL;
}

int pld_engine_threads(const pld_engine *engine) {
    return engine->threads;
}

const char *pld_engine_isa(const pld_engine *engine) {
    return pld_isa_name(engine->kernels->isa);
}
