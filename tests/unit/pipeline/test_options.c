/* SPDX-License-Identifier: Apache-2.0 */
/** The table of options: what its rows must be, and values by name, from text, in structs and as JSON. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/memory.h"
#include "pipeline/options/options.h"
#include "pipeline/options/value.h"

static const char *const known_commands[] = {"generate", "grid",  "evaluate", "convert", "serve",
                                             "tokenize", "score", "info",     "bench"};
enum { COMMANDS = sizeof known_commands / sizeof *known_commands };

static void set(pld_options *options, const char *name, const char *text) {
    pld_error error = {0};
    if (pld_options_set(options, NULL, name, text, &error) != PLD_OK) {
        fail_msg("%s = \"%s\": %s", name, text, error.message);
    }
}

static void refuse(pld_options *options, const char *name, const char *text, const char *said) {
    pld_error error = {0};
    pld_status status = pld_options_set(options, NULL, name, text, &error);
    if (status == PLD_OK || !strstr(error.message, said)) {
        fail_msg("%s = \"%s\": expected \"%s\", found status %d, \"%s\"", name, text, said, (int)status,
                 error.message);
    }
}

static const pld_option_value *value(const pld_options *options, const char *name) {
    const pld_option_value *found = pld_options_get(options, NULL, name);
    assert_non_null(found);
    return found;
}

static void rows_are_whole(void **state) {
    (void)state;
    for (size_t i = 0; pld_option_at(i); i++) {
        const pld_option_row *row = pld_option_row_at(i);
        const pld_option *about = pld_option_at(i);
        pld_option_value read;
        const char *behind = NULL;
        pld_error error = {0};
        assert_int_equal(pld_option_index(about), i);
        assert_int_equal(about->struct_size, sizeof *about);
        assert_non_null(about->help);
        assert_true(about->help[strlen(about->help) - 1] != '.');
        if (about->type < PLD_OPTION_HABIT) {
            assert_non_null(about->group);
            assert_true((about->type == PLD_OPTION_FLAG) == (about->argument == NULL));
        }
        if (about->fallback && pld_option_parse(row, about->fallback, &read, &behind, &error) != PLD_OK) {
            fail_msg("%s: its default is refused: %s", about->name, error.message);
        }
        assert_true(about->type != PLD_OPTION_CHOICE || about->choices || about->list);
        assert_true(about->type != PLD_OPTION_TEXTS || about->maximum >= 1);
        assert_true(about->type != PLD_OPTION_PAIR || about->separator);
        assert_true(!about->is_output || about->remote == PLD_REMOTE_NEVER);
        assert_true(!about->is_file || about->remote != PLD_REMOTE_VALUE);
        /* a picture of a stranger says nothing of this machine */
        assert_true(!about->of_picture || (!about->is_output && row->field.of != PLD_FIELD_OF_ENGINE));
        assert_true(!row->sets || pld_option_find(NULL, row->sets));
        assert_true(!row->joined || pld_option_find(NULL, row->joined));
    }
    assert_null(pld_option_at(pld_option_count()));
}

