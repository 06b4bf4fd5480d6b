/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/generate/attention_maps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "nn/site_choice.h"
#include "pipeline/prompts/check.h"

enum { MAX_WORDS = 64 };

static const pld_attention_maps_options defaults = {.blocks = "all", .end = 1};

void pld_attention_maps_options_init(pld_attention_maps_options *options, size_t struct_size) {
    pld_sized_init(options, struct_size, &defaults, sizeof defaults);
}

/** Cut the list at its commas; blanks around a word do not count. */
static pld_status split_words(pld_attention_maps *maps, pld_error *error) {
    maps->words = pld_allocate(MAX_WORDS, sizeof *maps->words);
    maps->tokens = pld_allocate(MAX_WORDS, sizeof *maps->tokens);
    if (!maps->words || !maps->tokens) {
        return pld_fail_memory(error, MAX_WORDS * sizeof *maps->words, "attention maps");
    }
    for (char *at = maps->text; at;) {
        char *comma = strchr(at, ',');
        if (comma) {
            *comma = 0;
        }
        at += strspn(at, " ");
        size_t length = strlen(at);
        while (length && at[length - 1] == ' ') {
            at[--length] = 0;
        }
        if (!length || maps->word_count == MAX_WORDS) {
            return pld_fail(error, PLD_ERROR_ARGUMENT,
                            "attention-maps: expected 1 to %d words separated by commas, found %s", MAX_WORDS,
                            length ? "more" : "an empty one");
        }
        maps->words[maps->word_count++] = at;
        at = comma ? comma + 1 : NULL;
    }
    return PLD_OK;
}

pld_status pld_attention_maps_create(const pld_attention_maps_options *given, pld_attention_maps **maps,
                                     pld_error *error) {
    pld_attention_maps_options full;
    const pld_attention_maps_options *options = &full;
    *maps = NULL;
    PLD_TRY(PLD_SIZED_READ(pld_attention_maps_options, given, &defaults, &full, error));
    if (!options->words || !options->blocks) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "attention-maps: expected %s, found NULL",
                        options->words ? "blocks, \"all\" if not some" : "words");
    }
    if (!(options->start >= 0 && options->start < options->end && options->end <= 1)) {
        return pld_fail(error, PLD_ERROR_ARGUMENT,
                        "attention-maps: expected fractions 0 <= start < end <= 1, found %g and %g",
                        options->start, options->end);
    }
    pld_attention_maps *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "attention maps");
    }
    made->text = pld_copy_string(options->words);
    made->blocks = pld_copy_string(options->blocks);
    made->start = options->start;
    made->end = options->end;
    pld_status status =
        made->text && made->blocks ? split_words(made, error) : pld_fail_memory(error, 64, "attention maps");
    if (status != PLD_OK) {
        pld_attention_maps_destroy(&made);
    }
    *maps = made;
    return status;
}

/** What a run needs only while it runs. */
static void free_run(pld_attention_maps *maps) {
    for (size_t i = 0; maps->sites && i < maps->site_count; i++) {
        pld_free(maps->sites[i].sums[0]);
        pld_free(maps->sites[i].sums[1]);
    }
    pld_free(maps->sites);
    pld_free(maps->counts);
    maps->sites = NULL;
    maps->counts = NULL;
}

static void free_values(pld_attention_maps *maps) {
    for (int kind = 0; kind < 2; kind++) {
        pld_free(maps->values[kind]);
        maps->values[kind] = NULL;
    }
}

void pld_attention_maps_destroy(pld_attention_maps **maps) {
    pld_attention_maps *m = *maps;
    if (!m) {
        return;
    }
    free_run(m);
    free_values(m);
    pld_free(m->tokens);
    pld_free(m->words);
    pld_free(m->text);
    pld_free(m->blocks);
    pld_free(m);
    *maps = NULL;
}

/** Numbers of one map. */
static size_t map_size(const pld_attention_maps *maps) {
    return (size_t)maps->width * (size_t)maps->height;
}

