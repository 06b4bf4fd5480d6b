/* SPDX-License-Identifier: Apache-2.0 */
/** A program of somebody else: callers.sh builds it against headers of several versions, whose structs are shorter
 *  or longer than the library's, and runs each with the present library. It uses the first fields of structs only,
 *  and prints what it finds, the same whatever the headers are.
 *
 *  usage: caller MODEL LORA PNG */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/options.h>
#include <pladis/pladis.h>
#include <pladis/scoring.h>

enum { GUARD = 256, POISON = 0xA5 };

/** A variable of a public struct between bytes that nobody may write. */
#define GUARDED(type, name)                                                                                  \
    struct {                                                                                                 \
        unsigned char before[GUARD];                                                                         \
        type value;                                                                                          \
        unsigned char behind[GUARD];                                                                         \
    } name;                                                                                                  \
    memset(&name, POISON, sizeof name)

#define CHECK_GUARD(name) check_guard(#name, name.before, name.behind)

static int failures;

static void expect(int holds, const char *what, const char *detail) {
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, detail);
        failures++;
    }
}

static void check_guard(const char *name, const unsigned char *before, const unsigned char *behind) {
    int same = 1;
    for (int i = 0; i < GUARD; i++) {
        same = same && before[i] == POISON && behind[i] == POISON;
    }
    expect(same, name, "bytes beside the struct were written");
}

#ifdef GROWN
/** A field that the library does not know is refused where it is set, and only there. */
#define CHECK_APPENDED(options, call)                                                                        \
    do {                                                                                                     \
        expect((options).value.appended_number == 0 && !(options).value.appended_pointer, #options,          \
               "what the library does not know is not zero after init");                                     \
        (options).value.appended_number = 1;                                                                 \
        expect((call) == PLD_ERROR_UNSUPPORTED, #options,                                                    \
               "a field that the library does not know is taken");                                           \
        (options).value.appended_number = 0;                                                                 \
    } while (0)
#else
#define CHECK_APPENDED(options, call) (void)0
#endif

static unsigned long sum_of(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    unsigned long sum = 5381;
    for (size_t i = 0; i < size; i++) {
        sum = (sum * 33 + at[i]) & 0xFFFFFFFFUL;
    }
    return sum;
}

static void attend(void) {
    enum { TOKENS = 5, SIZE = 8 };
    float rows[TOKENS * SIZE], out[TOKENS * SIZE];
    pld_error error = {PLD_OK, ""};
    for (int i = 0; i < TOKENS * SIZE; i++) {
        rows[i] = (float)(i % 7) - 3;
    }
    GUARDED(pld_attention_problem, problem);
    GUARDED(pld_attention_parallel, parallel);
    pld_attention_problem_init(&problem.value, sizeof problem.value);
    pld_attention_parallel_init(&parallel.value, sizeof parallel.value);
    problem.value.head_size = SIZE;
    problem.value.query_count = problem.value.key_count = TOKENS;
    problem.value.query = problem.value.key = problem.value.value = rows;
    problem.value.query_token_stride = problem.value.key_token_stride = problem.value.value_token_stride =
        SIZE;
    problem.value.out = out;
    problem.value.out_token_stride = SIZE;
    const size_t size = pld_attention_scratch_size(&problem.value, 1);
    void *scratch = malloc(size);
    CHECK_APPENDED(problem, pld_attention(&problem.value, scratch, size, &parallel.value, &error));
    CHECK_APPENDED(parallel, pld_attention(&problem.value, scratch, size, &parallel.value, &error));
    expect(pld_attention(&problem.value, scratch, size, &parallel.value, &error) == PLD_OK, "attention",
           error.message);
    free(scratch);
    printf("attention %08lx\n", sum_of(out, sizeof out));
    CHECK_GUARD(problem);
    CHECK_GUARD(parallel);
}

static void list(void) {
    GUARDED(pld_guidance_info, info);
    GUARDED(pld_guidance_key, key);
    info.value.struct_size = sizeof info.value;
    key.value.struct_size = sizeof key.value;
    for (size_t i = 0; pld_guidance_describe(i, &info.value); i++) {
        printf("guidance %s: %s\n", info.value.name, info.value.description);
        for (size_t j = 0; pld_guidance_describe_key(i, j, &key.value); j++) {
            printf("    %s %d\n", key.value.name, (int)key.value.kind);
        }
    }
    expect(info.value.struct_size == sizeof info.value, "info", "struct_size was written");
    CHECK_GUARD(info);
    CHECK_GUARD(key);
}

