/* SPDX-License-Identifier: Apache-2.0 */
/** Public structs of every size that a caller's header can make of them: nothing beyond is read or written, what is
 *  missing has its default, what is unknown must be zero. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sized.h"
#include "pladis/pladis.h"
#include "pladis/scoring.h"

enum { MOST = 4096, POISON = 0xA5 };

typedef void (*init_function)(void *options, size_t struct_size);

#define INIT(type)                                                                                           \
    static void init_##type(void *options, size_t size) {                                                    \
        type##_init(options, size);                                                                          \
    }
INIT(pld_engine_options)
INIT(pld_model_options)
INIT(pld_convert_options)
INIT(pld_generate_options)
INIT(pld_attention_maps_options)
INIT(pld_attention_problem)
INIT(pld_attention_parallel)
INIT(pld_lora)

#define ROW(type)                                                                                            \
    { #type, init_##type, sizeof(type) }
static const struct {
    const char *name;
    init_function init;
    size_t size;
} options_rows[] = {ROW(pld_engine_options),         ROW(pld_model_options),
                    ROW(pld_convert_options),        ROW(pld_generate_options),
                    ROW(pld_attention_problem),      ROW(pld_attention_parallel),
                    ROW(pld_attention_maps_options), ROW(pld_lora)};

/** Exactly `size` bytes, so that a sanitizer sees one beside them, and all that is not written is POISON. */
static unsigned char *exactly(size_t size) {
    unsigned char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, POISON, size);
    return bytes;
}

/** A caller's struct gets what it has room for, and zeros where it has more than we know. */
static void init_of_every_size(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof options_rows / sizeof *options_rows; i++) {
        unsigned char full[MOST], known[MOST];
        options_rows[i].init(full, options_rows[i].size);
        for (size_t size = sizeof(size_t); size <= options_rows[i].size + 64; size += sizeof(size_t)) {
            unsigned char *some = exactly(size);
            options_rows[i].init(some, size);
            memset(known, 0, sizeof known);
            memcpy(known, full, options_rows[i].size);
            memcpy(known, &size, sizeof size);
            if (memcmp(some, known, size) != 0) {
                fail_msg("%s of %zu bytes has other defaults", options_rows[i].name, size);
            }
            free(some);
        }
        unsigned char few[sizeof(size_t)];
        memset(few, POISON, sizeof few);
        options_rows[i].init(few, 4); /* no room for its size: left alone */
        assert_int_equal(few[0], POISON);
        options_rows[i].init(NULL, options_rows[i].size);
    }
}

/** What is read of a caller's struct of any size is his fields, and our defaults behind. */
static void options_of_every_size(void **state) {
    (void)state;
    enum { SIZE = 48 };
    unsigned char defaults[SIZE], full[SIZE];
    const size_t whole = SIZE;
    pld_error error = {0};
    memset(defaults, 0x11, SIZE);
    for (size_t size = sizeof size; size <= 2 * SIZE; size += sizeof size) {
        unsigned char *given = exactly(size);
        memset(given, 0x22, size);
        if (size > SIZE) {
            memset(given + SIZE, 0, size - SIZE);
        }
        memcpy(given, &size, sizeof size);
        assert_int_equal(pld_sized_read("pld_some", given, defaults, SIZE, full, &error), PLD_OK);
        assert_memory_equal(full, &whole, sizeof whole);
        for (size_t i = sizeof size; i < SIZE; i++) {
            assert_int_equal(full[i], i < size ? 0x22 : 0x11);
        }
        for (size_t i = SIZE; i < size; i++) { /* any byte that we do not know */
            given[i] = 1;
            assert_int_equal(pld_sized_read("pld_some", given, defaults, SIZE, full, &error),
                             PLD_ERROR_UNSUPPORTED);
            assert_non_null(strstr(error.message, "pld_some: a field at byte"));
            given[i] = 0;
        }
        free(given);
    }
    assert_int_equal(pld_sized_read("pld_some", NULL, defaults, SIZE, full, &error), PLD_OK);
    assert_memory_equal(full + sizeof whole, defaults + sizeof whole, SIZE - sizeof whole);
}