/** Each spelling of a command means one row. */
static void names_are_single(void **state) {
    (void)state;
    for (size_t c = 0; c < COMMANDS; c++) {
        const char *command = known_commands[c];
        for (size_t i = 0; pld_option_at(i); i++) {
            const pld_option *about = pld_option_at(i);
            char alias[64];
            if (!pld_option_belongs(about, command)) {
                continue;
            }
            assert_ptr_equal(pld_option_find(command, about->name), about);
            assert_true(!about->letter || pld_option_find_letter(command, about->letter) == about);
            for (const char *at = about->aliases; at && *at; at += strspn(at, " ")) {
                const size_t length = strcspn(at, " ");
                memcpy(alias, at, length);
                alias[length] = '\0';
                assert_ptr_equal(pld_option_find(command, alias), about);
                at += length;
            }
        }
    }
    for (size_t i = 0; pld_option_at(i); i++) {
        for (const char *at = pld_option_at(i)->commands; *at; at += strspn(at, " ")) {
            const size_t length = strcspn(at, " ");
            bool known = false;
            for (size_t c = 0; c < COMMANDS; c++) {
                known =
                    known || (strlen(known_commands[c]) == length && !memcmp(known_commands[c], at, length));
            }
            assert_true(known);
            at += length;
        }
    }
    assert_ptr_equal(pld_option_find(NULL, "cfg_scale"), pld_option_find(NULL, "cfg-scale"));
    assert_string_equal(pld_option_nearest(NULL, "stpes"), "steps");
    assert_string_equal(pld_option_nearest(NULL, "lambdo"), "pladis");
    assert_null(pld_option_nearest(NULL, "frobnicate"));
    assert_null(pld_option_find("info", "steps"));
    assert_non_null(strstr(pld_option_refusal(pld_option_find("grid", "sheet"), "grid"), "one picture"));
    assert_null(pld_option_refusal(pld_option_find("generate", "sheet"), "generate"));
}

/** The values that a struct has without options: what earlier versions wrote there by hand. */
static void struct_defaults(void **state) {
    (void)state;
    pld_generate_options o;
    pld_generate_options_init(&o, sizeof o);
    assert_string_equal(o.prompt, "");
    assert_null(o.negative_prompt);
    assert_int_equal(o.clip_skip, 1);
    assert_int_equal(o.width, 0);
    assert_int_equal(o.steps, 0);
    assert_true(isnan(o.cfg_scale) && isnan(o.eta) && isnan(o.pladis_scale));
    assert_int_equal(o.seed, 42);
    assert_true(o.pladis_alpha == 1.5 && o.pladis_start == 0 && o.pladis_end == 1 && o.strength == 0.75);
    assert_true(o.cfg_rescale == 0 && o.pladis_temperature == 0);
    assert_string_equal(o.pladis_blocks, "all");
    assert_string_equal(o.pladis_sites, "cross");
    assert_string_equal(o.pladis_branches, "all");
    assert_null(o.preset);
    assert_null(o.dtype);
    assert_null(o.timesteps);
    assert_null(o.guidance);
    assert_null(o.dump);
    assert_int_equal(o.images, 1); /* of no option */
    pld_engine_options engine;
    pld_engine_options_init(&engine, sizeof engine);
    assert_int_equal(engine.log_level, PLD_LOG_NOTICE);
    assert_int_equal(engine.threads, 0);
    assert_true(!engine.isa && !engine.conv && !engine.low_memory && !engine.max_memory && !engine.log);
}

