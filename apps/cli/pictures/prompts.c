/* SPDX-License-Identifier: Apache-2.0 */
#include "pictures/prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files/whole_file.h"
#include "request/given.h"
#include "terminal/message.h"

enum { LONGEST_PROMPT_FILE = 16 << 20, MOST_PICTURES = 100000 };

/** Cut `text` into its lines that are not blank; `lines` (NULL: only count) gets their beginnings. */
static size_t split_lines(char *text, const char **lines) {
    size_t count = 0;
    for (char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        bool blank = strspn(at, " \t") >= length;
        if (!blank && lines != NULL) {
            lines[count] = at;
        }
        count += !blank;
        char *end = at + length;
        at = end + (*end != '\0');
        if (lines != NULL) {
            *end = '\0';
        }
    }
    return count;
}

/** Prompts are UTF-8 from here on, whatever was in the file. */
static bool repair_text(picture_list *pictures, size_t size) {
    pld_error error = {0};
    char *repaired = NULL;
    size_t repaired_size = 0;
    if (pld_utf8_repair(pictures->prompt_text, size, &repaired, &repaired_size, &error) != PLD_OK) {
        message_error(&error);
        return false;
    }
    char *copy = malloc(repaired_size + 1);
    if (copy == NULL) {
        message_failure("out of memory for %zu bytes of prompts", repaired_size);
    } else {
        memcpy(copy, repaired, repaired_size + 1);
        free(pictures->prompt_text);
        pictures->prompt_text = copy;
    }
    pld_string_free(&repaired);
    return copy != NULL;
}

/** The prompts of the request; the caller frees the list. NULL after an error line. */
static const char **collect_prompts(const generate_request *request, picture_list *pictures, size_t *count) {
    size_t size = 0;
    *count = 1;
    if (request->prompt_file != NULL) {
        pictures->prompt_text = whole_file_read_text(request->prompt_file, LONGEST_PROMPT_FILE, &size);
        if (pictures->prompt_text == NULL) {
            return NULL;
        }
        if (!repair_text(pictures, size)) {
            return NULL;
        }
        *count = split_lines(pictures->prompt_text, NULL);
        if (*count == 0) {
            message_failure("%s: found no prompts, expected one per line", request->prompt_file);
            return NULL;
        }
    }
    const char **prompts = malloc(*count * sizeof *prompts);
    if (prompts == NULL) {
        message_failure("out of memory for %zu prompts", *count);
    } else if (request->prompt_file != NULL) {
        split_lines(pictures->prompt_text, prompts);
    } else {
        prompts[0] = request->prompt != NULL ? request->prompt : "";
    }
    return prompts;
}

/** Room for `count` variants, all with the options of the request. */
static bool reserve_variants(const generate_request *request, size_t count, picture_list *pictures) {
    pictures->variants = calloc(count, sizeof *pictures->variants);
    if (pictures->variants == NULL) {
        message_failure("out of memory for %zu variants of a picture", count);
        return false;
    }
    for (; pictures->variant_count < count; pictures->variant_count++) {
        if (!generate_options_copy(request, &pictures->variants[pictures->variant_count].settings)) {
            return false;
        }
    }
    return true;
}

/** Without and with PLADIS. */
static int make_off_and_on(const generate_request *request, picture_list *pictures) {
    if (!reserve_variants(request, 2, pictures)) {
        return EXIT_FAILED;
    }
    pictures->variants[0].settings.pladis_scale = 0;
    snprintf(pictures->variants[0].label, PICTURE_LABEL, "without PLADIS");
    snprintf(pictures->variants[1].label, PICTURE_LABEL, "with PLADIS");
    return EXIT_DONE;
}

/** Set variant `index` to a value of the axis. */
static bool apply_axis(const sweep_axis *axis, size_t index, picture_variant *variant) {
    size_t used = strlen(variant->label);
    const char *between = used > 0 ? ", " : "";
    char label[PICTURE_LABEL];
    sweep_axis_label(axis, index, label, sizeof label);
    snprintf(variant->label + used, PICTURE_LABEL - used, "%s%.*s", between, PICTURE_LABEL - 8, label);
    return sweep_axis_apply(axis, index, &variant->settings) && generate_options_check(&variant->settings);
}

