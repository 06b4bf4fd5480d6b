/* SPDX-License-Identifier: Apache-2.0 */
/** What generate and grid find out before they draw. */
#include <limits.h>
#include <string.h>

#include "files/model_path.h"
#include "pages/attention_picture.h"
#include "run/metadata.h"
#include "run/run.h"
#include "terminal/message.h"
#include "values/json_values.h"
#include "values/utf8.h"

/** Whether no earlier picture has these options and LoRAs. */
static bool is_new(const picture_run *run, size_t index) {
    return index < run->pictures.variant_count || strstr(run->pictures.items[index].prompt, "<lora:") != NULL;
}

/** Whether the picture before this one has the same texts and LoRAs. */
static bool has_texts_of_last(const picture_run *run, size_t index) {
    const picture *last = index > 0 ? &run->pictures.items[index - 1] : NULL,
                  *wanted = &run->pictures.items[index];
    return last != NULL && last->prompt == wanted->prompt && last->settings == wanted->settings;
}

/** Ask the library about the options of one picture, whose session is there. */
static int check_options(picture_run *run, picture *wanted) {
    pld_error error = {0};
    pld_generate_options options;
    pld_image init_image, mask;
    generate_options_fill(wanted->settings, lora_set_prompt(&run->loras, wanted->prompt), wanted->seed,
                          wanted->pladis_scale, &options);
    int code = run_read_pictures(wanted->settings, &init_image, &mask);
    options.init_image = init_image.pixels != NULL ? &init_image : NULL;
    options.mask = mask.pixels != NULL ? &mask : NULL;
    wanted->report.struct_size = sizeof wanted->report;
    if (code == EXIT_DONE && pld_generate_check(run->session, &options, &wanted->report, &error) != PLD_OK) {
        code = message_error(&error);
    }
    pld_image_free(&init_image);
    pld_image_free(&mask);
    return code;
}

/** What stands in the texts of picture `index`, against its model with its LoRAs. */
static int check_texts(picture_run *run, size_t index) {
    const picture *wanted = &run->pictures.items[index];
    const generate_request *settings = wanted->settings;
    const char *prompt = lora_set_prompt(&run->loras, wanted->prompt);
    pld_error error = {0}, placed = {0};
    pld_status status = pld_model_check_prompt(run->model, prompt, settings->literal_prompt, false, &error);
    if (status == PLD_OK && settings->negative_prompt != NULL) {
        status = pld_model_check_prompt(run->model, settings->negative_prompt, settings->literal_prompt, true,
                                        &error);
    }
    if (status == PLD_OK && run->maps != NULL) {
        status = pld_attention_maps_check(run->maps, run->model, prompt, settings->literal_prompt, &error);
    }
    if (status != PLD_OK && run->request->prompt_file != NULL) {
        const size_t each = (size_t)run->request->batch_count * run->pictures.variant_count;
        placed.status = error.status;
        snprintf(placed.message, sizeof placed.message, "%s: prompt %zu: %.*s", run->request->prompt_file,
                 index / each + 1, PLD_ERROR_MESSAGE_SIZE / 2, error.message);
        return message_error(&placed);
    }
    return status == PLD_OK ? EXIT_DONE : message_error(&error);
}

/** Names of files may be any bytes, but JSON and PNG hold UTF-8 only. False after an error line. */
static bool is_text(const char *option_name, const char *path) {
    const bool good = path == NULL || utf8_is_whole(path);
    if (!good) {
        message_usage("--%s: the name %s is not UTF-8 and cannot be recorded with the picture; rename the "
                      "file, or use --no-metadata and leave out --report",
                      option_name, path);
    }
    return good;
}

static bool names_are_text(const generate_request *settings) {
    bool good = true;
    for (size_t i = 0; good && pld_option_at(i) != NULL; i++) {
        const option *row = pld_option_at(i);
        good = !row->of_picture || !row->is_file ||
               is_text(row->name, pld_options_value(settings->values, row)->text);
    }
    for (size_t i = 0; good && i < settings->loras.count; i++) {
        good = is_text("lora", settings->loras.items[i].text);
    }
    return good;
}

/** Try to put what is known so far of the pictures into a PNG of one pixel. Gives the exit code. */
static int try_metadata(const picture_run *run) {
    pld_error error = {0};
    uint8_t pixel[3] = {0}, *bytes = NULL;
    size_t size = 0;
    const pld_image smallest = {1, 1, pixel};
    char **text = metadata_make(&run->facts, run->pictures.items, run->pictures.count);
    int code = text != NULL ? EXIT_DONE : EXIT_FAILED;
    if (text != NULL &&
        pld_image_encode_png(&smallest, (const char *const *)text, &bytes, &size, &error) != PLD_OK) {
        code = message_error(&error);
    }
    pld_bytes_free(&bytes);
    pld_text_free(&text);
    return code;
}

/** Whether what is told of the pictures can be told. */
static int check_metadata(const picture_run *run) {
    const generate_request *request = run->request;
    const picture_list *pictures = &run->pictures;
    if (request->no_metadata && request->report == NULL) {
        return EXIT_DONE;
    }
    bool good = is_text("model", request->report != NULL ? run->model_path : run->model_name);
    for (size_t i = 0; good && i < pictures->variant_count; i++) {
        good = names_are_text(&pictures->variants[i].settings);
    }
    return good ? try_metadata(run) : EXIT_USAGE;
}

int run_check(picture_run *run) {
    picture_list *pictures = &run->pictures;
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < pictures->count; i++) {
        picture *wanted = &pictures->items[i];
        bool same_texts = has_texts_of_last(run, i), same_options = !is_new(run, i);
        if (!same_texts || !same_options) {
            code = run_prepare(run, wanted);
        }
        if (code == EXIT_DONE && !same_texts) {
            code = check_texts(run, i);
        }
        if (code == EXIT_DONE && !same_options) {
            code = check_options(run, wanted);
        } else if (code == EXIT_DONE) {
            wanted->report = pictures->items[i % pictures->variant_count].report;
        }
        wanted->image = (pld_image){.width = wanted->report.width, .height = wanted->report.height};
        if (code == EXIT_DONE && run->maps != NULL) {
            code = attention_picture_check(wanted, run->maps, run->model_name);
        }
    }
    return code == EXIT_DONE ? check_metadata(run) : code;
}
