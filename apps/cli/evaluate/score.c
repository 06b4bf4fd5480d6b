/* SPDX-License-Identifier: Apache-2.0 */
/** pladis score: what a picture shows, and whether that is what its caption says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pladis/pladis.h>

#include "commands.h"
#include "evaluate/prompt_set.h"
#include "evaluate/verdict_json.h"
#include "options/options.h"
#include "terminal/message.h"
#include "terminal/output.h"
#include "values/json_values.h"

typedef struct score_request {
    const char *prompt, *prompts;
    bool json;
} score_request;

static const option_field fields[] = {
    {"prompt", offsetof(score_request, prompt)},
    {"prompts", offsetof(score_request, prompts)},
    {"json", offsetof(score_request, json)},
};

const option_set score_options = {
    .command = "score",
    .brief = "judge whether pictures of the demo world show what their captions say",
    .usage = "pladis score PICTURE.png... [-p CAPTION | --prompts FILE] [--json]",
    .summary = "Find the coloured shapes in pictures of the demo model's world, and say whether a caption\n"
               "in its grammar is true of them. It cannot judge other pictures.",
    .fields = fields,
    .field_count = sizeof fields / sizeof *fields,
    .examples = "  pladis score output.png -p \"a large red star above a small blue ring\"\n",
    .most_positionals = 100000,
};

static void print_scene(const char *path, const pld_scene *scene) {
    print_output("%s: %d thing%s on a %s background\n", path, scene->thing_count,
                 scene->thing_count == 1 ? "" : "s",
                 pld_world_word(PLD_WORLD_BACKGROUNDS, scene->background));
    for (int i = 0; i < scene->thing_count && i < PLD_MAX_THINGS_SEEN; i++) {
        const char *shape = pld_world_word(PLD_WORLD_SHAPES, scene->shapes[i]);
        print_output("  %-7s %-14s at (%.0f, %.0f), radius %.1f, overlap %.2f\n",
                     pld_world_word(PLD_WORLD_COLOURS, scene->colours[i]),
                     shape != NULL ? shape : "without shape", scene->x[i], scene->y[i], scene->radii[i],
                     scene->overlaps[i]);
    }
}

static void print_verdict(const pld_caption *caption, const int verdict[PLD_ASPECT_COUNT]) {
    print_output("  %s:", pld_world_word(PLD_WORLD_CATEGORIES, (int)caption->category));
    for (int i = 0; i < PLD_ASPECT_COUNT; i++) {
        if (verdict[i] != PLD_ANY) {
            print_output(" %s %s%s", pld_world_word(PLD_WORLD_ASPECTS, i), verdict[i] ? "yes" : "no",
                         i + 1 < PLD_ASPECT_COUNT ? "," : "");
        }
    }
    print_output("\n");
}

static int print_json(const char *path, const pld_scene *scene, const scored_prompt *prompt,
                      const int verdict[PLD_ASPECT_COUNT]) {
    json_t *object = json_pack("{s:o, s:o}", "picture", json_text(path), "seen", scene_json(scene));
    if (prompt != NULL && object != NULL) {
        json_object_set_new(object, "caption", json_text(prompt->text));
        json_object_set_new(object, "category",
                            json_text(pld_world_word(PLD_WORLD_CATEGORIES, (int)prompt->caption.category)));
        json_object_set_new(object, "verdict", verdict_json(verdict));
    }
    char *line = json_write(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(object);
    if (line == NULL) {
        return message_failure("%s: out of memory for JSON", path);
    }
    print_output_json(line);
    free(line);
    return EXIT_DONE;
}

static int score_picture(const pld_scorer *scorer, const char *path, const scored_prompt *prompt, bool json) {
    pld_error error = {0};
    pld_image image = {0};
    pld_scene scene = {.struct_size = sizeof scene};
    int verdict[PLD_ASPECT_COUNT] = {0};
    pld_status status = pld_image_read_png(path, &image, &error);
    if (status == PLD_OK) {
        status = pld_scorer_look(scorer, image.pixels, image.width, image.height, &scene, &error);
    }
    if (status == PLD_OK && prompt != NULL) {
        status = pld_scene_judge(&scene, &prompt->caption, verdict, PLD_ASPECT_COUNT, &error);
    }
    pld_image_free(&image);
    if (status != PLD_OK) {
        message_failure("%s%s%s", status == PLD_ERROR_ARGUMENT ? path : "",
                        status == PLD_ERROR_ARGUMENT ? ": " : "", error.message);
        return EXIT_FAILED;
    }
    if (json) {
        return print_json(path, &scene, prompt, verdict);
    }
    print_scene(path, &scene);
    if (prompt != NULL) {
        print_verdict(&prompt->caption, verdict);
    }
    return EXIT_DONE;
}

/** The captions: none, one for all pictures, or one for each. Gives the exit code. */
static int read_prompts(const score_request *request, size_t pictures, prompt_set *prompts) {
    if (request->prompt != NULL && request->prompts != NULL) {
        return message_usage("--prompt and --prompts cannot be used together; leave one out");
    }
    if (request->prompt != NULL) {
        pld_error error = {0};
        prompts->items = calloc(1, sizeof *prompts->items);
        if (prompts->items == NULL || (prompts->items[0].text = strdup(request->prompt)) == NULL) {
            return message_failure("out of memory");
        }
        prompts->count = 1;
        prompts->items[0].caption.struct_size = sizeof prompts->items[0].caption;
        return pld_caption_parse(request->prompt, &prompts->items[0].caption, &error) == PLD_OK
                   ? EXIT_DONE
                   : message_error(&error);
    }
    if (request->prompts != NULL && !prompt_set_read(request->prompts, 0, prompts)) {
        return EXIT_FAILED;
    }
    return request->prompts == NULL || prompts->count == pictures
               ? EXIT_DONE
               : message_usage(
                     "--prompts: found %zu captions for %zu pictures, expected one for each picture",
                     prompts->count, pictures);
}

int command_score(int argc, char **argv) {
    score_request request = {0};
    size_t count = 0;
    const char **pictures = calloc((size_t)argc + 1, sizeof *pictures);
    if (pictures == NULL) {
        return message_failure("out of memory");
    }
    pld_options *values = NULL;
    options_result result = options_read(&score_options, argc, argv, &values, &request, pictures, &count);
    int code = result == OPTIONS_RUN ? EXIT_DONE : options_exit_code(result);
    if (result == OPTIONS_RUN && count == 0) {
        code = message_usage("expected a picture, found none; usage: %s", score_options.usage);
    } else if (result == OPTIONS_RUN) {
        prompt_set prompts = {0};
        pld_scorer *scorer = NULL;
        pld_error error = {0};
        code = read_prompts(&request, count, &prompts);
        if (code == EXIT_DONE && pld_scorer_create(&scorer, &error) != PLD_OK) {
            code = message_error(&error);
        }
        for (size_t i = 0; code == EXIT_DONE && i < count; i++) {
            const scored_prompt *prompt =
                prompts.count == 0 ? NULL : &prompts.items[prompts.count == 1 ? 0 : i];
            code = score_picture(scorer, pictures[i], prompt, request.json);
        }
        pld_scorer_destroy(&scorer);
        prompt_set_free(&prompts);
    }
    pld_options_destroy(&values);
    free(pictures);
    return code;
}
