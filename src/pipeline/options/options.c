/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/options/options.h"

#include <string.h>

#include "core/memory.h"
#include "core/status.h"
#include "pipeline/options/value.h"

/** Without any value. */
static pld_status allocate(pld_options **options, pld_error *error) {
    const size_t count = pld_option_count();
    pld_options *made = *options = pld_allocate(1, sizeof *made);
    if (!made || !(made->values = pld_allocate(count, sizeof *made->values)) ||
        !(made->implied = pld_allocate(count, sizeof *made->implied))) {
        pld_options_destroy(options);
        return pld_fail_memory(error, count * sizeof(pld_option_value), "options");
    }
    return PLD_OK;
}

pld_status pld_options_create(pld_options **options, pld_error *error) {
    PLD_NEED(options);
    PLD_TRY(allocate(options, error));
    for (size_t i = 0; i < pld_option_count(); i++) {
        pld_option_default(pld_option_row_at(i), &(*options)->values[i]);
    }
    return PLD_OK;
}

/** Give back what a value owns. */
static void release(pld_option_value *value) {
    if (value->is_set) {
        for (size_t i = 0; value->texts && i < value->count; i++) {
            pld_free((char *)(uintptr_t)value->texts[i]);
        }
        pld_free((void *)(uintptr_t)value->texts);
        pld_free((void *)(uintptr_t)value->numbers);
        pld_free((char *)(uintptr_t)value->text);
    }
    *value = (pld_option_value){.struct_size = sizeof *value};
}

void pld_options_destroy(pld_options **options) {
    pld_options *gone = options ? *options : NULL;
    for (size_t i = 0; gone && gone->values && i < pld_option_count(); i++) {
        release(&gone->values[i]);
    }
    if (gone) {
        pld_free(gone->values);
        pld_free(gone->implied);
        pld_free(gone);
        *options = NULL;
    }
}

/** A list of texts with room for `count`, the first ones copies of those of `from`. NULL: memory is out. */
static char **copy_texts(const pld_option_value *from, size_t count) {
    char **texts = pld_allocate(count, sizeof *texts);
    bool whole = texts != NULL;
    for (size_t i = 0; whole && i < from->count; i++) {
        texts[i] = pld_copy_string(from->texts[i]);
        whole = texts[i] != NULL;
    }
    for (size_t i = 0; texts && !whole && i < count; i++) {
        pld_free(texts[i]);
    }
    if (!whole) {
        pld_free(texts);
    }
    return whole ? texts : NULL;
}

/** `copy` gets what `value` has, with memory of its own. */
static bool duplicate(const pld_option_value *value, pld_option_value *copy) {
    *copy = *value;
    if (!value->is_set) {
        return true; /* constants */
    }
    copy->text = value->text ? pld_copy_string(value->text) : NULL;
    copy->texts = value->texts ? (const char *const *)copy_texts(value, value->count) : NULL;
    double *numbers = value->numbers ? pld_allocate(value->count, sizeof *numbers) : NULL;
    if (numbers) {
        memcpy(numbers, value->numbers, value->count * sizeof *numbers);
    }
    copy->numbers = numbers;
    const bool whole =
        (!value->text || copy->text) && (!value->texts || copy->texts) && (!value->numbers || copy->numbers);
    if (!whole) {
        copy->count = copy->texts ? copy->count : 0;
        release(copy);
    }
    return whole;
}

pld_status pld_options_copy(const pld_options *options, pld_options **copy, pld_error *error) {
    const size_t count = pld_option_count();
    bool whole = true;
    PLD_NEED(options);
    PLD_NEED(copy);
    PLD_TRY(allocate(copy, error));
    for (size_t i = 0; whole && i < count; i++) {
        whole = duplicate(&options->values[i], &(*copy)->values[i]);
        (*copy)->implied[i] = options->implied[i];
    }
    if (!whole) {
        pld_options_destroy(copy);
    }
    return whole ? PLD_OK : pld_fail_memory(error, sizeof(pld_option_value), "options");
}

void pld_options_reset(pld_options *options, const pld_option *option) {
    const size_t index = pld_option_index(option);
    const pld_option_row *row = pld_option_row_at(index);
    if (options && row) {
        release(&options->values[index]);
        pld_option_default(row, &options->values[index]);
        options->implied[index] = false;
    }
}