static void values_from_text(void **state) {
    (void)state;
    pld_options *o = NULL;
    assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
    assert_false(value(o, "steps")->is_set);
    assert_int_equal(value(o, "batch-count")->integer, 1);
    set(o, "steps", "12");
    set(o, "num_inference_steps", "13");
    assert_int_equal(value(o, "steps")->integer, 13);
    set(o, "lambda", "-0.5e0");
    assert_true(value(o, "pladis")->number == -0.5);
    set(o, "pladis-scale", "3");
    set(o, "alpha", "1.25");
    assert_true(value(o, "pladis")->number == 3 && value(o, "pladis-alpha")->number == 1.25);
    set(o, "clip-skip", "-1");
    assert_int_equal(value(o, "clip-skip")->integer, 1);
    set(o, "prediction", "v_prediction");
    assert_string_equal(value(o, "prediction")->text, "v");
    set(o, "original-size", "640x480");
    assert_true(value(o, "original-size")->pair[0] == 640 && value(o, "original-size")->pair[1] == 480);
    set(o, "timesteps", "999,500.5,0");
    assert_int_equal(value(o, "timesteps")->count, 3);
    assert_true(value(o, "timesteps")->numbers[1] == 500.5);
    set(o, "guidance", "pag:scale=3");
    set(o, "guidance", "rescale");
    assert_int_equal(value(o, "guidance")->count, 2);
    assert_string_equal(value(o, "guidance")->texts[1], "rescale");
    set(o, "literal-prompt", "on");
    assert_true(value(o, "literal-prompt")->flag);
    set(o, "literal-prompt", "no");
    assert_false(value(o, "literal-prompt")->flag);
    set(o, "vae-on-cpu", "");
    assert_true(value(o, "vae-on-cpu")->flag);

    refuse(o, "steps", "0", "steps: found \"0\", expected a whole number from 1 to 1000");
    refuse(o, "steps", "1e2", "steps: found \"1e2\"");
    refuse(o, "steps", "99999999999999999999", "steps: found");
    refuse(o, "pladis-alpha", "1", "pladis-alpha: found \"1\", expected a number above 1 and at most 2");
    refuse(o, "pladis", "nan", "pladis: found \"nan\"");
    refuse(o, "dtype", "f16", "dtype: found \"f16\", expected one of: auto f32 bf16 int8");
    refuse(o, "crop", "1x2", "crop: found \"1x2\", expected X,Y");
    refuse(o, "timesteps", "1,2", "each smaller than the one before");
    refuse(o, "lora", "x.safetensors:1e9", "weight from -1000 to 1000");
    refuse(o, "lora", ":0.5", "expected FILE");
    refuse(o, "literal-prompt", "perhaps", "expected yes or no");
    refuse(o, "mode", "upscale", "mode: found \"upscale\"");
    refuse(o, "vae-tiling", "", "vae-tiling: not available");
    refuse(o, "stpes", "3", "unknown option \"stpes\"; did you mean \"steps\"?");
    assert_int_equal(value(o, "steps")->integer, 13); /* as before what was refused */
    pld_options_reset(o, pld_option_find(NULL, "steps"));
    assert_false(value(o, "steps")->is_set);
    pld_options_destroy(&o);
    assert_null(o);
}

