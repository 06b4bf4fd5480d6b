/* SPDX-License-Identifier: Apache-2.0 */
#include "models/classes.h"

#include <stdio.h>
#include <string.h>

#include "models/families.h"

enum { EXPECTED_BYTES = 512 };

/** What is said of each role. */
static const struct {
    const char *is, *expected;
} roles[PLD_CLASS_ANY + 1] = {
    [PLD_CLASS_PIPELINE] = {"a pipeline", "a pipeline of a family that 'pladis list families' lists"},
    [PLD_CLASS_DENOISER] = {"a denoising network", NULL},
    [PLD_CLASS_AUTOENCODER] = {"an autoencoder", NULL},
    [PLD_CLASS_TEXT_ENCODER] = {"a text encoder", NULL},
    [PLD_CLASS_CONDITIONER] = {"a text conditioner", NULL},
    [PLD_CLASS_TOKENIZER] = {"a tokenizer", "a tokenizer of a text encoder that is supported"},
    [PLD_CLASS_SCHEDULER] = {"a scheduler",
                             "the class of a sampler that 'pladis list samplers' lists, such as "
                             "EulerDiscreteScheduler"},
    [PLD_CLASS_ANY] = {"of a family that is not supported",
                       "classes of a family that 'pladis list families' lists"},
};

static const pld_class_role class_roles[PLD_ROLE_COUNT] = {[PLD_ROLE_TEXT_ENCODER] = PLD_CLASS_TEXT_ENCODER,
                                                           [PLD_ROLE_CONDITIONER] = PLD_CLASS_CONDITIONER,
                                                           [PLD_ROLE_DENOISER] = PLD_CLASS_DENOISER,
                                                           [PLD_ROLE_AUTOENCODER] = PLD_CLASS_AUTOENCODER};

pld_class_role pld_class_role_of(const pld_part_class *class) {
    return class_roles[class->role];
}

/** The class of a part by its name or, of transformers' configurations, by its model_type. */
static const pld_part_class *find_part(const char *name) {
    const pld_part_class *found = pld_part_class_find(name);
    for (const pld_part_class *const *row = pld_part_classes; !found && *row; row++) {
        found = (*row)->model_type && strcmp((*row)->model_type, name) == 0 ? *row : NULL;
    }
    return found;
}

bool pld_class_same_network(const pld_part_class *a, const pld_part_class *b) {
    return a->read == b->read;
}

/** "A", "A or B", "A, B or C" of the classes of a role or, with `wanted`, of those that are the same network. */
static const char *expected_text(pld_class_role role, const pld_part_class *wanted,
                                 char text[EXPECTED_BYTES]) {
    enum { MOST = 32 };
    const char *names[MOST];
    size_t count = 0, used = 0;
    if (roles[role].expected) {
        return roles[role].expected;
    }
    for (const pld_part_class *const *row = pld_part_classes; *row && count < MOST; row++) {
        if (class_roles[(*row)->role] == role && (!wanted || pld_class_same_network(*row, wanted))) {
            const char *const *other = (*row)->other_names;
            names[count++] = (*row)->name;
            while (other && *other && count < MOST) {
                names[count++] = *other++;
            }
        }
    }
    text[0] = '\0';
    for (size_t i = 0; i < count && used < EXPECTED_BYTES; i++) {
        const char *between = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        const int written = snprintf(text + used, EXPECTED_BYTES - used, "%s%s", between, names[i]);
        used += written > 0 ? (size_t)written : 0;
    }
    return text;
}

/** As pld_class_check; `wanted` NULL: any that is supported. */
static pld_status check(const pld_json *at, const char *field, const char *name, pld_class_role role,
                        const pld_part_class *wanted, pld_error *error) {
    char text[EXPECTED_BYTES];
    const char *expected = expected_text(role, wanted, text);
    const pld_part_class *part = find_part(name);
    const pld_class *row = part ? NULL : pld_class_find(name);
    if (!part && !row) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field '%s': found the unknown class '%.60s'; expected %s", at->file, field, name,
                        expected);
    }
    if (row && row->is) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: field '%s': found %.60s (%s), which is not supported; expected %s", at->file,
                        field, name, row->is, expected);
    }
    const pld_class_role found = part ? class_roles[part->role] : row->role;
    if (found != role) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED, "%s: field '%s': found %.60s, which is %s; expected %s",
                        at->file, field, name, roles[found].is, expected);
    }
    return !wanted || (part && pld_class_same_network(part, wanted))
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field '%s': found %.60s, which belongs to another family; "
                          "expected %s",
                          at->file, field, name, expected);
}

pld_status pld_class_check(const pld_json *at, const char *field, const char *name, pld_class_role role,
                           pld_error *error) {
    return check(at, field, name, role, NULL, error);
}

pld_status pld_class_check_part(const pld_json *at, const char *field, const char *name,
                                const pld_part_class *wanted, pld_error *error) {
    return check(at, field, name, class_roles[wanted->role], wanted, error);
}

pld_status pld_class_check_tokenizer(const pld_json *at, const char *field, const char *name,
                                     const char *wanted, pld_error *error) {
    const pld_class *row = pld_class_find(name);
    PLD_TRY(pld_class_check(at, field, name, PLD_CLASS_TOKENIZER, error));
    return !row->is_own || strncmp(name, wanted, strlen(wanted)) == 0
               ? PLD_OK
               : pld_fail(error, PLD_ERROR_UNSUPPORTED,
                          "%s: field '%s': found %.60s, the tokenizer of another text encoder; expected %s",
                          at->file, field, name, wanted);
}

/** A name, which may be absent or null: nothing is said then. */
static pld_status check_field(const pld_json *at, const char *field, const pld_part_class *wanted,
                              pld_error *error) {
    const char *name = NULL;
    PLD_TRY(pld_json_get_string(at, field, PLD_JSON_NULLABLE, &name, error));
    return name ? pld_class_check_part(at, field, name, wanted, error) : PLD_OK;
}

pld_status pld_class_check_config(const pld_json *top, const pld_part_class *wanted, pld_error *error) {
    enum { MOST = 8 };
    const char *names[MOST] = {0};
    size_t count = 0;
    if (!wanted->model_type) {
        return check_field(top, "_class_name", wanted, error);
    }
    PLD_TRY(pld_json_get_strings(top, "architectures", PLD_JSON_NULLABLE, MOST, names, &count, error));
    for (size_t i = 0; i < count; i++) {
        PLD_TRY(pld_class_check_part(top, "architectures", names[i], wanted, error));
    }
    return check_field(top, "model_type", wanted, error);
}