const char *pld_attention_maps_word(const pld_attention_maps *maps, size_t index) {
    return index < maps->word_count ? maps->words[index] : NULL;
}

bool pld_attention_maps_get(const pld_attention_maps *maps, size_t index, pld_attention_map *map) {
    if (index >= maps->word_count || !maps->values[1] ||
        pld_sized_check("pld_attention_map", map, NULL) != PLD_OK) {
        return false;
    }
    const size_t at = index * map_size(maps);
    const pld_attention_map full = {.word = maps->words[index],
                                    .tokens = maps->tokens[index],
                                    .width = maps->width,
                                    .height = maps->height,
                                    .dense = maps->values[0] + at,
                                    .sparse = maps->values[1] + at};
    pld_sized_write(map, &full, sizeof full);
    return true;
}

/** How many tokens stand before and after every text: the tokenizer's, and those of a template. */
typedef struct ends {
    size_t before, after;
} ends;

/** Keys of the text that one tokenizer counts. */
typedef struct key_part {
    size_t tokenizer; /* as pld_tokenize lists them */
    const pld_component *part;
    int64_t first, count; /* keys */
} key_part;

typedef struct key_parts {
    key_part items[PLD_MAX_TEXT_ENCODERS];
    size_t count;
} key_parts;

/** Where the prompt's own tokens begin in a chunk. An instruction's last token is seen, and may have become one with the
 * prompt's first: the blank at its end did. */
static size_t first_of(const pld_tokenizer_tokens *prompt, const ends *around) {
    return prompt->unseen ? prompt->unseen + 1 : around->before;
}

/** The prompt's pieces, for a word that is not among them. */
static pld_status refuse_word(const pld_tokenizer_tokens *prompt, const ends *around, const char *word,
                              pld_error *error) {
    char pieces[256] = "";
    size_t used = 0;
    for (size_t c = 0; c < prompt->chunk_count; c++) {
        const size_t end = prompt->chunks[c]->count - around->after;
        for (size_t i = first_of(prompt, around); i < end && used + 1 < sizeof pieces; i++) {
            const int written = snprintf(pieces + used, sizeof pieces - used, "%s%s", used ? " " : "",
                                         prompt->chunks[c]->pieces[i]);
            used += written > 0 ? (size_t)written : 0;
        }
    }
    return pld_fail(error, PLD_ERROR_ARGUMENT,
                    "attention-maps: '%.60s' is not in the prompt, whose tokens are: %.200s", word, pieces);
}

/** Mark every place where the tokens of a word follow each other in the prompt, among the keys of one tokenizer. */
static void mark_tokens(int64_t keys, const pld_tokenizer_tokens *prompt, const pld_token_chunk *word,
                        const ends *around, const ends *around_word, bool *counts) {
    const size_t positions = (size_t)keys / prompt->chunk_count;
    const size_t length = word->count - around_word->before - around_word->after;
    for (size_t c = 0; c < prompt->chunk_count; c++) {
        const pld_token_chunk *chunk = prompt->chunks[c];
        for (size_t at = first_of(prompt, around); length && at + length + around->after <= chunk->count;
             at++) {
            if (memcmp(chunk->ids + at, word->ids + around_word->before, length * sizeof *word->ids) == 0) {
                memset(counts + c * positions + at - prompt->unseen, 1, length);
            }
        }
    }
}

/** Add the keys of a text that a tokenizer counts, behind those that are there. */
static void add_keys(key_parts *parts, size_t tokenizer, const pld_component *part,
                     const pld_tokenizer_tokens *prompt) {
    const int64_t positions = part->text.positions;
    const key_part *last = parts->count ? &parts->items[parts->count - 1] : NULL;
    parts->items[parts->count++] =
        (key_part){.tokenizer = tokenizer,
                   .part = part,
                   .first = last ? last->first + last->count : 0,
                   .count = positions ? (int64_t)prompt->chunk_count * positions
                                      : (int64_t)(prompt->chunks[0]->count - prompt->unseen)};
}