/** Names of A1111, ComfyUI and diffusers, with a schedule behind them. */
static void common_names(void **state) {
    (void)state;
    static const struct {
        const char *text, *sampler, *schedule;
    } rows[] = {{"DPM++ 2M Karras", "dpm++2m", "karras"},
                {"Euler a", "euler_a", NULL},
                {"dpm++ 2m sde exponential", "dpm++2m_sde", "exponential"},
                {"dpmpp_2m", "dpm++2m", NULL},
                {"euler_ancestral", "euler_a", NULL},
                {"DDIMScheduler", "ddim", NULL},
                {"UniPC Beta", "unipc", "beta"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_options *o = NULL;
        assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
        set(o, "sampling-method", rows[i].text);
        assert_string_equal(value(o, "sampling-method")->text, rows[i].sampler);
        assert_true(value(o, "scheduler")->is_set == (rows[i].schedule != NULL));
        if (rows[i].schedule) {
            assert_string_equal(value(o, "scheduler")->text, rows[i].schedule);
        }
        /* a schedule that came along goes with its sampler */
        set(o, "sampling-method", "ddim");
        assert_false(value(o, "scheduler")->is_set);
        pld_options_destroy(&o);
    }
    /* one that is set by itself stays, whichever comes first */
    for (int first = 0; first < 2; first++) {
        pld_options *o = NULL;
        assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
        set(o, first ? "scheduler" : "sampling-method", first ? "exponential" : "DPM++ 2M Karras");
        set(o, first ? "sampling-method" : "scheduler", first ? "DPM++ 2M Karras" : "exponential");
        assert_string_equal(value(o, "scheduler")->text, "exponential");
        set(o, "scheduler", "Automatic");
        assert_false(value(o, "scheduler")->is_set);
        refuse(o, "sampling-method", "DPM++ 2M Frobnicate", "expected one of: ddim");
        refuse(o, "sampling-method", "DPM++ SDE Karras", "expected one of: ddim");
        pld_options_destroy(&o);
    }
}

static void structs_are_filled(void **state) {
    (void)state;
    pld_options *o = NULL, *copy = NULL;
    pld_engine_options engine;
    pld_model_options files;
    struct {
        pld_generate_options options;
        uint64_t guard;
    } wanted = {.guard = 0x0123456789abcdefU};
    assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
    set(o, "seed", "123456789012");
    set(o, "target-size", "3x4");
    set(o, "timesteps", "10,5");
    set(o, "guidance", "cfg-zero");
    set(o, "threads", "3");
    set(o, "low-memory", "yes");
    set(o, "max-memory", "1.5 GiB");
    set(o, "vae", "v.safetensors");
    set(o, "pladis", "4");
    assert_int_equal(pld_options_copy(o, &copy, NULL), PLD_OK);
    set(o, "seed", "7"); /* the copy is one of its own */
    pld_options_destroy(&o);
    pld_generate_options_init(&wanted.options, sizeof wanted.options);
    wanted.options.height = 77; /* not set: stays */
    pld_options_generate(copy, &wanted.options);
    assert_true(wanted.options.seed == 123456789012);
    assert_int_equal(wanted.options.height, 77);
    assert_int_equal(wanted.options.target_width, 3);
    assert_int_equal(wanted.options.target_height, 4);
    assert_int_equal(wanted.options.timestep_count, 2);
    assert_true(wanted.options.timesteps[1] == 5);
    assert_int_equal(wanted.options.guidance_count, 1);
    assert_string_equal(wanted.options.guidance[0], "cfg-zero");
    assert_true(wanted.options.pladis_scale == 4);
    set(copy, "no-pladis", "yes");
    pld_options_generate(copy, &wanted.options);
    assert_true(wanted.options.pladis_scale == 0);
    /* of a smaller struct nothing behind its end is written */
    memset(&wanted.options, 0x5a, sizeof wanted.options);
    wanted.options.struct_size = offsetof(pld_generate_options, seed);
    pld_options_generate(copy, &wanted.options);
    assert_int_equal(wanted.options.target_width, 3);
    for (size_t i = offsetof(pld_generate_options, seed); i < sizeof wanted.options; i++) {
        assert_int_equal(((const unsigned char *)&wanted.options)[i], 0x5a);
    }
    assert_true(wanted.guard == 0x0123456789abcdefU);
    pld_engine_options_init(&engine, sizeof engine);
    pld_options_engine(copy, &engine);
    assert_true(engine.threads == 3 && engine.low_memory);
    assert_true(engine.max_memory == 1610612736);
    pld_model_options_init(&files, sizeof files);
    pld_options_model(copy, &files);
    assert_string_equal(files.vae, "v.safetensors");
    assert_null(files.unet);
    pld_options_destroy(&copy);
}

static void saved_and_loaded(void **state) {
    (void)state;
    pld_options *o = NULL, *again = NULL;
    pld_error error = {0};
    char *text = NULL, *same = NULL;
    static const char *const values[][2] = {{"prompt", "a \"fox\"\nżółć"},
                                            {"cfg-scale", "3.1234567890123457"},
                                            {"seed", "4294967299"},
                                            {"literal-prompt", "yes"},
                                            {"crop", "8,0"},
                                            {"timesteps", "900,600.25"},
                                            {"guidance", "rescale"},
                                            {"guidance", "pag:scale=3,layers=mid"},
                                            {"lora", "a.safetensors:0.5"},
                                            {"sampling-method", "euler"},
                                            {"threads", "2"}};
    assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
    assert_int_equal(pld_options_create(&again, NULL), PLD_OK);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        set(o, values[i][0], values[i][1]);
    }
    assert_int_equal(pld_options_save(o, NULL, &text, &error), PLD_OK);
    assert_non_null(strstr(text, "\"cfg_scale\":3.1234567890123457"));
    assert_int_equal(pld_options_load(again, NULL, text, strlen(text), PLD_OPTIONS_ALL, &error), PLD_OK);
    assert_int_equal(pld_options_save(again, NULL, &same, &error), PLD_OK);
    assert_string_equal(text, same);
    pld_string_free(&same);
    pld_string_free(&text);
    /* lists are replaced, null resets */
    static const char change[] = "{\"guidance\": [\"cfg-zero\"], \"seed\": null, \"steps\": \"5\"}";
    assert_int_equal(pld_options_load(again, NULL, change, strlen(change), PLD_OPTIONS_ALL, &error), PLD_OK);
    assert_int_equal(value(again, "guidance")->count, 1);
    assert_false(value(again, "seed")->is_set);
    assert_int_equal(value(again, "steps")->integer, 5);
    /* whole numbers of programs that have only one kind of number */
    static const char whole[] = "{\"seed\": 231593630.0, \"steps\": 2e1, \"cfg_scale\": 1e-7}";
    assert_int_equal(pld_options_load(again, NULL, whole, strlen(whole), PLD_OPTIONS_ALL, &error), PLD_OK);
    assert_int_equal(value(again, "seed")->integer, 231593630);
    assert_int_equal(value(again, "steps")->integer, 20);
    assert_true(value(again, "cfg-scale")->number == 1e-7);
    pld_options_destroy(&o);
    pld_options_destroy(&again);
}