/** Sizes that no header makes are refused by name, before anything behind them is read. */
static void sizes_that_are_none(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 12, 41, (size_t)1 << 20, SIZE_MAX, SIZE_MAX - 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pld_engine *engine = NULL;
        pld_engine_options options;
        pld_scene scene = {.struct_size = sizes[i]};
        pld_caption caption = {.struct_size = sizes[i]};
        pld_guidance_info method = {.struct_size = sizes[i]};
        pld_guidance_key key = {.struct_size = sizes[i]};
        int verdict[1];
        pld_error error = {0};
        pld_engine_options_init(&options, sizeof options);
        options.struct_size = sizes[i];
        assert_int_equal(pld_engine_create(&options, &engine, &error), PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "pld_engine_options: expected its size in struct_size"));
        assert_null(engine);
        assert_int_equal(pld_caption_parse("a red star", &caption, &error), PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "pld_caption: "));
        assert_int_equal(pld_scene_judge(&scene, &caption, verdict, 1, &error), PLD_ERROR_ARGUMENT);
        assert_false(pld_guidance_describe(1, &method));
        assert_false(pld_guidance_describe_key(1, 0, &key));
        pld_attention_problem problem;
        pld_attention_problem_init(&problem, sizeof problem);
        problem.head_size = 8, problem.query_count = problem.key_count = 1;
        assert_true(pld_attention_scratch_size(&problem, 1) > 0);
        problem.struct_size = sizes[i];
        assert_int_equal(pld_attention_scratch_size(&problem, 1), 0);
        assert_int_equal(pld_attention(&problem, verdict, 1, NULL, &error), PLD_ERROR_ARGUMENT);
        assert_non_null(strstr(error.message, "pld_attention_problem: "));
    }
}

static pld_engine *engine;
static pld_model *model;
static pld_session *session;

static void read_info(void *to) {
    assert_int_equal(pld_model_get_info(model, to, NULL), PLD_OK);
}

static void read_report(void *to) {
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.width = options.height = 64;
    assert_int_equal(pld_generate_check(session, &options, to, NULL), PLD_OK);
    /* what it took differs from call to call */
    size_t size;
    const size_t at = offsetof(pld_report, peak_memory_bytes);
    memcpy(&size, to, sizeof size);
    if (size >= at + sizeof(uint64_t)) {
        memset((unsigned char *)to + at, 0, sizeof(uint64_t));
    }
}

static void read_method(void *to) {
    assert_true(pld_guidance_describe(3, to));
}

static void read_key(void *to) {
    assert_true(pld_guidance_describe_key(3, 1, to));
}

static void read_caption(void *to) {
    assert_int_equal(pld_caption_parse("a small red star above a blue ring on a dark background", to, NULL),
                     PLD_OK);
}

static void read_scene(void *to) {
    enum { SIDE = 64 };
    uint8_t rgb[SIDE * SIDE * 3];
    pld_scorer *scorer = NULL;
    memset(rgb, 255, sizeof rgb);
    memset(rgb + 3 * SIDE * 20, 40, 3 * SIDE * 20);
    assert_int_equal(pld_scorer_create(&scorer, NULL), PLD_OK);
    assert_int_equal(pld_scorer_look(scorer, rgb, SIDE, SIDE, to, NULL), PLD_OK);
    pld_scorer_destroy(&scorer);
}

/** Results get what they have room for, and keep their size. */
static void results_of_every_size(void **state) {
    (void)state;
    static const struct {
        const char *name;
        void (*read)(void *to);
        size_t size;
    } rows[] = {{"pld_model_info", read_info, sizeof(pld_model_info)},
                {"pld_report", read_report, sizeof(pld_report)},
                {"pld_guidance_info", read_method, sizeof(pld_guidance_info)},
                {"pld_guidance_key", read_key, sizeof(pld_guidance_key)},
                {"pld_caption", read_caption, sizeof(pld_caption)},
                {"pld_scene", read_scene, sizeof(pld_scene)}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned char full[MOST] = {0}, known[MOST];
        assert_true(rows[i].size <= MOST - 64);
        memcpy(full, &rows[i].size, sizeof rows[i].size);
        rows[i].read(full);
        for (size_t size = sizeof size; size <= rows[i].size + 64; size += sizeof size) {
            unsigned char *some = exactly(size);
            memcpy(some, &size, sizeof size);
            rows[i].read(some);
            memset(known, 0, sizeof known);
            memcpy(known, full, rows[i].size);
            memcpy(known, &size, sizeof size);
            if (memcmp(some, known, size) != 0) {
                fail_msg("%s of %zu bytes is filled differently", rows[i].name, size);
            }
            free(some);
        }
    }
}