static void score(void) {
    enum { SIDE = 128 };
    static unsigned char white[SIDE * SIDE * 3];
    GUARDED(pld_caption, caption);
    GUARDED(pld_scene, scene);
    int verdict[PLD_ASPECT_COUNT + 1];
    pld_error error = {PLD_OK, ""};
    pld_scorer *scorer = NULL;
    memset(white, 255, sizeof white);
    caption.value.struct_size = sizeof caption.value;
    scene.value.struct_size = sizeof scene.value;
    verdict[PLD_ASPECT_COUNT] = 77;
    expect(pld_caption_parse("a red star above a blue ring", &caption.value, &error) == PLD_OK, "caption",
           error.message);
    expect(pld_scorer_create(&scorer, &error) == PLD_OK, "scorer", error.message);
    expect(pld_scorer_look(scorer, white, SIDE, SIDE, &scene.value, &error) == PLD_OK, "scene",
           error.message);
    expect(pld_scene_judge(&scene.value, &caption.value, verdict, PLD_ASPECT_COUNT, &error) == PLD_OK,
           "judge", error.message);
    expect(verdict[PLD_ASPECT_COUNT] == 77, "verdict", "an int behind the array was written");
    printf("caption %d, %d things; scene %d, verdict %d\n", (int)caption.value.category,
           caption.value.thing_count, scene.value.thing_count, verdict[PLD_ASPECT_COUNT_OF_THINGS]);
    pld_scorer_destroy(&scorer);
    CHECK_GUARD(caption);
    CHECK_GUARD(scene);
}

static int told;

static bool hear(void *user, const pld_progress *progress) {
    (void)user;
    told += progress->struct_size > sizeof(size_t) && progress->stage[0];
    return true;
}

/** What a model is, with a LoRA; then a picture. */
static void draw(pld_engine *engine, const char *path, const char *lora_path) {
    GUARDED(pld_model_options, files);
    GUARDED(pld_model_info, info);
    GUARDED(pld_lora, lora);
    GUARDED(pld_generate_options, options);
    GUARDED(pld_report, report);
    pld_model *base = NULL, *model = NULL;
    pld_session *session = NULL;
    pld_image image = {0, 0, NULL};
    pld_error error = {PLD_OK, ""};
    pld_model_options_init(&files.value, sizeof files.value);
    info.value.struct_size = sizeof info.value;
    report.value.struct_size = sizeof report.value;
    pld_lora_init(&lora.value, sizeof lora.value);
    lora.value.path = lora_path;
    const pld_lora *const loras[] = {&lora.value};
    CHECK_APPENDED(files, pld_model_open_with(engine, path, &files.value, &base, &error));
    expect(pld_model_open_with(engine, path, &files.value, &base, &error) == PLD_OK, "open", error.message);
    CHECK_APPENDED(lora, pld_model_with_loras(base, loras, 1, &model, &error));
    expect(pld_model_with_loras(base, loras, 1, &model, &error) == PLD_OK, "LoRA", error.message);
    expect(pld_model_get_info(model, &info.value, &error) == PLD_OK, "info", error.message);
    printf("model %s, predicts %s, %d steps\n", info.value.family, info.value.prediction_type,
           info.value.default_steps);

    pld_generate_options_init(&options.value, sizeof options.value);
    options.value.prompt = "a red fox";
    options.value.width = options.value.height = 64;
    options.value.steps = 2;
    (void)hear;
#ifndef CUT
    options.value.progress = hear;
#endif
    expect(pld_session_create(model, &session, &error) == PLD_OK, "session", error.message);
    CHECK_APPENDED(options, pld_generate(session, &options.value, &image, &report.value, &error));
    expect(pld_generate(session, &options.value, &image, &report.value, &error) == PLD_OK, "picture",
           error.message);
    printf("picture %d x %d %08lx, %d stages\n", image.width, image.height,
           sum_of(image.pixels, image.pixels ? (size_t)(3 * image.width * image.height) : 0),
           report.value.stage_count);
    expect(report.value.struct_size == sizeof report.value, "report", "struct_size was written");
    pld_image_free(&image);
    pld_session_destroy(&session);
    pld_model_destroy(&model);
    pld_model_destroy(&base);
    CHECK_GUARD(files);
    CHECK_GUARD(info);
    CHECK_GUARD(lora);
    CHECK_GUARD(options);
    CHECK_GUARD(report);
}

