/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/parameters.h"

#include <pthread.h>
#include <string.h>

#include "core/memory.h"
#include "core/tensor.h"
#include "io/tensors/random_weights.h"
#include "nn/weight_values.h"

/** One form of a parameter in a layout, perhaps together with a partner. `layout` NULL: dense float32, as stored. */
typedef struct held_form {
    struct held_form *next;
    void *layout;
    size_t layout_size;
    void *data;
    size_t bytes; /* of data */
    int users;    /* plans that hold it */
} held_form;

struct pld_parameter {
    pld_parameters *owner; /* whose mutex guards the forms */
    char *name;            /* by which the network asks for it */
    pld_weight weight;
    pld_weight_shape shape;
    size_t elements;
    held_form *forms;
    pld_weight_change *changes; /* [change_count], applied in this order when the values are read */
    size_t change_count, change_capacity;
};

struct pld_parameters {
    pld_parameters *base;      /* not NULL: these are changes of it, and what is unchanged is its */
    pld_weight_files *files;   /* the base's own where there is one */
    pld_random_weights wanted; /* while there are no files: what they will be made of */
    pld_weight_backend backend;
    pld_parameter *bound; /* [count], in the order of the files; bound[i].weight.tensor NULL: not bound yet */
    bool *used;           /* [count] */
    size_t count;
    size_t resident;
    pthread_mutex_t mutex;
};

/** Take `files` over and make room to bind their tensors. */
static pld_status take_files(pld_parameters *parameters, pld_weight_files *files, pld_error *error) {
    const size_t count = pld_weight_files_count(files);
    parameters->files = files;
    parameters->count = count;
    parameters->bound = pld_allocate(count, sizeof *parameters->bound);
    parameters->used = pld_allocate(count, sizeof *parameters->used);
    return parameters->bound && parameters->used
               ? PLD_OK
               : pld_fail_memory(error, count * sizeof *parameters->bound, "parameters");
}

pld_status pld_parameters_create_random(const pld_weight_backend *backend, pld_parameters **parameters,
                                        pld_error *error) {
    *parameters = pld_allocate(1, sizeof **parameters);
    if (!*parameters) {
        return pld_fail_memory(error, sizeof **parameters, "parameters");
    }
    pthread_mutex_init(&(*parameters)->mutex, NULL);
    (*parameters)->backend = *backend;
    return PLD_OK;
}

pld_status pld_parameters_create(pld_weight_files *files, const pld_weight_backend *backend,
                                 pld_parameters **parameters, pld_error *error) {
    pld_status status = pld_parameters_create_random(backend, parameters, error);
    if (status != PLD_OK) {
        pld_weight_files_close(&files);
        return status;
    }
    status = take_files(*parameters, files, error);
    if (status != PLD_OK) {
        pld_parameters_destroy(parameters);
    }
    return status;
}

pld_status pld_parameters_settle_random(pld_parameters *parameters, pld_error *error) {
    pld_weight_files *files = NULL;
    PLD_TRY(pld_weight_files_create_random(&parameters->wanted, &files, error));
    pld_random_weights_free(&parameters->wanted);
    return take_files(parameters, files, error);
}

/** Data of a form: dense values are the host's, packed ones the device's. */
static void free_data(const pld_parameters *parameters, size_t layout_size, void *data) {
    if (layout_size) {
        parameters->backend.functions->free(parameters->backend.device, data);
    } else {
        pld_free(data);
    }
}

static void free_form(const pld_parameters *parameters, held_form *form) {
    free_data(parameters, form->layout_size, form->data);
    pld_free(form->layout);
    pld_free(form);
}

void pld_parameters_destroy(pld_parameters **parameters) {
    pld_parameters *p = *parameters;
    if (!p) {
        return;
    }
    for (size_t i = 0; p->bound && i < p->count; i++) {
        for (held_form *form = p->bound[i].forms; form;) {
            held_form *next = form->next;
            free_form(p, form);
            form = next;
        }
        pld_free(p->bound[i].name);
        pld_free(p->bound[i].changes);
    }
    pld_free(p->bound);
    pld_free(p->used);
    pld_random_weights_free(&p->wanted);
    if (!p->base) {
        pld_weight_files_close(&p->files);
    }
    pthread_mutex_destroy(&p->mutex);
    pld_free(p);
    *parameters = NULL;
}

const pld_weight_files *pld_parameters_files(const pld_parameters *parameters) {
    return parameters->files;
}