/** Names that what the library hands out points to, and that no struct of it lies in an array. */
static void what_is_handed_out(void **state) {
    (void)state;
    pld_model_info info = {.struct_size = sizeof info};
    pld_tokens *tokens = NULL;
    pld_prompt_loras *taken = NULL;
    assert_int_equal(pld_model_get_info(model, &info, NULL), PLD_OK);
    assert_int_equal(info.part_count, 3);
    assert_int_equal(info.parts[2]->struct_size, sizeof(pld_model_part));
    assert_string_equal(info.parts[2]->kind, "AutoencoderKL");
    assert_int_equal(info.sites[info.site_count - 1]->struct_size, sizeof(pld_attention_site));
    assert_int_equal(pld_tokenize(model, "a fox", 5, false, &tokens, NULL), PLD_OK);
    assert_int_equal(tokens->struct_size, sizeof *tokens);
    assert_int_equal(tokens->tokenizers[0]->struct_size, sizeof(pld_tokenizer_tokens));
    assert_int_equal(tokens->tokenizers[0]->chunks[0]->struct_size, sizeof(pld_token_chunk));
    pld_tokens_destroy(&tokens);
    assert_int_equal(
        pld_prompt_take_loras("a <lora:kohya:0.5>", PLADIS_TEST_DATA "/loras/files", &taken, NULL), PLD_OK);
    assert_int_equal(taken->struct_size, sizeof *taken);
    assert_int_equal(taken->loras[0]->struct_size, sizeof(pld_lora));
    pld_model *changed = NULL;
    assert_int_equal(pld_model_with_loras(model, taken->loras, taken->count, &changed, NULL), PLD_OK);
    assert_int_equal(pld_model_get_info(changed, &info, NULL), PLD_OK);
    assert_int_equal(info.loras[0]->struct_size, sizeof(pld_applied_lora));
    assert_true(info.loras[0]->weight == 0.5);
    pld_model_destroy(&changed);
    pld_prompt_loras_free(&taken);
}

static int heard[PLD_LOG_DETAIL + 1];

static void hear(void *user, pld_log_level level, const char *message) {
    (void)user;
    (void)message;
    heard[level]++;
}

/** An engine sends what is as weighty as its level, and by default no detail. */
static void log_levels(void **state) {
    (void)state;
    for (int level = -1; level <= PLD_LOG_DETAIL + 1; level++) {
        pld_engine_options options;
        pld_engine *loud = NULL;
        pld_model *told = NULL;
        pld_session *drawing = NULL;
        pld_generate_options wanted;
        pld_engine_options_init(&options, sizeof options);
        assert_int_equal(options.log_level, PLD_LOG_NOTICE);
        options.log = hear;
        options.log_level = (pld_log_level)level;
        memset(heard, 0, sizeof heard);
        const bool sound = level >= PLD_LOG_WARNING && level <= PLD_LOG_DETAIL;
        assert_int_equal(pld_engine_create(&options, &loud, NULL), sound ? PLD_OK : PLD_ERROR_ARGUMENT);
        if (!sound) {
            continue;
        }
        assert_int_equal(pld_model_open(loud, PLADIS_TEST_DATA "/reference/models/sd15", &told, NULL),
                         PLD_OK);
        assert_int_equal(pld_session_create(told, &drawing, NULL), PLD_OK);
        pld_generate_options_init(&wanted, sizeof wanted);
        wanted.cfg_scale = 0.5; /* is told to have no effect */
        assert_int_equal(pld_generate_check(drawing, &wanted, NULL, NULL), PLD_OK);
        assert_true(heard[PLD_LOG_WARNING] > 0);
        assert_true(level >= PLD_LOG_NOTICE || heard[PLD_LOG_NOTICE] == 0);
        assert_true((heard[PLD_LOG_DETAIL] > 0) == (level == PLD_LOG_DETAIL));
        pld_session_destroy(&drawing);
        pld_model_destroy(&told);
        pld_engine_destroy(&loud);
    }
}

static bool note_image(void *user, const pld_progress *progress) {
    int *last = user;
    assert_int_equal(progress->struct_size, sizeof *progress);
    last[0] = progress->image;
    last[1] = progress->images;
    return false;
}

/** A series of pictures is counted where its caller says so. */
static void series_are_counted(void **state) {
    (void)state;
    static const int series[][2] = {{0, 1}, {2, 5}};
    for (size_t i = 0; i < 2; i++) {
        pld_generate_options options;
        pld_image image;
        int last[2] = {-1, -1};
        pld_generate_options_init(&options, sizeof options);
        assert_true(options.image == 0 && options.images == 1);
        options.width = options.height = 64;
        options.image = series[i][0];
        options.images = series[i][1];
        options.progress = note_image;
        options.progress_user = last;
        assert_int_equal(pld_generate(session, &options, &image, NULL, NULL), PLD_ERROR_CANCELLED);
        assert_memory_equal(last, series[i], sizeof last);
    }
}

static int start(void **state) {
    (void)state;
    return pld_engine_create(NULL, &engine, NULL) == PLD_OK &&
                   pld_model_open_with(engine, PLADIS_TEST_DATA "/reference/models/sd15", NULL, &model,
                                       NULL) == PLD_OK &&
                   pld_session_create(model, &session, NULL) == PLD_OK
               ? 0
               : -1;
}

static int stop(void **state) {
    (void)state;
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_of_every_size),  cmocka_unit_test(options_of_every_size),
        cmocka_unit_test(sizes_that_are_none), cmocka_unit_test(results_of_every_size),
        cmocka_unit_test(what_is_handed_out),  cmocka_unit_test(log_levels),
        cmocka_unit_test(series_are_counted),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