/** What the library hands out is read from the front. */
static void inspect(const char *path) {
    pld_file_info *info = NULL;
    pld_error error = {PLD_OK, ""};
    expect(pld_file_inspect(path, NULL, &info, &error) == PLD_OK, "inspect", error.message);
    if (info) {
        printf("file %s, %s\n", info->kind, info->title);
    }
    pld_file_info_destroy(&info);
}

/** Options by their names, into structs of the caller's size. */
static void fill(void) {
    static const char *const texts[][2] = {
        {"steps", "3"},
        {"width", "96"},
        {"negative-prompt", "grey"},
        {"timesteps", "9,5,1"},
        {"pladis-alpha", "1.25"},
        {"dtype", "f32"},
        {"attention-stats", "s.json"},
        {"dump", "d"},
        {"threads", "2"},
        {"low-memory", "yes"},
        {"tokenizer", "t"},
        {"vae", "v"},
    };
    pld_options *options = NULL;
    pld_error error = {PLD_OK, ""};
    GUARDED(pld_generate_options, generate);
    GUARDED(pld_engine_options, engine);
    GUARDED(pld_model_options, files);
    pld_generate_options_init(&generate.value, sizeof generate.value);
    pld_engine_options_init(&engine.value, sizeof engine.value);
    pld_model_options_init(&files.value, sizeof files.value);
    expect(pld_options_create(&options, &error) == PLD_OK, "options", error.message);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        expect(pld_options_set(options, NULL, texts[i][0], texts[i][1], &error) == PLD_OK, texts[i][0],
               error.message);
    }
    pld_options_generate(options, &generate.value);
    pld_options_engine(options, &engine.value);
    pld_options_model(options, &files.value);
    expect(generate.value.struct_size == sizeof generate.value &&
               engine.value.struct_size == sizeof engine.value &&
               files.value.struct_size == sizeof files.value,
           "options", "struct_size was written");
    const pld_option *option = pld_option_find("generate", "steps");
    const pld_option_value *value = pld_options_value(options, option);
    printf("options: %s %lld, %d steps of %d pixels, without %s, %d threads, %s\n", option->name,
           (long long)value->integer, generate.value.steps, generate.value.width,
           generate.value.negative_prompt, engine.value.threads,
           files.value.config ? files.value.config : "no config");
    pld_options_destroy(&options);
    CHECK_GUARD(generate);
    CHECK_GUARD(engine);
    CHECK_GUARD(files);
}

static void decode(const char *path) {
    static unsigned char bytes[1 << 20];
    pld_image read = {0, 0, NULL}, decoded = {0, 0, NULL}, half = {0, 0, NULL};
    pld_error error = {PLD_OK, ""};
    FILE *file = fopen(path, "rb");
    const size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file) {
        fclose(file);
    }
    expect(pld_image_read_png(path, &read, &error) == PLD_OK, "PNG in a file", error.message);
    expect(pld_image_decode_png(bytes, size, "memory", &decoded, &error) == PLD_OK, "PNG in memory",
           error.message);
    expect(read.pixels && decoded.pixels && read.width == decoded.width && read.height == decoded.height &&
               memcmp(read.pixels, decoded.pixels, (size_t)(3 * read.width * read.height)) == 0,
           "PNG", "another picture from memory than from the file");
    expect(pld_image_decode_png(bytes, size / 2, "memory", &half, &error) == PLD_ERROR_FORMAT &&
               strstr(error.message, "memory") && !half.pixels,
           "half a PNG in memory", error.message);
    pld_image_free(&read);
    pld_image_free(&decoded);
}

int main(int argc, char **argv) {
    pld_error error = {PLD_OK, ""};
    pld_engine *engine = NULL;
    if (argc != 4) {
        return 2;
    }
    expect(pld_version_check(PLADIS_VERSION_NUMBER, &error) == PLD_OK, "version", error.message);
    expect(pld_version_check(pld_version_number() + 1, &error) == PLD_ERROR_UNSUPPORTED, "version",
           "a later one than the library's is accepted");
    printf("version %s %d\n", pld_version(), pld_version_number());
    attend();
    list();
    score();
    fill();
    decode(argv[3]);
    inspect(argv[2]);
    GUARDED(pld_engine_options, options);
    pld_engine_options_init(&options.value, sizeof options.value);
    options.value.threads = 1;
    options.value.isa = "scalar";
    CHECK_APPENDED(options, pld_engine_create(&options.value, &engine, &error));
    expect(pld_engine_create(&options.value, &engine, &error) == PLD_OK, "engine", error.message);
    CHECK_GUARD(options);
    if (!failures) {
        draw(engine, argv[1], argv[2]);
    }
    pld_engine_destroy(&engine);
    return failures ? 1 : 0;
}