static void scopes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        pld_options_scope scope;
        const char *said; /* NULL: taken */
    } rows[] = {
        {"{\"steps\": 3, \"mask\": \"m.png\", \"lora\": [\"x.safetensors:0.5\"]}", PLD_OPTIONS_OF_PICTURE,
         NULL},
        {"{\"mask\": \"../m.png\"}", PLD_OPTIONS_OF_PICTURE, "mask: found \"../m.png\", expected the name"},
        {"{\"lora\": [\"/x.safetensors\"]}", PLD_OPTIONS_OF_PICTURE, "without folders"},
        {"{\"report\": \"r.json\"}", PLD_OPTIONS_OF_PICTURE, "report: expected an option of a picture"},
        {"{\"threads\": 64}", PLD_OPTIONS_OF_PICTURE, "threads: expected an option of a picture"},
        {"{\"steps\": 3, \"lora\": [\"x.safetensors:0.5\"], \"model\": \"demo\", \"batch_count\": 2}",
         PLD_OPTIONS_REMOTE, NULL},
        {"{\"lora\": [\"a/x.safetensors\"]}", PLD_OPTIONS_REMOTE, "without folders"},
        {"{\"lora\": [\"..\"]}", PLD_OPTIONS_REMOTE, "without folders"},
        {"{\"init_img\": \"x.png\"}", PLD_OPTIONS_REMOTE, "init-img: expected the file itself"},
        {"{\"dump\": \"x\"}", PLD_OPTIONS_REMOTE, "dump: cannot be set from outside"},
        {"{\"threads\": 64}", PLD_OPTIONS_REMOTE, "threads: cannot be set from outside"},
        {"{\"output\": \"x\"}", PLD_OPTIONS_REMOTE, "output: cannot be set from outside"},
        {"{\"steps\": true}", PLD_OPTIONS_ALL, "steps: expected"},
        {"{\"steps\": [1]}", PLD_OPTIONS_ALL, "steps: expected a number"},
        {"{\"prompt\": 3}", PLD_OPTIONS_ALL, "prompt: expected a string"},
        {"{\"prompt\": []}", PLD_OPTIONS_ALL, "prompt: expected a string"},
        {"{\"cfg_scale\": []}", PLD_OPTIONS_ALL, "cfg-scale: expected a number"},
        {"{\"steps\": {}}", PLD_OPTIONS_ALL, "steps: expected a number"},
        {"{\"setps\": 3}", PLD_OPTIONS_ALL, "did you mean \"steps\""},
        {"[]", PLD_OPTIONS_ALL, "expected a JSON object"},
        {"{", PLD_OPTIONS_ALL, "options"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pld_options *o = NULL;
        pld_error error = {0};
        assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
        set(o, "steps", "9");
        pld_status status =
            pld_options_load(o, NULL, rows[i].text, strlen(rows[i].text), rows[i].scope, &error);
        if ((status == PLD_OK) != (rows[i].said == NULL) ||
            (rows[i].said && !strstr(error.message, rows[i].said))) {
            fail_msg("%s: expected \"%s\", found \"%s\"", rows[i].text, rows[i].said ? rows[i].said : "ok",
                     error.message);
        }
        assert_int_equal(value(o, "steps")->integer, rows[i].said ? 9 : 3);
        pld_options_destroy(&o);
    }
}

