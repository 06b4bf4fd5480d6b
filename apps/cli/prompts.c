/* SPDX-License-Identifier: Apache-2.0 */
#include "prompts.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "whole_file.h"

enum { LONGEST_PROMPT_FILE = 16 << 20, MOST_PICTURES = 100000 };

/** Cut `text` into its lines that are not blank; `lines` (NULL: only count) gets their beginnings. */
static size_t split_lines(char *text, const char **lines) {
    size_t count = 0;
    for (char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\r\n");
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

/** The prompts of the request; the caller frees the list. NULL after an error line. */
static const char **collect_prompts(const generate_request *request, picture_list *pictures, size_t *count) {
    size_t size = 0;
    *count = 1;
    if (request->prompt_file != NULL) {
        pictures->prompt_text = whole_file_read(request->prompt_file, LONGEST_PROMPT_FILE, &size);
        if (pictures->prompt_text == NULL) {
            return NULL;
        }
        if (strlen(pictures->prompt_text) != size) {
            message_failure("%s: found a zero byte, expected text with one prompt a line",
                            request->prompt_file);
            return NULL;
        }
        *count = split_lines(pictures->prompt_text, NULL);
        if (*count == 0) {
            message_failure("%s: no prompts found, expected one a line", request->prompt_file);
            return NULL;
        }
    }
    const char **prompts = malloc(*count * sizeof *prompts);
    if (prompts == NULL) {
        message_failure("out of memory for %zu prompts", *count);
    } else if (request->prompt_file != NULL) {
        split_lines(pictures->prompt_text, prompts);
    } else {
        prompts[0] = request->prompt;
    }
    return prompts;
}

int prompts_make_pictures(const generate_request *request, picture_list *pictures) {
    size_t prompt_count = 0;
    *pictures = (picture_list){0};
    const char **prompts = collect_prompts(request, pictures, &prompt_count);
    if (prompts == NULL) {
        return EXIT_FAILED;
    }
    size_t seeds = (size_t)request->batch_count, halves = request->compare ? 2 : 1;
    size_t count = prompt_count * seeds * halves;
    int code = EXIT_DONE;
    if (prompt_count > MOST_PICTURES || count > MOST_PICTURES) {
        code = message_usage("%zu prompts with %zu seeds: found more than %d pictures", prompt_count, seeds,
                             (int)MOST_PICTURES);
    } else if ((pictures->items = calloc(count, sizeof *pictures->items)) == NULL) {
        code = message_failure("out of memory for %zu pictures", count);
    } else {
        pictures->count = count;
        for (size_t i = 0; i < count; i++) {
            bool without = request->compare && i % 2 == 0;
            pictures->items[i] = (picture){.prompt = prompts[i / halves / seeds],
                                           .seed = request->seed + (int64_t)(i / halves % seeds),
                                           .pladis_scale = without ? 0 : request->pladis_scale};
        }
    }
    free(prompts);
    return code;
}

void prompts_free_pictures(picture_list *pictures) {
    for (size_t i = 0; i < pictures->count; i++) {
        pld_image_free(&pictures->items[i].image);
    }
    free(pictures->items);
    free(pictures->prompt_text);
    *pictures = (picture_list){0};
}