size_t pld_parameters_resident_bytes(pld_parameters *parameters) {
    pthread_mutex_lock(&parameters->mutex);
    size_t bytes = parameters->resident;
    pthread_mutex_unlock(&parameters->mutex);
    return bytes + (parameters->base ? pld_parameters_resident_bytes(parameters->base) : 0);
}

bool pld_parameters_has(const pld_parameters *parameters, const char *name) {
    pld_weight weight;
    return parameters && parameters->files && pld_weight_files_find(parameters->files, name, &weight);
}

/** Equal shapes, ones at the end aside. */
static bool same_shape(const pld_stored_tensor *tensor, int rank, const int64_t *shape) {
    int longer = tensor->rank > rank ? tensor->rank : rank;
    for (int i = 0; i < longer; i++) {
        int64_t found = i < tensor->rank ? tensor->shape[i] : 1;
        int64_t wanted = i < rank ? shape[i] : 1;
        if (found != wanted) {
            return false;
        }
    }
    return true;
}

/** A weight as a network wants it. */
typedef struct wanted_weight {
    const char *name;
    int rank;
    const int64_t *stored; /* [rank] */
    pld_weight_shape shape;
    int64_t steps; /* of stored, of which the last is shape's; 0: they are the same */
} wanted_weight;

static pld_status bind(pld_parameters *parameters, const wanted_weight *wanted, pld_parameter **parameter,
                       pld_error *error) {
    const char *name = wanted->name;
    const int64_t *shape = wanted->stored;
    const int rank = wanted->rank;
    if (parameters->base) {
        PLD_TRY(bind(parameters->base, wanted, parameter, error));
        pld_parameter *changed = &parameters->bound[*parameter - parameters->base->bound];
        *parameter = changed->change_count ? changed : *parameter;
        return PLD_OK;
    }
    if (!parameters->files) {
        *parameter = NULL;
        return pld_random_weights_add(&parameters->wanted, name, rank, shape, error);
    }
    pld_weight weight;
    char expected[96];
    pld_shape_text(shape, rank, expected, sizeof expected);
    const char *path = pld_weight_files_path(parameters->files, 0);
    if (!pld_weight_files_find(parameters->files, name, &weight)) {
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: tensor '%s' %s is missing; the file does not match the configuration beside it",
                        path, name, expected);
    }
    path = pld_tensor_file_path(weight.file);
    if (!same_shape(weight.tensor, rank, shape)) {
        char found[96];
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected shape %s from the configuration, found %s", path, name,
                        expected,
                        pld_shape_text(weight.tensor->shape, weight.tensor->rank, found, sizeof found));
    }
    if (!pld_weight_is_number(&weight)) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: tensor '%s': expected a type of weights (f32, f16, bf16, f64, f8_e4m3, f8_e5m2, "
            "one of GGUF's, or i8 with scales), found %s; use a version of the model in one of those types",
            path, name, pld_dtype_name(weight.tensor->dtype));
    }
    pld_parameter *bound = &parameters->bound[weight.index];
    if (!bound->name) { /* later plans find it as it is */
        bound->name = pld_copy_string(name);
        if (!bound->name) {
            return pld_fail_memory(error, strlen(name), name);
        }
        bound->owner = parameters;
        bound->weight = weight;
        bound->weight.steps = wanted->steps;
        bound->shape = wanted->shape;
        bound->elements = pld_weight_elements(&bound->weight);
        parameters->used[weight.index] = true;
    }
    *parameter = bound;
    return PLD_OK;
}

pld_status pld_parameters_bind(pld_parameters *parameters, const char *name, int rank, const int64_t *shape,
                               pld_parameter **parameter, pld_error *error) {
    const wanted_weight wanted = {name, rank, shape, pld_weight_shape_of(shape, rank), 0};
    return bind(parameters, &wanted, parameter, error);
}

pld_status pld_parameters_bind_last_step(pld_parameters *parameters, const char *name, const int64_t shape[4],
                                         int64_t steps, pld_parameter **parameter, pld_error *error) {
    const int64_t stored[] = {shape[0], shape[1], steps, shape[2], shape[3]};
    const wanted_weight wanted = {name, 5, stored, pld_weight_shape_of(shape, 4), steps};
    return bind(parameters, &wanted, parameter, error);
}

void pld_parameters_ignore(pld_parameters *parameters, const char *name) {
    pld_weight weight;
    if (parameters->files && pld_weight_files_find(parameters->files, name, &weight)) {
        parameters->used[weight.index] = true;
    }
}