static int make_variants(const generate_request *request, picture_list *pictures) {
    if (request->compare == NULL) {
        return reserve_variants(request, 1, pictures) ? EXIT_DONE : EXIT_FAILED;
    }
    if (request->compare[0] == '\0') {
        return make_off_and_on(request, pictures);
    }
    sweep_axis *axis = &pictures->compared;
    if (!sweep_axis_parse("compare", request->compare, axis)) {
        return EXIT_USAGE;
    }
    if (axis->count < 2) {
        return message_usage("--compare: found one value of %s, expected two or more", axis->row->name);
    }
    if (!reserve_variants(request, axis->count, pictures)) {
        return EXIT_FAILED;
    }
    pictures->axes[0] = axis;
    for (size_t i = 0; i < axis->count; i++) {
        if (!apply_axis(axis, i, &pictures->variants[i])) {
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

/** The pictures: prompts (NULL: the variants' own) with seeds, each in all variants. */
static int fill_pictures(const generate_request *request, const char *const *prompts, size_t prompt_count,
                         picture_list *pictures) {
    size_t seeds = (size_t)request->batch_count, variants = pictures->variant_count;
    size_t count = prompt_count * seeds * variants;
    if (prompt_count > MOST_PICTURES || count > MOST_PICTURES) {
        return message_usage("%zu prompts with %zu seeds: expected at most %d pictures, found more",
                             prompt_count, seeds, (int)MOST_PICTURES);
    }
    if ((pictures->items = calloc(count, sizeof *pictures->items)) == NULL) {
        return message_failure("out of memory for %zu pictures", count);
    }
    pictures->count = count;
    for (size_t i = 0; i < count; i++) {
        const picture_variant *variant = &pictures->variants[i % variants];
        const char *own = variant->settings.prompt;
        pictures->items[i] =
            (picture){.settings = &variant->settings,
                      .label = variant->label,
                      .prompt = own != NULL || prompts == NULL ? own : prompts[i / variants / seeds],
                      .seed = variant->settings.seed + (int64_t)(i / variants % seeds),
                      .pladis_scale = variant->settings.pladis_scale};
    }
    return EXIT_DONE;
}

/** All pictures share their LoRAs: what any line of a prompt file names is not taken from metadata as well.
 */
static void settle_loras(const char *const *prompts, size_t prompt_count, picture_list *pictures) {
    for (size_t i = 0; i < pictures->variant_count * prompt_count; i++) {
        given_take_prompt(&pictures->variants[i / prompt_count].settings, prompts[i % prompt_count]);
    }
}

int prompts_make_pictures(const generate_request *request, picture_list *pictures) {
    size_t prompt_count = 0;
    *pictures = (picture_list){0};
    const char **prompts = collect_prompts(request, pictures, &prompt_count);
    if (prompts == NULL) {
        return EXIT_FAILED;
    }
    int code = make_variants(request, pictures);
    if (code == EXIT_DONE) {
        if (request->prompt_file != NULL) {
            settle_loras(prompts, prompt_count, pictures);
        }
        code = fill_pictures(request, prompts, prompt_count, pictures);
    }
    free(prompts);
    return code;
}

int prompts_make_grid(const generate_request *request, const sweep_axis *x, const sweep_axis *y,
                      picture_list *pictures) {
    size_t rows = y != NULL ? y->count : 1;
    *pictures = (picture_list){0};
    if (!reserve_variants(request, x->count * rows, pictures)) {
        return EXIT_FAILED;
    }
    pictures->axes[0] = x;
    pictures->axes[1] = y;
    for (size_t i = 0; i < pictures->variant_count; i++) {
        picture_variant *variant = &pictures->variants[i];
        if ((y != NULL && !apply_axis(y, i / x->count, variant)) || !apply_axis(x, i % x->count, variant)) {
            return EXIT_USAGE;
        }
    }
    return fill_pictures(request, NULL, 1, pictures);
}

void prompts_free_pictures(picture_list *pictures) {
    for (size_t i = 0; i < pictures->count; i++) {
        json_decref(pictures->items[i].loras);
        call_times_free(&pictures->items[i].calls);
        pld_image_free(&pictures->items[i].image);
    }
    for (size_t i = 0; i < pictures->variant_count; i++) {
        generate_options_free_copy(&pictures->variants[i].settings);
    }
    free(pictures->items);
    free(pictures->variants);
    sweep_axis_free(&pictures->compared);
    free(pictures->prompt_text);
    *pictures = (picture_list){0};
}
