/* SPDX-License-Identifier: Apache-2.0 */
#include "run/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "files/json_output.h"
#include "files/model_path.h"
#include "measure/profile_table.h"
#include "pages/attention_picture.h"
#include "pictures/facets.h"
#include "pictures/prompts.h"
#include "request/recall.h"
#include "run/picture_file.h"
#include "terminal/cancel.h"
#include "terminal/message.h"
#include "terminal/progress.h"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/** Without --pladis the model's own scale is meant, which is known once it is open. */
static void settle_pladis_scale(picture_list *pictures, double model_scale) {
    for (size_t i = 0; i < pictures->count; i++) {
        if (isnan(pictures->items[i].pladis_scale)) {
            pictures->items[i].pladis_scale = model_scale;
        }
    }
}

void run_model_options(const generate_request *request, vocabularies *found, pld_model_options *options) {
    pld_model_options_init(options, sizeof *options);
    pld_options_model(request->values, options);
    vocabularies_offer(found, options);
}

void run_engine_options(const generate_request *request, pld_engine_options *options) {
    pld_engine_options_init(options, sizeof *options);
    pld_options_engine(request->values, options);
    options->log = message_log;
    options->log_level = message_log_level();
}

static int open_model(picture_run *run) {
    double begin = now();
    pld_error error = {0};
    pld_engine_options options;
    run_engine_options(run->request, &options);
    vocabularies found;
    pld_model_options files;
    run_model_options(run->request, &found, &files);
    pld_model_info info = {.struct_size = sizeof info};
    if (pld_engine_create(&options, &run->engine, &error) != PLD_OK ||
        pld_model_open_with(run->engine, run->model_path, &files, &run->base, &error) != PLD_OK ||
        pld_model_get_info(run->base, &info, &error) != PLD_OK ||
        (run->request->profile != NULL && pld_profile_create(&run->profile, &error) != PLD_OK)) {
        return message_error(&error);
    }
    preview_init(&run->preview, run->request, info.size_factor);
    settle_pladis_scale(&run->pictures, info.default_pladis_scale);
    recall_compare_machine(run->request, pld_engine_isa(run->engine));
    run->facts = (run_facts){.model = run->model_path,
                             .model_name = run->model_name,
                             .family = info.family,
                             .isa = pld_engine_isa(run->engine),
                             .threads = pld_engine_threads(run->engine),
                             .open_seconds = now() - begin};
    return EXIT_DONE;
}

/** What --attention-maps asks for. */
static int make_maps(picture_run *run) {
    pld_error error = {0};
    pld_attention_maps_options options;
    pld_attention_maps_options_init(&options, sizeof options);
    options.words = run->request->attention_maps;
    options.blocks = run->request->attention_maps_blocks;
    options.start = run->request->attention_maps_start;
    options.end = run->request->attention_maps_end;
    return pld_attention_maps_create(&options, &run->maps, &error) == PLD_OK ? EXIT_DONE
                                                                             : message_error(&error);
}