/** What a run decided stands in the place of what was left open. */
static void reports_are_taken(void **state) {
    (void)state;
    pld_options *o = NULL;
    pld_report report = {.struct_size = sizeof report,
                         .width = 128,
                         .height = 96,
                         .steps = 7,
                         .cfg_scale = 2.5,
                         .strength = 1,
                         .sampling_method = "euler",
                         .scheduler = "karras",
                         .prediction_type = "v_prediction",
                         .dtype = "f32"};
    assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
    set(o, "spacing", "leading");
    assert_int_equal(pld_options_take_report(o, &report, NULL), PLD_OK);
    assert_int_equal(value(o, "height")->integer, 96);
    assert_int_equal(value(o, "steps")->integer, 7);
    assert_true(value(o, "cfg-scale")->number == 2.5);
    assert_string_equal(value(o, "prediction")->text, "v_prediction");
    assert_string_equal(value(o, "preset")->text, "none");
    assert_string_equal(value(o, "dtype")->text, "f32");
    assert_false(value(o, "spacing")->is_set);
    /* a report of a caller's size says no more than it has */
    report.struct_size = offsetof(pld_report, steps) / sizeof(size_t) * sizeof(size_t);
    report.width = 256;
    report.steps = 8;
    assert_true(offsetof(pld_report, width) + sizeof report.width <= report.struct_size);
    assert_int_equal(pld_options_take_report(o, &report, NULL), PLD_OK);
    assert_int_equal(value(o, "width")->integer, 256);
    assert_int_equal(value(o, "steps")->integer, 7);
    report.struct_size = 0;
    assert_int_equal(pld_options_take_report(o, &report, NULL), PLD_ERROR_ARGUMENT);
    pld_options_destroy(&o);
}