/** Which of a text's tokenizers count the keys: the conditioner's, which is the last, or the first, since models with two
 * that stand beside each other have one vocabulary, and those whose states stand behind. */
static void find_keys(const pld_model *model, const pld_tokens *prompt, key_parts *parts) {
    const pld_component *conditioner = pld_conditioner_of(model);
    *parts = (key_parts){.count = 0};
    if (conditioner) {
        add_keys(parts, prompt->count - 1, conditioner, prompt->tokenizers[prompt->count - 1]);
        return;
    }
    size_t tokenizer = 0;
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_component *encoder = pld_text_encoder_of(model, i);
        if (!pld_is_there(encoder)) {
            continue;
        }
        if (i == 0 || model->family->texts[i].behind) {
            add_keys(parts, tokenizer, encoder, prompt->tokenizers[tokenizer]);
        }
        tokenizer++;
    }
}

/** Add the number of tokens of a piece of a template (NULL: none), which become one with no tokens beside them. */
static pld_status count_tokens(const pld_tokenizer *tokenizer, const char *piece, size_t *count,
                               pld_error *error) {
    pld_token_list ids = {0};
    const pld_status status =
        piece ? pld_tokenizer_encode(tokenizer, piece, strlen(piece), &ids, error) : PLD_OK;
    *count += ids.count;
    pld_token_list_free(&ids);
    return status;
}

/** What stands around texts of a tokenizer that counts keys; those of a template only if they are `framed`. */
static pld_status ends_of(const pld_model *model, const key_part *part, bool framed, ends *around,
                          pld_error *error) {
    const pld_tokenizer *tokenizer = part->part->tokenizer;
    const pld_tokenizer_facts *facts = pld_tokenizer_get_facts(tokenizer);
    *around = (ends){facts->before_id >= 0, facts->after_id >= 0};
    for (int i = 0; i < model->family->text_count; i++) {
        const pld_text_use *use = &model->family->texts[i];
        if (strcmp(use->part, part->part->row->name) == 0) {
            PLD_TRY(count_tokens(tokenizer, framed ? use->before : NULL, &around->before, error));
            PLD_TRY(count_tokens(tokenizer, framed ? use->after : NULL, &around->after, error));
        }
    }
    return PLD_OK;
}

/** Mark a word, whose tokens stand without a template, among the keys of one tokenizer. */
static pld_status mark_part(const pld_model *model, const key_part *part, const pld_tokens *prompt,
                            const pld_tokens *word, bool *counts, pld_error *error) {
    ends around, around_word;
    PLD_TRY(ends_of(model, part, true, &around, error));
    PLD_TRY(ends_of(model, part, false, &around_word, error));
    mark_tokens(part->count, prompt->tokenizers[part->tokenizer],
                word->tokenizers[part->tokenizer]->chunks[0], &around, &around_word, counts + part->first);
    return PLD_OK;
}

/** Mark a word of the prompt as it stands, and as it stands behind a blank: tokens of some vocabularies hold it. The blank
 * goes where an instruction does, since some models cut off what a text begins with. */
static pld_status mark_word(pld_attention_maps *maps, size_t index, const pld_model *model,
                            const key_parts *parts, const pld_tokens *prompt, pld_error *error) {
    static const char *const fronts[] = {" ", NULL};
    bool *counts = maps->counts + index * (size_t)maps->keys;
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        const pld_prompt_text text = {.text = maps->words[index],
                                      .length = strlen(maps->words[index]),
                                      .literal = true,
                                      .unframed = true,
                                      .instruction = fronts[i]};
        pld_tokens *word = NULL;
        pld_status status = pld_tokenize_text(model, &text, &word, error);
        for (size_t j = 0; status == PLD_OK && j < parts->count; j++) {
            status = mark_part(model, &parts->items[j], prompt, word, counts, error);
        }
        pld_tokens_destroy(&word);
        PLD_TRY(status);
    }
    maps->tokens[index] = 0;
    for (int64_t key = 0; key < maps->keys; key++) {
        maps->tokens[index] += counts[key];
    }
    if (maps->tokens[index] || parts->count == 0) { /* some tokenizer counts the keys of every model */
        return PLD_OK;
    }
    ends around;
    PLD_TRY(ends_of(model, &parts->items[0], true, &around, error));
    return refuse_word(prompt->tokenizers[parts->items[0].tokenizer], &around, maps->words[index], error);
}