int run_open(picture_run *run) {
    if (run->request->attention_maps != NULL) {
        int code = make_maps(run);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    if (!model_path_find(run->request->model, run->model_path, sizeof run->model_path)) {
        return EXIT_FAILED;
    }
    path_base_name(run->model_path, run->model_name, sizeof run->model_name);
    return open_model(run);
}

/** A session on the model with the LoRAs `wanted`, which are taken over: the one that is there where the set
 * is the same. */
static int use_loras(picture_run *run, lora_set *wanted) {
    pld_error error = {0};
    if (run->session != NULL && lora_set_equal(wanted, &run->loras)) {
        lora_set_free(&run->loras);
        run->loras = *wanted;
        return EXIT_DONE;
    }
    pld_session_destroy(&run->session);
    pld_model_destroy(&run->model);
    lora_set_free(&run->loras);
    run->loras = *wanted;
    if (pld_model_with_loras(run->base, wanted->items, wanted->count, &run->model, &error) != PLD_OK ||
        pld_session_create(run->model, &run->session, &error) != PLD_OK) {
        return message_error(&error);
    }
    return EXIT_DONE;
}

int run_prepare(picture_run *run, picture *wanted) {
    lora_set loras;
    int code = lora_set_make(wanted->settings, wanted->prompt, &loras);
    if (code == EXIT_DONE) {
        code = use_loras(run, &loras);
    }
    if (code == EXIT_DONE) {
        json_decref(wanted->loras);
        wanted->loras = lora_set_describe(run->model);
    }
    return code;
}

int run_read_pictures(const generate_request *settings, pld_image *init_image, pld_image *mask) {
    pld_error error = {0};
    *init_image = *mask = (pld_image){0};
    if ((settings->init_img != NULL &&
         pld_image_read_png(settings->init_img, init_image, &error) != PLD_OK) ||
        (settings->mask != NULL && pld_image_read_png(settings->mask, mask, &error) != PLD_OK)) {
        return message_error(&error);
    }
    return EXIT_DONE;
}

/** One call of the library. */
static int draw(picture_run *run, picture *wanted, const pld_generate_options *options) {
    pld_error error = {0};
    wanted->report.struct_size = sizeof wanted->report;
    const bool writes = options->dump != NULL || options->attention_statistics != NULL;
    if (writes) {
        cancel_guard_begin(); /* the library writes these files inside its call */
    }
    pld_status status = pld_generate(run->session, options, &wanted->image, &wanted->report, &error);
    if (writes) {
        cancel_guard_end();
    }
    progress_clear();
    if (status != PLD_OK) {
        return message_error(&error);
    }
    if (cancel_requested()) {
        message_failure("cancelled");
        return EXIT_CANCELLED;
    }
    return EXIT_DONE;
}

/** A picture of another shape is stretched, which nobody wants to find out afterwards. */
static void note_stretching(const picture *drawn, const pld_image *from) {
    double wanted = (double)drawn->report.width / drawn->report.height,
           found = (double)from->width / from->height;
    if (wanted > found * 1.02 || wanted < found / 1.02) {
        message_note("%s, %d x %d, was stretched to %d x %d; give -W and -H in its proportions to avoid this",
                     drawn->settings->init_img, from->width, from->height, drawn->report.width,
                     drawn->report.height);
    }
}

/** The heat maps of a picture that was just drawn. */
static int write_maps(const picture_run *run, size_t index) {
    char name[PATH_MAX];
    pld_image image = {0};
    if (!attention_picture_name(run->request, index, run->pictures.count, name, sizeof name)) {
        return EXIT_USAGE;
    }
    if (!attention_picture_compose(&run->pictures.items[index], run->maps, run->model_name, &image)) {
        return EXIT_FAILED;
    }
    int code = picture_file_write_bare(&image, name);
    canvas_free(&image);
    return code;
}

/** Whether two pictures have the same texts to be encoded. */
static bool same_texts(const picture *a, const picture *b) {
    const char *negative = a->settings->negative_prompt, *other = b->settings->negative_prompt;
    return strcmp(a->prompt, b->prompt) == 0 && (negative == NULL) == (other == NULL) &&
           (negative == NULL || strcmp(negative, other) == 0) &&
           a->settings->literal_prompt == b->settings->literal_prompt &&
           a->settings->clip_skip == b->settings->clip_skip;
}

/** Whether no later picture has texts of its own. */
static bool is_last_text(const picture_run *run, size_t index) {
    for (size_t i = index + 1; i < run->pictures.count; i++) {
        if (!same_texts(&run->pictures.items[index], &run->pictures.items[i])) {
            return false;
        }
    }
    return true;
}

/** Tell what the run draws, once. */
static void announce(picture_run *run) {
    char text[FACETS_TEXT];
    if (run->announced) {
        return;
    }
    run->announced = true;
    facets_ahead(&run->pictures, text);
    if (run->pictures.count > 1) {
        message_line("drawing   %zu pictures, %s, %s", run->pictures.count, run->model_name, text);
    } else {
        message_line("drawing   %s, %s", run->model_name, text);
    }
}

/** What the progress callback is about. */
typedef struct watched {
    picture_run *run;
    picture *drawn;
} watched;

/** The progress callback: the bar, and the times of the calls. In a log it is told what is drawn once a step
 * is done, so that a run that fails at once leaves its error alone. */
static bool note_progress(void *user, const pld_progress *progress) {
    const watched *w = user;
    if (strcmp(progress->stage, "denoise") == 0) {
        call_times_note(&w->drawn->calls, progress->step, progress->seconds);
    }
    if (progress->step > 0) {
        announce(w->run);
    }
    return progress_show(NULL, progress);
}

int run_draw(picture_run *run, size_t index) {
    picture *wanted = &run->pictures.items[index];
    pld_generate_options options;
    pld_image init_image, mask;
    watched progress = {run, wanted};
    char dump[PATH_MAX], statistics[PATH_MAX];
    int code = run_prepare(run, wanted);
    if (code != EXIT_DONE) {
        return code;
    }
    generate_options_fill(wanted->settings, lora_set_prompt(&run->loras, wanted->prompt), wanted->seed,
                          wanted->pladis_scale, &options);
    options.release_text_encoders = is_last_text(run, index);
    options.release_denoiser = index + 1 == run->pictures.count;
    options.progress = note_progress;
    options.progress_user = &progress;
    options.image = (int)index;
    options.images = (int)run->pictures.count;
    options.cancel = cancel_flag();
    options.profile = run->profile;
    options.attention_maps = run->maps;
    options.preview = preview_wanted(&run->preview) ? preview_show : NULL;
    options.preview_user = &run->preview;
    if (run->request->dump != NULL) {
        if (!picture_file_side_name("dump", run->request->dump, &run->pictures, index, dump, sizeof dump)) {
            return EXIT_USAGE;
        }
        options.dump = dump;
    }
    if (run->request->attention_stats != NULL) {
        if (!picture_file_side_name("attention-stats", run->request->attention_stats, &run->pictures, index,
                                    statistics, sizeof statistics)) {
            return EXIT_USAGE;
        }
        options.attention_statistics = statistics;
    }
    code = run_read_pictures(wanted->settings, &init_image, &mask);
    options.init_image = init_image.pixels != NULL ? &init_image : NULL;
    options.mask = mask.pixels != NULL ? &mask : NULL;
    if (code == EXIT_DONE && isatty(STDERR_FILENO)) {
        announce(run); /* a person learns of it at once */
    }
    if (code == EXIT_DONE) {
        code = draw(run, wanted, &options);
        preview_leave(&run->preview);
    }
    if (code == EXIT_DONE && run->maps != NULL) {
        code = write_maps(run, index);
    }
    if (code == EXIT_DONE && init_image.pixels != NULL && index == 0) {
        note_stretching(wanted, &init_image);
    }
    pld_image_free(&init_image);
    pld_image_free(&mask);
    return code;
}

/** The trace file, and the tables unless nothing but errors is wanted. */
static int write_profile(const picture_run *run) {
    int code = profile_table_save(run->profile, run->request->profile);
    return code != EXIT_DONE || message_verbosity() == VERBOSITY_QUIET ? code
                                                                       : profile_table_print(run->profile);
}

static int write_reports(picture_run *run) {
    if (run->profile != NULL) {
        int code = write_profile(run);
        if (code != EXIT_DONE) {
            return code;
        }
    }
    report_print(run->request, &run->facts, &run->pictures);
    if (run->request->report == NULL) {
        return EXIT_DONE;
    }
    return json_output_save(report_make(run->request, &run->facts, &run->pictures), run->request->report);
}

int run_report(picture_run *run) {
    int code = write_reports(run);
    return code == EXIT_DONE && run->preview.failed ? EXIT_FAILED : code;
}

void run_close(picture_run *run) {
    pld_attention_maps_destroy(&run->maps);
    pld_profile_destroy(&run->profile);
    pld_session_destroy(&run->session);
    pld_model_destroy(&run->model);
    pld_model_destroy(&run->base);
    lora_set_free(&run->loras);
    pld_engine_destroy(&run->engine);
    prompts_free_pictures(&run->pictures);
}