static void nothing_in_the_place_of_something_is_refused(void **state) {
    (void)state;
    pld_options *o = NULL, *copy = NULL;
    char *text = NULL;
    size_t length = 0;
    double weight = 0;
    const pld_option *steps = pld_option_find(NULL, "steps");
    assert_int_equal(pld_options_create(&o, NULL), PLD_OK);
    const pld_status refused[] = {
        pld_options_create(NULL, NULL),
        pld_options_copy(NULL, &copy, NULL),
        pld_options_copy(o, NULL, NULL),
        pld_options_set(NULL, NULL, "steps", "3", NULL),
        pld_options_set(o, NULL, NULL, "3", NULL),
        pld_options_set(o, NULL, "steps", NULL, NULL),
        pld_options_set_option(NULL, steps, "3", NULL),
        pld_options_set_option(o, NULL, "3", NULL),
        pld_options_text(NULL, steps, &text, NULL),
        pld_options_text(o, steps, NULL, NULL),
        pld_options_save(NULL, NULL, &text, NULL),
        pld_options_save(o, NULL, NULL, NULL),
        pld_options_load(NULL, NULL, "{}", 2, PLD_OPTIONS_ALL, NULL),
        pld_options_load(o, NULL, NULL, 2, PLD_OPTIONS_ALL, NULL),
        pld_options_load(o, NULL, "{}", 2, (pld_options_scope)77, NULL),
        pld_options_take_report(NULL, &(pld_report){.struct_size = sizeof(pld_report)}, NULL),
        pld_options_take_report(o, NULL, NULL),
        pld_lora_parse(NULL, &length, &weight, NULL),
        pld_lora_parse("x:1", NULL, &weight, NULL),
        pld_lora_parse("x:1", &length, NULL, NULL),
        pld_engine_create(NULL, NULL, NULL),
        pld_model_open(NULL, "x", NULL, NULL),
        pld_session_create(NULL, NULL, NULL),
        pld_generate(NULL, NULL, NULL, NULL, NULL),
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (refused[i] != PLD_ERROR_ARGUMENT) {
            fail_msg("call %zu: status %d", i, (int)refused[i]);
        }
    }
    pld_options_reset(NULL, steps);
    pld_options_reset(o, NULL);
    pld_options_generate(o, NULL);
    pld_options_generate(NULL, &(pld_generate_options){0});
    pld_options_destroy(NULL);
    pld_session_destroy(NULL);
    pld_model_destroy(NULL);
    pld_engine_destroy(NULL);
    assert_null(pld_options_get(NULL, NULL, "steps"));
    assert_null(pld_options_get(o, NULL, NULL));
    assert_null(pld_options_value(NULL, steps));
    assert_null(pld_option_find(NULL, NULL));
    assert_null(pld_option_nearest(NULL, NULL));
    assert_null(pld_common_name(PLD_LIST_SAMPLERS, NULL));
    assert_null(pld_own_name(PLD_LIST_SAMPLERS, NULL));
    pld_options_destroy(&o);
}

/** Memory runs out at every place in turn: the status says so, and what was there stays whole. */
static void memory_runs_out(void **state) {
    (void)state;
    static const char text[] =
        "{\"guidance\": [\"cfg-zero\", \"rescale\"], \"timesteps\": [9, 8], \"prompt\": \"x\"}";
    for (long countdown = 0; countdown < 200; countdown++) {
        pld_options *o = NULL, *copy = NULL;
        char *saved = NULL, *printed = NULL;
        pld_inject_allocation_failure(countdown);
        pld_status status = pld_options_create(&o, NULL);
        status =
            status == PLD_OK ? pld_options_set(o, NULL, "sampling-method", "DPM++ 2M Karras", NULL) : status;
        status =
            status == PLD_OK ? pld_options_load(o, NULL, text, strlen(text), PLD_OPTIONS_ALL, NULL) : status;
        status = status == PLD_OK ? pld_options_copy(o, &copy, NULL) : status;
        status = status == PLD_OK ? pld_options_save(copy, NULL, &saved, NULL) : status;
        status = status == PLD_OK ? pld_options_text(copy, pld_option_find(NULL, "timesteps"), &printed, NULL)
                                  : status;
        pld_inject_allocation_failure(-1);
        if (status == PLD_OK) {
            assert_string_equal(printed, "9,8");
        } else {
            assert_int_equal(status, PLD_ERROR_MEMORY);
        }
        pld_string_free(&printed);
        pld_string_free(&saved);
        pld_options_destroy(&copy);
        pld_options_destroy(&o);
        if (status == PLD_OK) {
            assert_true(countdown > 10);
            return;
        }
    }
    fail_msg("no end of allocations");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(names_are_single),
        cmocka_unit_test(struct_defaults),
        cmocka_unit_test(values_from_text),
        cmocka_unit_test(common_names),
        cmocka_unit_test(structs_are_filled),
        cmocka_unit_test(saved_and_loaded),
        cmocka_unit_test(scopes),
        cmocka_unit_test(reports_are_taken),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(nothing_in_the_place_of_something_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
