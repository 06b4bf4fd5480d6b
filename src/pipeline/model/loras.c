/* SPDX-License-Identifier: Apache-2.0 */
/** A model with LoRAs: the base's networks with changes of some weights.
 *
 *  Which weight a module of a LoRA means is looked up, not guessed: the names of all weights that the
 * networks bound, with underscores for dots, are what a file may name; for the denoiser also their names in
 * latent diffusion's layout, which trainers of SDXL use.
 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/sized.h"
#include "loras/file.h"
#include "models/layouts/names.h"
#include "pipeline/model/model.h"

/** One name of a weight. */
typedef struct known_name {
    char *path;        /* "mid_block_attentions_0_proj_in"; without .weight or .bias */
    bool bias;         /* it is the module's bias */
    size_t index;      /* in the part's parameters */
    pld_row_part rows; /* that the weight is of the module; count 0: all of it */
} known_name;

/** The names that a LoRA may use for the weights of one part, sorted. */
typedef struct known_names {
    known_name *items; /* [count] */
    size_t count, capacity;
} known_names;

/** What a text encoder's path may begin with and may leave out: CLIP's, and that of a whole language model. */
static const char *const optional_starts[] = {"text_model_", "model_"};

static const char *without_start(const char *path) {
    for (size_t i = 0; i < sizeof optional_starts / sizeof *optional_starts; i++) {
        const size_t length = strlen(optional_starts[i]);
        if (strncmp(path, optional_starts[i], length) == 0) {
            return path + length;
        }
    }
    return path;
}

static int compare_names(const void *a, const void *b) {
    const known_name *first = a;
    const known_name *second = b;
    int order = strcmp(first->path, second->path);
    return order ? order : first->bias - second->bias;
}

/** As they are sorted: the parts of a fused matrix one after another. */
static int compare_parts(const void *a, const void *b) {
    const known_name *first = a;
    const known_name *second = b;
    const int order = compare_names(a, b);
    return order ? order : first->rows.first - second->rows.first;
}

/** Add the module of a tensor's name; tensors other than .weight and .bias have none. */
static pld_status add_name(known_names *names, const char *tensor, size_t index, pld_row_part rows,
                           pld_error *error) {
    const char *end = strrchr(tensor, '.');
    bool bias = end && strcmp(end, ".bias") == 0;
    if (!end || (!bias && strcmp(end, ".weight") != 0)) {
        return PLD_OK;
    }
    if (!pld_grow((void **)&names->items, &names->capacity, names->count + 1, sizeof *names->items)) {
        return pld_fail_memory(error, sizeof *names->items, "module names");
    }
    char *path = pld_copy_bytes(tensor, (size_t)(end - tensor));
    if (!path) {
        return pld_fail_memory(error, strlen(tensor), "module names");
    }
    for (char *at = path; *at; at++) {
        if (*at == '.') {
            *at = '_';
        }
    }
    memmove(path, without_start(path), strlen(without_start(path)) + 1);
    names->items[names->count++] = (known_name){path, bias, index, rows};
    return PLD_OK;
}

static void free_names(known_names *names) {
    for (size_t i = 0; i < names->count; i++) {
        pld_free(names->items[i].path);
    }
    pld_free(names->items);
    *names = (known_names){0};
}

/** How files of one network hold a denoiser, as LoRAs made for them do; NULL: no differently. */
static const pld_part_layout *layout_of_files(const pld_part_class *class) {
    return class->role == PLD_ROLE_DENOISER && class->layouts[0].names ? &class->layouts[0] : NULL;
}

/** All names of a part's weights, in diffusers' layout and in that of files of one network. */
static pld_status collect_names(const pld_model *base, int part, known_names *names, pld_error *error) {
    const pld_component *own = &base->parts[part];
    const pld_parameters *parameters = own->parameters;
    const pld_part_layout *other = layout_of_files(own->class);
    const int last =
        parameters && other ? pld_layout_last_of_view(pld_parameters_files(parameters), other) : 0;
    for (size_t i = 0; parameters && i < pld_parameters_count(parameters); i++) {
        const char *name = pld_parameters_name(parameters, i);
        pld_renamed original;
        if (!name) {
            continue;
        }
        PLD_TRY(add_name(names, name, i, (pld_row_part){0}, error));
        if (other && pld_names_to_original(other->names, last, name, NULL, NULL, &original)) {
            PLD_TRY(add_name(names, original.name, i, original.rows, error));
        }
    }
    qsort(names->items, names->count, sizeof *names->items, compare_parts);
    return PLD_OK;
}

