/* SPDX-License-Identifier: Apache-2.0 */
/* What the library writes, says and reads is the same under a locale of the host program as in "C".
 * usage: test_locale LOCALE SOURCE_FOLDER FOLDER; test_locale.sh makes the locales */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "io/json/build.h"
#include "io/json/read.h"
#include "pladis/pladis.h"
#include "pladis/profile.h"
#include "sampling/preset.h"

static const char *locale_name, *source, *folder;

static _Noreturn void fail(const char *what, const char *detail) {
    fprintf(stderr, "%s: %s: %s\n", locale_name, what, detail);
    exit(1);
}

static void expect(bool good, const char *what, const char *detail) {
    if (!good) {
        fail(what, detail);
    }
}

static void expect_text(const char *found, const char *wanted) {
    if (strcmp(found, wanted) != 0) {
        fprintf(stderr, "%s: found \"%s\", expected \"%s\"\n", locale_name, found, wanted);
        exit(1);
    }
}

/** The bytes of FOLDER/name; the caller frees. */
static char *read_file(const char *name) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 22);
    expect(file != NULL && text != NULL, "cannot be read", path);
    const size_t size = fread(text, 1, (1 << 22) - 1, file);
    fclose(file);
    expect(size > 0, "is empty", path);
    return text;
}