static pld_status find_words(pld_attention_maps *maps, const pld_model *model, const key_parts *parts,
                             const pld_tokens *prompt, pld_error *error) {
    for (size_t i = 0; i < maps->word_count; i++) {
        PLD_TRY(mark_word(maps, i, model, parts, prompt, error));
    }
    return PLD_OK;
}

/** The layers with attention to the text that `blocks` names. */
static pld_status choose_sites(const pld_model *model, pld_attention_maps *maps, pld_error *error) {
    const pld_site_choice choice = {maps->blocks, ",", PLD_SITES_TEXT, "attention-maps-blocks"};
    bool *chosen = pld_allocate(model->site_count, sizeof *chosen);
    pld_status status = chosen ? pld_sites_choose(model->sites, model->site_count, &choice, chosen, error)
                               : pld_fail_memory(error, model->site_count, "attention maps");
    for (size_t i = 0; status == PLD_OK && i < model->site_count; i++) {
        maps->sites[i].chosen = chosen[i];
    }
    pld_free(chosen);
    return status;
}

/** The words' positions in the prompt and the layers in the model, which the run counts by. */
static pld_status find_places(pld_attention_maps *maps, const pld_model *model, const pld_prompt_text *prompt,
                              pld_error *error) {
    pld_tokens *tokens = NULL;
    PLD_TRY(pld_tokenize_text(model, prompt, &tokens, error));
    key_parts parts;
    find_keys(model, tokens, &parts);
    const key_part *last = &parts.items[parts.count - 1];
    maps->keys = last->first + last->count;
    maps->site_count = model->site_count;
    maps->sites = pld_allocate(maps->site_count, sizeof *maps->sites);
    maps->counts = pld_allocate(maps->word_count, (size_t)maps->keys);
    pld_status status =
        maps->sites && maps->counts
            ? choose_sites(model, maps, error)
            : pld_fail_memory(error, maps->site_count * sizeof *maps->sites, "attention maps");
    if (status == PLD_OK) {
        status = find_words(maps, model, &parts, tokens, error);
    }
    pld_tokens_destroy(&tokens);
    return status;
}

pld_status pld_attention_maps_check(pld_attention_maps *maps, const struct pld_model *model,
                                    const char *prompt, bool literal, pld_error *error) {
    free_run(maps);
    free_values(maps);
    const pld_prompt_text text = {.text = prompt, .length = strlen(prompt), .literal = literal};
    const pld_status status = find_places(maps, model, &text, error);
    free_run(maps);
    return status;
}

pld_status pld_attention_maps_begin(pld_generation *g) {
    pld_attention_maps *maps = g->options->attention_maps;
    if (!maps) {
        return PLD_OK;
    }
    free_run(maps);
    free_values(maps);
    maps->calls = 0;
    maps->out_of_memory = false;
    maps->width = (int)g->latent_width;
    maps->height = (int)g->latent_height;
    maps->alpha = (float)g->options->pladis_alpha;
    maps->kernels = g->model->engine->kernels;
    maps->threads = g->model->engine->threads;
    const pld_prompt_text text = {.text = g->options->prompt,
                                  .length = strlen(g->options->prompt),
                                  .literal = g->options->literal_prompt,
                                  .most_tokens = (size_t)g->options->max_tokens,
                                  .instruction = g->instruction};
    return find_places(maps, g->model, &text, g->error);
}