pld_status pld_parameters_check_all_used(pld_parameters *parameters, pld_error *error) {
    size_t extra = 0;
    size_t first = 0;
    for (size_t i = parameters->count; i-- > 0;) {
        if (!parameters->used[i]) {
            extra++;
            first = i;
        }
    }
    if (extra == 0) {
        return PLD_OK;
    }
    pld_weight weight = pld_weight_files_at(parameters->files, first);
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: tensor '%s' has no place in this network (%zu such tensors); the configuration "
                    "beside the file describes a different network",
                    pld_tensor_file_path(weight.file), weight.tensor->name, extra);
}

pld_status pld_parameter_read(pld_parameter *parameter, size_t first, size_t count, float *out,
                              pld_error *error) {
    if (parameter->change_count == 0) {
        return pld_weight_values(&parameter->owner->backend, &parameter->weight, first, count, out, error);
    }
    const float *values = NULL;
    PLD_TRY(pld_parameter_values(parameter, &values, error));
    memcpy(out, values + first, count * sizeof *out);
    pld_parameter_release(parameter, values);
    return PLD_OK;
}

bool pld_parameter_is_streamable(const pld_parameter *parameter) {
    const pld_weight *weight = &parameter->weight;
    return parameter->change_count == 0 && !weight->transposed && !weight->steps &&
           !pld_tensor_file_is_random(weight->file);
}

static held_form *find_form(const pld_parameter *parameter, const void *layout, size_t layout_size) {
    for (held_form *form = parameter->forms; form; form = form->next) {
        if (form->layout_size == layout_size &&
            (layout_size == 0 || memcmp(form->layout, layout, layout_size) == 0)) {
            return form;
        }
    }
    return NULL;
}

/** Remember `data` (taken over) as a form of the parameter. */
static pld_status keep_form(pld_parameters *parameters, pld_parameter *parameter, const void *layout,
                            size_t layout_size, void *data, size_t bytes, pld_error *error) {
    held_form *form = pld_allocate(1, sizeof *form);
    void *copy = layout_size ? pld_allocate(layout_size, 1) : NULL;
    if (!form || (layout_size && !copy)) {
        pld_free(form);
        pld_free(copy);
        free_data(parameters, layout_size, data);
        return pld_fail_memory(error, layout_size, parameter->weight.tensor->name);
    }
    if (copy) {
        memcpy(copy, layout, layout_size);
    }
    *form = (held_form){parameter->forms, copy, layout_size, data, bytes, 0};
    parameter->forms = form;
    parameters->resident += bytes;
    return PLD_OK;
}

/** All values into new memory, changes applied. */
static pld_status read_all(const pld_parameters *parameters, const pld_parameter *parameter, float **values,
                           pld_error *error) {
    PLD_TRY(pld_weight_all_values(&parameters->backend, &parameter->weight, values, error));
    for (size_t i = 0; i < parameter->change_count; i++) {
        pld_status status = pld_weight_change_apply(&parameter->changes[i], &parameter->shape,
                                                    &parameters->backend, *values, error);
        if (status != PLD_OK) {
            pld_free(*values);
            *values = NULL;
            return status;
        }
    }
    return PLD_OK;
}

static pld_status values_locked(pld_parameters *parameters, pld_parameter *parameter, const float **values,
                                pld_error *error) {
    held_form *form = find_form(parameter, NULL, 0);
    if (!form) {
        float *data = NULL;
        PLD_TRY(read_all(parameters, parameter, &data, error));
        PLD_TRY(keep_form(parameters, parameter, NULL, 0, data, parameter->elements * sizeof *data, error));
        form = parameter->forms;
    }
    form->users++;
    *values = form->data;
    return PLD_OK;
}

pld_status pld_parameter_values(pld_parameter *parameter, const float **values, pld_error *error) {
    pld_parameters *owner = parameter->owner;
    pthread_mutex_lock(&owner->mutex);
    pld_status status = values_locked(owner, parameter, values, error);
    pthread_mutex_unlock(&owner->mutex);
    return status;
}

/** Where the numbers of a parameter come from: straight from the file, or, where it is changed, from `*changed`, which
 * the caller frees. */
static pld_status open_reader(const pld_parameter *parameter, pld_weight_reader *reader, float **changed,
                              pld_error *error) {
    const pld_parameters *owner = parameter->owner;
    *changed = NULL;
    PLD_TRY(parameter->change_count ? read_all(owner, parameter, changed, error) : PLD_OK);
    *reader = (pld_weight_reader){&owner->backend, &parameter->weight, *changed};
    return PLD_OK;
}