/** The work of pld_model_with_loras. */
typedef struct lora_build {
    const pld_model *base;
    pld_model *model;
    known_names names[PLD_MAX_PARTS];
    pld_error *error;
} lora_build;

/** Index of the family's part that a LoRA's part means, or -1. Programs give all denoisers the prefixes of a U-Net, so the
 * names behind them decide. */
static int part_of(const pld_model *model, pld_lora_part part) {
    if (part == PLD_LORA_UNET || part == PLD_LORA_TRANSFORMER) {
        return model->denoiser;
    }
    const int found = pld_family_part_index(model->family, pld_lora_part_name(part));
    /* T5 is the third of Stable Diffusion 3, and trainers call it so where it is the second, too */
    return found < 0 && part == PLD_LORA_TEXT_ENCODER_3
               ? pld_family_part_index(model->family, "text_encoder_2")
               : found;
}

/** The weights that a module means: one, or all parts of a fused matrix. NULL: there are none; else `*count` of them. */
static const known_name *find_names(const known_names *names, const pld_weight_change *change,
                                    size_t *count) {
    const known_name wanted = {.path = (char *)(uintptr_t)without_start(change->module->path),
                               .bias = change->bias};
    const known_name *known =
        names->count ? bsearch(&wanted, names->items, names->count, sizeof wanted, compare_names) : NULL;
    *count = known ? 1 : 0;
    if (!known || known->rows.count == 0) {
        return known;
    }
    while (known > names->items && compare_names(known - 1, &wanted) == 0) {
        known--;
    }
    const known_name *end = names->items + names->count;
    while (known + *count < end && compare_names(known + *count, &wanted) == 0) {
        (*count)++;
    }
    return known;
}

static pld_status change_weight(lora_build *build, int part, pld_weight_change *change, bool *found) {
    pld_parameters **parameters = &build->model->parts[part].parameters;
    size_t count = 0;
    const known_name *known = find_names(&build->names[part], change, &count);
    *found = known != NULL;
    if (!known) {
        return PLD_OK;
    }
    if (*parameters == build->base->parts[part].parameters) {
        PLD_TRY(pld_parameters_derive(build->base->parts[part].parameters, parameters, build->error));
    }
    for (size_t i = 0; i < count; i++) {
        change->rows = known[i].rows;
        PLD_TRY(pld_parameters_change(*parameters, known[i].index, change, build->error));
    }
    return PLD_OK;
}

/** Apply a module to its weight and bias. `*found`: all of it had a place. */
static pld_status change_module(lora_build *build, const pld_lora_file *file, const pld_lora_module *module,
                                double strength, bool *found) {
    const int part = part_of(build->model, module->part);
    const bool bias_alone = module->kind == PLD_KIND_DIFFERENCE && !module->factors[PLD_LORA_DIFFERENCE];
    pld_weight_change change = {.file = file, .module = module, .strength = strength};
    bool found_bias = true;
    *found = part >= 0;
    if (part < 0) {
        return PLD_OK;
    }
    if (!build->names[part].count) {
        PLD_TRY(collect_names(build->base, part, &build->names[part], build->error));
    }
    if (!bias_alone) {
        PLD_TRY(change_weight(build, part, &change, found));
    }
    if (module->factors[PLD_LORA_BIAS_DIFFERENCE]) {
        change.bias = true;
        PLD_TRY(change_weight(build, part, &change, &found_bias));
    }
    *found = *found && found_bias;
    return PLD_OK;
}

static bool keep_unmatched(pld_model_lora *lora, const char *name, size_t length) {
    lora->unmatched[lora->public.unmatched_count] = pld_copy_bytes(name, length);
    return lora->unmatched[lora->public.unmatched_count++] != NULL;
}

