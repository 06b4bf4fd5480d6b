/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "loras/file.h"
#include "pipeline/files/inspect.h"
#include "pipeline/model/describe.h"

/** Whether any tensor is named as LoRAs name theirs. */
static bool looks_like_lora(const pld_weight_files *files) {
    static const char *const pieces[] = {"lora_", ".lora", "hada_w", "lokr_w", "dora_scale", "lycoris_"};
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        const char *name = pld_weight_files_at(files, i).tensor->name;
        for (size_t j = 0; j < sizeof pieces / sizeof *pieces; j++) {
            if (strstr(name, pieces[j])) {
                return true;
            }
        }
        pld_lora_name parsed;
        if (pld_lora_name_parse(name, &parsed) && !parsed.refused && parsed.factor != PLD_LORA_ALPHA &&
            parsed.part != PLD_LORA_UNKNOWN) {
            return true;
        }
    }
    return false;
}

static void gather(const pld_lora_file *file, pld_inspection *inspection) {
    pld_lora_facts *facts = &inspection->lora;
    size_t modules[PLD_LORA_PART_COUNT] = {0};
    bool ranked = false;
    facts->least_scale = INFINITY;
    facts->most_scale = -INFINITY;
    for (size_t i = 0; i < pld_lora_file_count(file); i++) {
        const pld_lora_module *module = pld_lora_file_at(file, i);
        modules[module->part]++;
        facts->least_scale = fmin(facts->least_scale, module->scale);
        facts->most_scale = fmax(facts->most_scale, module->scale);
        if (module->rank > 0) {
            facts->least_rank = ranked && facts->least_rank < module->rank ? facts->least_rank : module->rank;
            facts->most_rank = facts->most_rank > module->rank ? facts->most_rank : module->rank;
            ranked = true;
        }
    }
    for (int part = 0; part < PLD_LORA_PART_COUNT; part++) {
        if (modules[part]) {
            inspection->lora_part_names[facts->part_count] = pld_lora_part_name((pld_lora_part)part);
            inspection->lora_part_modules[facts->part_count++] = modules[part];
        }
    }
    facts->part_names = inspection->lora_part_names;
    facts->part_modules = inspection->lora_part_modules;
}

/** The numbers of the whole file, as one part. */
static void count_numbers(pld_inspection *inspection) {
    inspection->parts[0] = pld_describe_weights("lora", "changes of weights", inspection->files);
    PLD_SIZED_LIST(inspection->public_parts, inspection->parts, 1);
    inspection->info.parts = inspection->public_parts;
    inspection->info.part_count = 1;
}

pld_status pld_inspect_lora(pld_inspection *inspection, bool *is_lora, pld_error *error) {
    pld_lora_file *file = NULL;
    pld_error reason = {0};
    pld_file_info *info = &inspection->info;
    *is_lora = looks_like_lora(inspection->files);
    if (!*is_lora) {
        return PLD_OK;
    }
    info->kind = "LoRA";
    info->title = "LoRA";
    count_numbers(inspection);
    pld_status status = pld_lora_file_open(inspection->path, &file, &reason);
    if (status == PLD_ERROR_MEMORY) {
        return pld_fail(error, status, "%s", reason.message);
    }
    if (status != PLD_OK) {
        pld_inspection_note(inspection, "it cannot be applied: %.400s", reason.message);
        return PLD_OK;
    }
    const char *family = pld_lora_file_family(file);
    inspection->lora = (pld_lora_facts){.struct_size = sizeof inspection->lora,
                                        .style = pld_lora_file_style(file),
                                        .kind = pld_lora_file_kind(file)};
    gather(file, inspection);
    info->lora = &inspection->lora;
    info->title = family ? family : "LoRA";
    if (pld_lora_file_unknown_count(file)) {
        pld_inspection_note(inspection, "%zu tensors have unknown names ('%.100s'%s)",
                            pld_lora_file_unknown_count(file), pld_lora_file_unknown_at(file, 0),
                            pld_lora_file_unknown_count(file) > 1 ? ", …" : "");
    }
    if (pld_lora_file_unscaled_count(file)) {
        pld_inspection_note(inspection,
                            "%zu of its modules have no alpha, in the file or in an adapter_config.json "
                            "beside adapter_model.safetensors; alpha / rank is taken as 1",
                            pld_lora_file_unscaled_count(file));
    }
    pld_lora_file_close(&file);
    return PLD_OK;
}
