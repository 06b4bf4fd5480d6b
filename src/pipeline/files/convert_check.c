/* SPDX-License-Identifier: Apache-2.0 */
/* What a single file does not say of itself. It is opened as it will be, without anything beside it, and
 * compared with the model that it was made of. */
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "pipeline/files/convert.h"

/** What would be another one, for people: words with commas between. */
typedef struct losses {
    char text[256];
} losses;

static void note(losses *found, bool same, const char *what) {
    const size_t used = strlen(found->text);
    if (!same) {
        snprintf(found->text + used, sizeof found->text - used, "%s%s", used ? ", " : "", what);
    }
}

/** The same network, by its configuration. */
static bool same_part(const pld_component *a, const pld_component *b) {
    return a->class == b->class &&
           (a->class->same ? a->class->same(a->config, b->config)
                           : memcmp(a->config, b->config, a->class->config_bytes) == 0);
}

/** The same tokens, told by a text that has words, numbers, marks and what must be put together from
 * bytes. */
static bool same_tokens(const pld_tokenizer *a, const pld_tokenizer *b) {
    static const char text[] = "A photo of 12 small foxes, photorealistic!! żółć 狐 zqxj";
    pld_token_list first = {0}, second = {0};
    const pld_tokenizer_facts *own = pld_tokenizer_get_facts(a), *other = pld_tokenizer_get_facts(b);
    bool same = pld_tokenizer_vocabulary_size(a) == pld_tokenizer_vocabulary_size(b) &&
                own->start_id == other->start_id && own->end_id == other->end_id &&
                own->pad_id == other->pad_id &&
                pld_tokenizer_encode(a, text, sizeof text - 1, &first, NULL) == PLD_OK &&
                pld_tokenizer_encode(b, text, sizeof text - 1, &second, NULL) == PLD_OK &&
                first.count == second.count;
    same = same && memcmp(first.ids, second.ids, first.count * sizeof *first.ids) == 0;
    pld_token_list_free(&first);
    pld_token_list_free(&second);
    return same;
}

/** The same sampler, and in force the same value in each field that it reads. */
static bool same_schedule(const pld_model *a, const pld_model *b) {
    const pld_model *models[] = {a, b};
    pld_scheduler_config configs[2] = {0};
    if (a->sampler != b->sampler) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        a->sampler->set_defaults(&configs[i]);
        pld_scheduler_config_apply(&configs[i], &models[i]->scheduler, a->sampler->fields);
    }
    bool same = true;
    for (int field = 0; same && field < PLD_FIELD_COUNT; field++) {
        char first[64], second[64];
        same = !(a->sampler->fields >> field & 1) ||
               strcmp(pld_scheduler_field_text(&configs[0], (pld_scheduler_field)field, first, sizeof first),
                      pld_scheduler_field_text(&configs[1], (pld_scheduler_field)field, second,
                                               sizeof second)) == 0;
    }
    return same;
}

static bool same_preferences(const pld_model *a, const pld_model *b) {
    return a->default_steps == b->default_steps && a->default_cfg_scale == b->default_cfg_scale &&
           a->default_pladis_scale == b->default_pladis_scale && a->zero_negative == b->zero_negative;
}

static void compare(const pld_model *model, const pld_model *alone, losses *found) {
    if (model->family != alone->family) {
        note(found, false, "family");
        return;
    }
    bool tokens = true;
    for (int i = 0; i < model->part_count; i++) {
        const pld_component *own = &model->parts[i], *other = &alone->parts[i];
        char what[64];
        snprintf(what, sizeof what, "%s configuration", own->class->title);
        if (!pld_is_there(own)) {
            continue;
        }
        note(found, pld_is_there(other) && same_part(own, other), what);
        tokens =
            tokens && (!own->tokenizer || !other->tokenizer || same_tokens(own->tokenizer, other->tokenizer));
    }
    note(found, model->denoiser_facts.sample_size == alone->denoiser_facts.sample_size, "usual size");
    note(found, tokens, "tokenizer");
    note(found, same_schedule(model, alone), "sampler or schedule");
    note(found, same_preferences(model, alone), "preferred settings (pladis.json)");
}

pld_status pld_convert_check_single(const pld_model *model, const char *output, pld_error *error) {
    const pld_model_source *source = &model->source;
    const char *folder = source->folder;
    if (!folder) { /* a single file itself, read off its tensors: this one tells as much */
        return PLD_OK;
    }
    pld_error reason = {0};
    pld_model_options options;
    pld_model *alone = NULL;
    losses found = {0};
    struct pld_engine quiet = *model->engine;
    quiet.log = (pld_log){0};
    pld_model_options_init(&options, sizeof options);
    options.vocabulary = source->vocabulary;
    options.tokenizer = source->vocabulary ? NULL : source->tokenizer ? source->tokenizer : folder;
    const pld_status status = pld_model_open_with(&quiet, output, &options, &alone, &reason);
    if (status == PLD_ERROR_MEMORY) {
        return pld_fail(error, status, "%s", reason.message);
    }
    if (status != PLD_OK) {
        pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                        "%s: cannot be used by itself, because its tensors do not describe the whole model; "
                        "use it with --config %s (%s)",
                        output, folder, reason.message);
        return PLD_OK;
    }
    compare(model, alone, &found);
    if (found.text[0]) {
        pld_log_message(&model->engine->log, PLD_LOG_WARNING,
                        "%s: draws different pictures by itself, because its tensors do not describe the "
                        "whole model (lost: %s); use it with --config %s",
                        output, found.text, folder);
    }
    pld_model_destroy(&alone);
    return PLD_OK;
}