/** Digits, which differ where they are times, away; points and commas stay. */
static void drop_digits(char *text) {
    char *out = text;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static void compare_files(const char *a, const char *b, bool times) {
    char *first = read_file(a), *second = read_file(b);
    if (times) {
        drop_digits(first);
        drop_digits(second);
    }
    expect(strcmp(first, second) == 0, "not the same as in C", b);
    free(first);
    free(second);
}

/** What one picture says of itself. */
typedef struct drawn {
    pld_report report;
    unsigned pixels; /* a checksum */
    char refusal[3][PLD_ERROR_MESSAGE_SIZE];
    char log[4096];
} drawn;

static void keep_log(void *user, pld_log_level level, const char *message) {
    drawn *to = user;
    (void)level;
    strncat(to->log, message, sizeof to->log - strlen(to->log) - 1);
}

static void path_of(char path[512], const char *prefix, const char *name) {
    snprintf(path, 512, "%s/%s%s", folder, prefix, name);
}

static void refuse(pld_session *session, const pld_generate_options *options, char *message) {
    pld_error error = {0};
    pld_image image = {0};
    pld_report report = {.struct_size = sizeof report};
    expect(pld_generate(session, options, &image, &report, &error) != PLD_OK, "accepted", "a wrong value");
    memcpy(message, error.message, sizeof error.message);
}

/** Draw with everything that writes numbers. Files are named PREFIX…. */
static void draw(const char *prefix, drawn *to) {
    static const char *const guidance[] = {"pag:scale=3.5", "freeu:b1=1.25"};
    char model_path[512], csv[512], json[512], trace[512], converted[512];
    snprintf(model_path, sizeof model_path, "%s/tests/data/reference/models/sd15", source);
    path_of(csv, prefix, "stats.csv");
    path_of(json, prefix, "stats.json");
    path_of(trace, prefix, "trace.json");
    path_of(converted, prefix, "converted");
    pld_error error = {0};
    pld_engine *engine = NULL;
    pld_model *model = NULL;
    pld_session *session = NULL;
    pld_profile *profile = NULL;
    pld_engine_options engine_options;
    pld_engine_options_init(&engine_options, sizeof engine_options);
    engine_options.threads = 1;
    engine_options.log = keep_log;
    engine_options.log_level = PLD_LOG_DETAIL;
    engine_options.log_user = to;
    expect(pld_engine_create(&engine_options, &engine, &error) == PLD_OK &&
               pld_model_open(engine, model_path, &model, &error) == PLD_OK &&
               pld_session_create(model, &session, &error) == PLD_OK &&
               pld_profile_create(&profile, &error) == PLD_OK,
           "cannot be opened", error.message);
    pld_generate_options options;
    pld_generate_options_init(&options, sizeof options);
    options.prompt = "a (red:1.25) fox";
    options.width = options.height = 16;
    options.steps = 2;
    options.cfg_scale = 4.5;
    options.pladis_alpha = 1.25;
    options.guidance = guidance;
    options.guidance_count = 2;
    options.profile = profile;
    const char *const statistics[] = {csv, json};
    for (int i = 0; i < 2; i++) {
        pld_image image = {0};
        to->report = (pld_report){.struct_size = sizeof to->report};
        options.attention_statistics = statistics[i];
        expect(pld_generate(session, &options, &image, &to->report, &error) == PLD_OK, "not drawn",
               error.message);
        for (size_t j = 0; j < (size_t)image.width * (size_t)image.height * 3; j++) {
            to->pixels = to->pixels * 31 + image.pixels[j];
        }
        pld_image_free(&image);
    }
    expect(pld_profile_write_trace(profile, trace, &error) == PLD_OK, "no trace", error.message);
    pld_generate_options wrong = options;
    wrong.pladis_alpha = 2.5;
    refuse(session, &wrong, to->refusal[0]);
    wrong = options;
    wrong.cfg_rescale = 1.5;
    refuse(session, &wrong, to->refusal[1]);
    wrong = options;
    wrong.prompt = "a (red:1234567.5) fox";
    refuse(session, &wrong, to->refusal[2]);
    pld_convert_options convert;
    pld_convert_options_init(&convert, sizeof convert);
    expect(pld_model_convert(model, converted, &convert, &error) == PLD_OK, "not converted", error.message);
    pld_profile_destroy(&profile);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_engine_destroy(&engine);
}

/** The doors themselves. */
static void check_doors(void) {
    char text[64];
    const char *end = NULL;
    pld_error error = {0};
    pld_print_text(text, sizeof text, "%.3f %g", 1234.5, 0.25);
    expect_text(text, "1234.500 0.25");
    expect(pld_parse_real("2.5,5", &end) == 2.5 && *end == ',', "pld_parse_real", "2.5,5");
    expect(pld_equal_ignoring_case("TITLE-I", "title-i") && pld_lower('I') == 'i', "letters", "I");
    const pld_preset *preset = pld_preset_suggested("SDXL_LIGHTNING_4STEP_LORA", "stable-diffusion-xl");
    expect(preset && strcmp(preset->name, "lightning-4") == 0, "preset of SDXL_LIGHTNING_4STEP_LORA",
           preset ? preset->name : "none");
    json_t *document = NULL;
    expect(pld_json_parse("{\"a\": 2.5}", 10, "x", &document, &error) == PLD_OK, "no JSON", error.message);
    expect(json_real_value(json_object_get(document, "a")) == 2.5, "JSON", "2.5");
    char *dumped = pld_json_dump(document, JSON_COMPACT);
    expect_text(dumped, "{\"a\":2.5}");
    free(dumped);
    json_decref(document);
    snprintf(text, sizeof text, "%.1f", 1.5);
    expect(strcmp(text, "1.5") != 0, "the host program's locale is gone", text);
}

int main(int argc, char **argv) {
    static drawn here, there;
    expect(argc == 4, "usage", "test_locale LOCALE SOURCE_FOLDER FOLDER");
    locale_name = argv[1];
    source = argv[2];
    folder = argv[3];
    draw("C-", &here);
    if (!setlocale(LC_ALL, locale_name)) {
        fail("the locale cannot be set", "");
    }
    check_doors();
    draw("own-", &there);
    check_doors();
    expect(here.pixels == there.pixels, "another picture", "");
    expect_text(there.report.guidance, here.report.guidance);
    expect_text(there.log, here.log);
    for (int i = 0; i < here.report.variant_count; i++) {
        expect_text(there.report.variant_names[i], here.report.variant_names[i]);
    }
    for (int i = 0; i < 3; i++) {
        expect_text(there.refusal[i], here.refusal[i]);
    }
    expect(strstr(here.report.guidance, "3.5") && strstr(here.refusal[0], "2.5"),
           "not the text that was meant", here.report.guidance);
    compare_files("C-stats.csv", "own-stats.csv", false);
    compare_files("C-stats.json", "own-stats.json", false);
    compare_files("C-trace.json", "own-trace.json", true);
    compare_files("C-converted/vae/config.json", "own-converted/vae/config.json", false);
    compare_files("C-converted/scheduler/scheduler_config.json",
                  "own-converted/scheduler/scheduler_config.json", false);
    printf("%s: the same as in C\n", locale_name);
    return 0;
}
