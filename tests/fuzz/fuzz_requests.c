/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the server's three interfaces. The first byte says which one (o: OpenAI, e: its edits, t and i: A1111's txt2img and
 * img2img, j: jobs), the rest is the body. Whatever is sent: what clients may not set stays as it was, and what is accepted names
 * things that the server has. */
#include <stdlib.h>
#include <string.h>

#include "api/a1111_fill.h"
#include "api/openai_fill.h"
#include "api/routes_all.h"
#include "fuzz.h"

static shelf *make_shelf(void) {
    static const char *const models[] = {"/models/demo", "/models/other.safetensors"};
    const shelf_places places = {.models = models, .model_count = 2};
    shelf *made = NULL;
    FUZZ_REQUIRE(shelf_create(&places, &made, NULL) == PLD_OK);
    return made;
}

static bool is_set(const job_request *request, const char *name) {
    return pld_options_get(request->options, NULL, name)->is_set;
}

static void check_accepted(const job_request *request) {
    static const char *const forbidden[] = {"output",          "threads",     "dump", "report",    "profile",
                                            "lora-dir",        "prompt-file", "from", "tokenizer", "config",
                                            "attention-stats", "max-memory"};
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        FUZZ_REQUIRE(!is_set(request, forbidden[i]));
    }
    FUZZ_REQUIRE(strcmp(request->model, "demo") == 0 || strcmp(request->model, "other.safetensors") == 0);
    FUZZ_REQUIRE(request->count >= 1 && request->count <= JOB_MOST_PICTURES && request->seed >= 0);
    FUZZ_REQUIRE(!is_set(request, "lora")); /* the shelf has none */
    const int64_t width = pld_options_get(request->options, NULL, "width")->integer;
    const int64_t height = pld_options_get(request->options, NULL, "height")->integer;
    FUZZ_REQUIRE(width * height <= 1 << 20 &&
                 pld_options_get(request->options, NULL, "steps")->integer <= 50);
}

static bool fill(char kind, const field_reader *given, const submission *read, job_request *request,
                 field_problem *problem) {
    field_reader reader = *given;
    openai_wishes wishes;
    switch (kind) {
    case 'o':
    case 'e':
        reader.rules = &openai_rules;
        return openai_fill(&reader, read, kind == 'e', request, &wishes, problem);
    case 't':
    case 'i':
        reader.rules = &a1111_rules;
        return a1111_fill(&reader, read, kind == 'i', request, problem);
    default:
        reader.rules = &jobs_rules;
        return fields_read(&reader, read->fields, NULL, 0, request, problem) &&
               fields_settle(&reader, request, problem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static shelf *things;
    char why[200];
    if (!things) {
        things = make_shelf();
    }
    json_t *fields = size > 0 ? request_json((const char *)data + 1, size - 1, why, sizeof why) : NULL;
    if (json_is_object(fields)) {
        const submission read = {.fields = fields};
        const field_reader reader = {.things = things, .limits = {.max_pixels = 1 << 20, .max_steps = 50}};
        field_problem problem = {0};
        job_request request = {.count = 1};
        FUZZ_REQUIRE(pld_options_create(&request.options, NULL) == PLD_OK);
        if (fill((char)data[0], &reader, &read, &request, &problem)) {
            check_accepted(&request);
        } else {
            FUZZ_REQUIRE(problem.error.status != PLD_OK && problem.error.message[0] != '\0');
        }
        job_request_free(&request);
    }
    json_decref(fields);
    return 0;
}