void pld_attention_maps_watch(pld_generation *g, size_t step, pld_run *run) {
    pld_attention_maps *maps = g->options->attention_maps;
    const double steps = (double)pld_sampler_schedule(g->sampler)->steps;
    if (maps && floor(maps->start * steps) <= (double)step && (double)step < floor(maps->end * steps)) {
        run->observe = pld_attention_maps_observe;
        run->observe_user = maps;
        maps->calls++;
    }
}

/** sums [h, w] of a layer, bilinearly at the places of [height, width] (torch's interpolate, align_corners
 * false). */
static double sum_at(const pld_map_site *site, const double *sums, double y, double x) {
    const double row = fmax(y, 0);
    const double column = fmax(x, 0);
    const int64_t top = (int64_t)row;
    const int64_t left = (int64_t)column;
    const int64_t bottom = top + 1 < site->height ? top + 1 : top;
    const int64_t right = left + 1 < site->width ? left + 1 : left;
    const double down = row - (double)top;
    const double across = column - (double)left;
    const double upper =
        sums[top * site->width + left] * (1 - across) + sums[top * site->width + right] * across;
    const double lower =
        sums[bottom * site->width + left] * (1 - across) + sums[bottom * site->width + right] * across;
    return upper * (1 - down) + lower * down;
}

/** Add a layer's share of one word to values [height, width]. */
static void add_site(const pld_attention_maps *maps, const pld_map_site *site, const double *sums,
                     double factor, float *values) {
    const double y_scale = (double)site->height / maps->height;
    const double x_scale = (double)site->width / maps->width;
    for (int y = 0; y < maps->height; y++) {
        for (int x = 0; x < maps->width; x++) {
            values[y * maps->width + x] +=
                (float)(factor * sum_at(site, sums, (y + 0.5) * y_scale - 0.5, (x + 0.5) * x_scale - 0.5));
        }
    }
}

static size_t observed_sites(const pld_attention_maps *maps) {
    size_t count = 0;
    for (size_t i = 0; i < maps->site_count; i++) {
        count += maps->sites[i].height > 0;
    }
    return count;
}

pld_status pld_attention_maps_finish(pld_generation *g) {
    pld_attention_maps *maps = g->options->attention_maps;
    if (!maps) {
        return PLD_OK;
    }
    const size_t sites = observed_sites(maps), places = map_size(maps);
    if (maps->out_of_memory || sites == 0) {
        return maps->out_of_memory ? pld_fail_memory(g->error, places * sizeof(double), "attention maps")
                                   : pld_fail(g->error, PLD_ERROR_ARGUMENT,
                                              "attention-maps: no network call lies in the interval from %g "
                                              "to %g of the steps; choose a wider one",
                                              maps->start, maps->end);
    }
    const int64_t shape[] = {(int64_t)maps->word_count, maps->height, maps->width};
    static const char *const names[2] = {"attention_maps.dense", "attention_maps.sparse"};
    for (int kind = 0; kind < 2; kind++) {
        maps->values[kind] = pld_allocate(maps->word_count * places, sizeof(float));
        if (!maps->values[kind]) {
            return pld_fail_memory(g->error, maps->word_count * places * sizeof(float), "attention maps");
        }
        for (size_t i = 0; i < maps->site_count * maps->word_count; i++) {
            const pld_map_site *site = &maps->sites[i / maps->word_count];
            const size_t word = i % maps->word_count;
            if (site->height > 0) {
                add_site(maps, site, site->sums[kind] + word * (size_t)(site->height * site->width),
                         1 / (double)(maps->calls * sites), maps->values[kind] + word * places);
            }
        }
        PLD_TRY(pld_dump_add(&g->dump, names[kind], maps->values[kind], 3, shape, g->error));
    }
    free_run(maps);
    return PLD_OK;
}