static pld_status pack(const pld_parameter *parameter, const pld_packing *packing, void *data,
                       pld_error *error) {
    pld_weight_reader reader, second = {0};
    float *changed = NULL, *changed_second = NULL;
    pld_status status = open_reader(parameter, &reader, &changed, error);
    if (status == PLD_OK && packing->partner) {
        status = open_reader(packing->partner, &second, &changed_second, error);
    }
    if (status == PLD_OK) {
        status = packing->pack(packing->context, &reader, packing->partner ? &second : NULL, data, error);
    }
    pld_free(changed);
    pld_free(changed_second);
    return status;
}

/** The files of a weight are as they were opened. */
static pld_status check_files(const pld_parameter *parameter, pld_error *error) {
    const pld_weight *weight = &parameter->weight;
    PLD_TRY(pld_tensor_file_check(weight->file, weight->tensor, error));
    if (weight->scales_file) {
        PLD_TRY(pld_tensor_file_check(weight->scales_file, weight->tensor, error));
    }
    for (size_t i = 0; i < parameter->change_count; i++) {
        PLD_TRY(
            pld_tensor_file_check(pld_lora_file_tensors(parameter->changes[i].file), weight->tensor, error));
    }
    return PLD_OK;
}

pld_status pld_parameter_make(const pld_parameter *parameter, const pld_packing *packing, void *data,
                              pld_error *error) {
    PLD_TRY(pack(parameter, packing, data, error));
    PLD_TRY(check_files(parameter, error)); /* behind: what was read before a change is good */
    return packing->partner ? check_files(packing->partner, error) : PLD_OK;
}

/** The values of a changed weight, and what the change that needs most takes beside them. */
static size_t changed_bytes(const pld_parameter *parameter) {
    size_t most = 0;
    for (size_t i = 0; parameter && i < parameter->change_count; i++) {
        const size_t bytes = pld_weight_change_room(&parameter->changes[i], &parameter->shape);
        most = bytes > most ? bytes : most;
    }
    return parameter && parameter->change_count ? parameter->elements * sizeof(float) + most : 0;
}

size_t pld_parameter_making_room(const pld_parameter *parameter, const pld_packing *packing) {
    return packing->room + changed_bytes(parameter) + changed_bytes(packing->partner);
}

static void expect_one(const pld_parameter *parameter) {
    const pld_weight *weight = &parameter->weight;
    pld_tensor_file_expect(weight->file, weight->tensor, 0, weight->tensor->bytes);
}

void pld_parameter_expect(const pld_parameter *parameter, const pld_packing *packing) {
    expect_one(parameter);
    if (packing->partner) {
        expect_one(packing->partner);
    }
}

/** Of two weights one that is changed holds the form, so that it lives no longer than the change. */
static pld_parameter *holder_of(pld_parameter *parameter, const pld_packing *packing) {
    const bool partner_holds = packing->partner && !parameter->change_count && packing->partner->change_count;
    return partner_holds ? packing->partner : parameter;
}

bool pld_parameter_holds(pld_parameter *parameter, const pld_packing *packing) {
    pld_parameter *holder = holder_of(parameter, packing);
    pthread_mutex_lock(&holder->owner->mutex);
    const bool held = find_form(holder, packing->layout, packing->layout_size);
    pthread_mutex_unlock(&holder->owner->mutex);
    return held;
}

/** The form of `packing` of a parameter, kept by `holder`, whose owner is locked. */
static pld_status packed_locked(const pld_parameter *parameter, const pld_packing *packing,
                                pld_parameter *holder, pld_packed *packed, pld_error *error) {
    pld_parameters *owner = holder->owner;
    held_form *form = find_form(holder, packing->layout, packing->layout_size);
    if (!form) {
        const pld_weight_backend *backend = &owner->backend;
        void *data = backend->functions->allocate(backend->device, packing->bytes);
        pld_status status = data ? pack(parameter, packing, data, error)
                                 : pld_fail_memory(error, packing->bytes, parameter->weight.tensor->name);
        if (status != PLD_OK) {
            backend->functions->free(backend->device, data);
            return status;
        }
        PLD_TRY(keep_form(owner, holder, packing->layout, packing->layout_size, data, packing->bytes, error));
        form = holder->forms;
    }
    form->users++;
    *packed = (pld_packed){form->data, holder};
    return PLD_OK;
}