/** Add a text to those of a list. */
static pld_status append(pld_options *options, const pld_option_row *row, size_t index, const char *text,
                         pld_error *error) {
    pld_option_value *value = &options->values[index];
    if ((double)value->count >= row->about.maximum) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected at most %.0f of them, found more",
                        row->about.name, row->about.maximum);
    }
    char *added = pld_copy_string(text);
    char **texts = added ? copy_texts(value, value->count + 1) : NULL;
    if (!texts) {
        pld_free(added);
        return pld_fail_memory(error, strlen(text), row->about.name);
    }
    const size_t count = value->count;
    texts[count] = added;
    release(value);
    value->is_set = true;
    value->texts = (const char *const *)texts;
    value->count = count + 1;
    return PLD_OK;
}

pld_status pld_options_put(pld_options *options, size_t index, const pld_option_value *value,
                           pld_error *error) {
    char *text = value->text ? pld_copy_string(value->text) : NULL;
    if (value->text && !text) {
        pld_free((void *)(uintptr_t)value->numbers);
        return pld_fail_memory(error, strlen(value->text), pld_option_at(index)->name);
    }
    release(&options->values[index]);
    options->values[index] = *value;
    options->values[index].text = text;
    options->implied[index] = false;
    return PLD_OK;
}

/** The value of another option that came along: the other's own value stays. */
static pld_status imply(pld_options *options, const char *name, const char *text, pld_error *error) {
    const pld_option *option = pld_option_find(NULL, name);
    const size_t index = pld_option_index(option);
    if (!option || (options->values[index].is_set && !options->implied[index])) {
        return PLD_OK;
    }
    PLD_TRY(pld_options_set_option(options, option, text, error));
    options->implied[index] = options->values[index].is_set;
    return PLD_OK;
}

pld_status pld_options_set_option(pld_options *options, const pld_option *option, const char *text,
                                  pld_error *error) {
    const size_t index = pld_option_index(option);
    const pld_option_row *row = pld_option_row_at(index);
    const char *behind = NULL;
    pld_option_value read;
    PLD_NEED(options);
    if (!row || !text) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: expected a text, found none",
                        row ? row->about.name : "option");
    }
    PLD_TRY(pld_option_parse(row, text, &read, &behind, error));
    read.flag = read.flag || row->about.type == PLD_OPTION_HABIT; /* that it was given */
    if (row->about.type == PLD_OPTION_TEXTS) {
        return append(options, row, index, text, error);
    }
    if (row->about.type == PLD_OPTION_CHOICE && *read.text == '\0' && *text != '\0') {
        pld_options_reset(options, option); /* "Automatic" */
        return PLD_OK;
    }
    if (row->joined) {
        const pld_option *joined = pld_option_find(NULL, row->joined);
        if (joined && options->implied[pld_option_index(joined)]) {
            pld_options_reset(options, joined); /* what an earlier value brought */
        }
    }
    if (behind) {
        PLD_TRY(imply(options, row->joined, behind, error));
    }
    return pld_options_put(options, index, &read, error);
}

pld_status pld_options_set(pld_options *options, const char *command, const char *name, const char *text,
                           pld_error *error) {
    PLD_NEED(options);
    PLD_NEED(name);
    const pld_option *option = pld_option_find(command, name);
    const char *refusal = option ? pld_option_refusal(option, command ? command : "generate") : NULL;
    const char *nearest = option ? NULL : pld_option_nearest(command, name);
    if (!option) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "unknown option \"%.100s\"%s%s%s", name,
                        nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    }
    return refusal ? pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: %s", option->name, refusal)
                   : pld_options_set_option(options, option, text, error);
}

const pld_option_value *pld_options_value(const pld_options *options, const pld_option *option) {
    const size_t index = pld_option_index(option);
    return options && option && index < pld_option_count() ? &options->values[index] : NULL;
}

const pld_option_value *pld_options_get(const pld_options *options, const char *command, const char *name) {
    const pld_option *option = pld_option_find(command, name);
    return option ? pld_options_value(options, option) : NULL;
}

pld_status pld_options_text(const pld_options *options, const pld_option *option, char **text,
                            pld_error *error) {
    PLD_NEED(options);
    PLD_NEED(text);
    *text = NULL;
    const pld_option_row *row = pld_option_row_of(option);
    return row ? pld_option_print(row, pld_options_value(options, option), text, error) : PLD_OK;
}