static pld_status refuse_family(const lora_build *build, const pld_model_lora *lora, size_t parts_found) {
    const char *family = pld_lora_file_family(lora->file);
    return pld_fail(
        build->error, PLD_ERROR_FORMAT,
        "%s: its %zu modules%s do not exist in %s (%s), for example '%s'; the file seems to be made for %s",
        lora->public.path, lora->public.module_count, parts_found ? ", except the text encoder's," : "",
        build->base->source.path, build->base->family->name,
        lora->public.unmatched_count ? lora->public.unmatched[0] : "", family ? family : "another family");
}

/** Apply all modules of an opened file, and note what has no place. */
static pld_status apply_file(lora_build *build, pld_model_lora *lora) {
    const size_t modules = pld_lora_file_count(lora->file);
    const size_t unknown = pld_lora_file_unknown_count(lora->file);
    size_t denoiser = 0;
    size_t denoiser_found = 0;
    lora->unmatched = pld_allocate(modules + unknown, sizeof *lora->unmatched);
    if (!lora->unmatched) {
        return pld_fail_memory(build->error, (modules + unknown) * sizeof *lora->unmatched, "LoRA");
    }
    lora->public.unmatched = (const char *const *)lora->unmatched;
    bool kept = true;
    for (size_t i = 0; i < modules; i++) {
        const pld_lora_module *module = pld_lora_file_at(lora->file, i);
        const bool text = module->part == PLD_LORA_TEXT_ENCODER || module->part == PLD_LORA_TEXT_ENCODER_2 ||
                          module->part == PLD_LORA_TEXT_ENCODER_3 ||
                          module->part == PLD_LORA_TEXT_CONDITIONER;
        bool found = false;
        PLD_TRY(change_module(build, lora->file, module, lora->public.weight, &found));
        lora->public.applied_count += found;
        denoiser += !text;
        denoiser_found += !text && found;
        lora->public.rank = module->rank > lora->public.rank ? (int)module->rank : lora->public.rank;
        kept = kept && (found || keep_unmatched(lora, module->name, (size_t)module->name_length));
    }
    for (size_t i = 0; i < unknown; i++) {
        const char *name = pld_lora_file_unknown_at(lora->file, i);
        kept = kept && keep_unmatched(lora, name, strlen(name));
    }
    if (!kept) {
        return pld_fail_memory(build->error, unknown, "LoRA");
    }
    lora->public.module_count = modules;
    return denoiser_found == 0 && denoiser > 0 ? refuse_family(build, lora, lora->public.applied_count)
           : lora->public.applied_count == 0   ? refuse_family(build, lora, 0)
                                               : PLD_OK;
}

/** Say what was applied, and name the first of what was not. */
static void tell(const pld_model *model, const pld_applied_lora *lora, size_t unscaled) {
    const pld_log *log = &model->engine->log;
    pld_log_message(log, PLD_LOG_NOTICE, "LoRA %s: applied %zu of %zu modules (%s, rank %d) with weight %g%s",
                    lora->path, lora->applied_count, lora->module_count, lora->style, lora->rank,
                    lora->weight, lora->weight == 0 ? ", which changes nothing" : "");
    if (unscaled > 0) {
        pld_log_message(log, PLD_LOG_NOTICE,
                        "LoRA %s: %zu of its modules have no alpha, in the file or in an adapter_config.json "
                        "beside adapter_model.safetensors; alpha / rank is taken as 1",
                        lora->path, unscaled);
    }
    if (lora->unmatched_count == 0) {
        return;
    }
    enum { MOST = 4 };
    char list[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < lora->unmatched_count && i < MOST; i++) {
        int length = snprintf(list + used, sizeof list - used, "%s%.100s", i ? ", " : "", lora->unmatched[i]);
        used += (size_t)length;
    }
    pld_log_message(log, PLD_LOG_WARNING, "LoRA %s: %zu names have no place in this model: %s%s", lora->path,
                    lora->unmatched_count, list, lora->unmatched_count > MOST ? ", …" : "");
    for (size_t i = MOST; i < lora->unmatched_count; i++) {
        pld_log_message(log, PLD_LOG_DETAIL, "LoRA %s: %s has no place in this model", lora->path,
                        lora->unmatched[i]);
    }
}