pld_status pld_parameter_packed(pld_parameter *parameter, const pld_packing *packing, pld_packed *packed,
                                pld_error *error) {
    pld_parameter *holder = holder_of(parameter, packing);
    pthread_mutex_lock(&holder->owner->mutex);
    pld_status status = packed_locked(parameter, packing, holder, packed, error);
    pthread_mutex_unlock(&holder->owner->mutex);
    return status;
}

void pld_parameter_release(pld_parameter *parameter, const void *data) {
    if (!data) {
        return;
    }
    pthread_mutex_lock(&parameter->owner->mutex);
    for (held_form *form = parameter->forms; form; form = form->next) {
        form->users -= form->data == data;
    }
    pthread_mutex_unlock(&parameter->owner->mutex);
}

size_t pld_parameters_drop_unused(pld_parameters *parameters) {
    size_t before = parameters->base ? pld_parameters_drop_unused(parameters->base) : 0;
    pthread_mutex_lock(&parameters->mutex);
    size_t bytes = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        for (held_form **at = &parameters->bound[i].forms; *at;) {
            held_form *form = *at;
            if (form->users > 0) {
                at = &form->next;
                continue;
            }
            *at = form->next;
            bytes += form->bytes;
            free_form(parameters, form);
        }
    }
    parameters->resident -= bytes;
    pthread_mutex_unlock(&parameters->mutex);
    return before + bytes;
}

pld_dtype pld_parameter_dtype(const pld_parameter *parameter) {
    const bool as_stored = !pld_weight_is_scaled(&parameter->weight) && parameter->change_count == 0;
    return as_stored ? parameter->weight.tensor->dtype : PLD_DTYPE_F32;
}

pld_dtype pld_parameter_kept_dtype(const pld_parameter *parameter) {
    const pld_dtype stored = parameter->weight.tensor->dtype;
    const bool small = pld_dtype_size(stored) < 2 * pld_dtype_block(stored);
    return parameter->change_count == 0 ? stored : small ? PLD_DTYPE_Q8_0 : PLD_DTYPE_F32;
}

bool pld_parameter_is_changed(const pld_parameter *parameter) {
    return parameter->change_count > 0;
}

float pld_parameter_scale(const pld_parameter *parameter) {
    return parameter->weight.scale != 0 && parameter->change_count == 0 ? parameter->weight.scale : 1;
}

pld_status pld_parameters_derive(pld_parameters *base, pld_parameters **parameters, pld_error *error) {
    *parameters = NULL;
    pld_parameters *made = pld_allocate(1, sizeof *made);
    if (!made) {
        return pld_fail_memory(error, sizeof *made, "changed weights");
    }
    pthread_mutex_init(&made->mutex, NULL);
    made->base = base;
    made->files = base->files;
    made->backend = base->backend;
    made->count = base->count;
    made->bound = pld_allocate(made->count, sizeof *made->bound);
    made->used = pld_allocate(made->count, sizeof *made->used);
    if (!made->bound || !made->used) {
        pld_parameters_destroy(&made);
        return pld_fail_memory(error, base->count * sizeof *made->bound, "changed weights");
    }
    *parameters = made;
    return PLD_OK;
}

size_t pld_parameters_count(const pld_parameters *parameters) {
    return parameters->count;
}

const char *pld_parameters_name(const pld_parameters *parameters, size_t index) {
    return parameters->bound[index].name;
}

pld_status pld_parameters_change(pld_parameters *parameters, size_t index, const pld_weight_change *change,
                                 pld_error *error) {
    const pld_parameter *from = &parameters->base->bound[index];
    pld_parameter *changed = &parameters->bound[index];
    PLD_TRY(pld_weight_change_check(change, &from->shape, error));
    if (change->strength == 0) {
        return PLD_OK;
    }
    if (!pld_grow((void **)&changed->changes, &changed->change_capacity, changed->change_count + 1,
                  sizeof *changed->changes)) {
        return pld_fail_memory(error, sizeof *changed->changes, from->name);
    }
    changed->owner = parameters;
    changed->weight = from->weight;
    changed->shape = from->shape;
    changed->elements = from->elements;
    changed->changes[changed->change_count++] = *change;
    return PLD_OK;
}

const char *pld_parameters_path(const pld_parameters *parameters) {
    return parameters && parameters->files ? pld_weight_files_path(parameters->files, 0) : "network";
}