static pld_status apply_lora(lora_build *build, const pld_lora *wanted, pld_model_lora *lora) {
    if (!wanted->path || !isfinite(wanted->weight) || fabs(wanted->weight) > 1000) {
        return pld_fail(build->error, PLD_ERROR_ARGUMENT,
                        "LoRA %s: expected a weight from -1000 to 1000, found %g",
                        wanted->path ? wanted->path : "(no path)", wanted->weight);
    }
    lora->path = pld_copy_string(wanted->path);
    if (!lora->path) {
        return pld_fail_memory(build->error, strlen(wanted->path), "path");
    }
    PLD_TRY(pld_lora_file_open(wanted->path, &lora->file, build->error));
    lora->public = (pld_applied_lora){.struct_size = sizeof lora->public,
                                      .path = lora->path,
                                      .weight = wanted->weight,
                                      .style = pld_lora_file_style(lora->file),
                                      .kind = pld_lora_file_kind(lora->file)};
    PLD_TRY(apply_file(build, lora));
    tell(build->base, &lora->public, pld_lora_file_unscaled_count(lora->file));
    return PLD_OK;
}

static const pld_lora lora_defaults = {.weight = 1};

void pld_lora_init(pld_lora *lora, size_t struct_size) {
    pld_sized_init(lora, struct_size, &lora_defaults, sizeof lora_defaults);
}

static pld_status apply_all(lora_build *build, const pld_lora *const *loras, size_t count) {
    pld_model *model = build->model;
    model->loras = pld_allocate(count, sizeof *model->loras);
    model->public_loras = pld_allocate(count, sizeof(const pld_applied_lora *));
    if (!model->loras || !model->public_loras) {
        return pld_fail_memory(build->error, count * sizeof *model->loras, "LoRAs");
    }
    for (size_t i = 0; i < count; i++) {
        pld_lora wanted;
        PLD_TRY(PLD_SIZED_READ(pld_lora, loras[i], &lora_defaults, &wanted, build->error));
        model->public_loras[i] = &model->loras[i].public;
        model->lora_count = i + 1;
        PLD_TRY(apply_lora(build, &wanted, &model->loras[i]));
    }
    return PLD_OK;
}

pld_status pld_model_with_loras(pld_model *base, const pld_lora *const *loras, size_t count,
                                pld_model **model, pld_error *error) {
    *model = NULL;
    pld_model *root = base->base ? base->base : base;
    pld_model *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "model with LoRAs");
    }
    /* everything but what follows is the root's; its references may change at this moment */
    enum { FIRST = offsetof(pld_model, base) };
    memcpy((char *)made + FIRST, (const char *)root + FIRST, sizeof *made - FIRST);
    made->references = 1;
    made->base = root;
    pld_model_retain(root);
    lora_build build = {.base = root, .model = made, .error = error};
    pld_status status = apply_all(&build, loras, count);
    for (int i = 0; i < PLD_MAX_PARTS; i++) {
        free_names(&build.names[i]);
    }
    if (status != PLD_OK) {
        pld_model_destroy(&made);
        return status;
    }
    *model = made;
    return PLD_OK;
}

void pld_model_free_loras(pld_model *model) {
    for (int part = 0; part < model->part_count; part++) {
        if (model->parts[part].parameters != model->base->parts[part].parameters) {
            pld_parameters_destroy(&model->parts[part].parameters);
        }
    }
    for (size_t i = 0; i < model->lora_count; i++) {
        pld_model_lora *lora = &model->loras[i];
        for (size_t j = 0; j < lora->public.unmatched_count; j++) {
            pld_free(lora->unmatched[j]);
        }
        pld_free(lora->unmatched);
        pld_free(lora->path);
        pld_lora_file_close(&lora->file);
    }
    pld_free(model->loras);
    pld_free(model->public_loras);
}
