/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/weight_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "io/tensors/random_weights.h"
#include "io/tensors/weight_files_internal.h"

static int compare_weights(const void *left, const void *right) {
    return strcmp(((const pld_weight *)left)->tensor->name, ((const pld_weight *)right)->tensor->name);
}

void pld_weight_files_sort(pld_weight_files *files) {
    for (size_t i = 0; i < files->count; i++) {
        files->by_name[i] = files->weights[i];
    }
    qsort(files->by_name, files->count, sizeof *files->by_name, compare_weights);
}

/** Build the tables over the opened files. */
static pld_status list_weights(pld_weight_files *files, pld_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < files->file_count; i++) {
        count += pld_tensor_file_count(files->files[i]);
    }
    files->weights = pld_allocate(count, sizeof *files->weights);
    files->by_name = pld_allocate(count, sizeof *files->by_name);
    if (!files->weights || !files->by_name) {
        return pld_fail_memory(error, 2 * count * sizeof *files->weights, "list of weights");
    }
    for (size_t i = 0; i < files->file_count; i++) {
        for (size_t j = 0; j < pld_tensor_file_count(files->files[i]); j++) {
            const size_t index = files->count++;
            files->weights[index] = (pld_weight){
                .file = files->files[i], .tensor = pld_tensor_file_at(files->files[i], j), .index = index};
        }
    }
    pld_weight_files_sort(files);
    return PLD_OK;
}

/** Open `folder`/`name` (`folder` NULL: `name` is the path) into the next place of files->files. */
static pld_status open_one(pld_weight_files *files, const char *folder, const char *name, pld_error *error) {
    char *path = folder ? pld_format("%s/%s", folder, name) : pld_copy_string(name);
    if (!path) {
        return pld_fail_memory(error, strlen(name), name);
    }
    pld_status status = pld_tensor_file_open(path, &files->files[files->file_count], error);
    pld_free(path);
    files->file_count += status == PLD_OK;
    return status;
}

/** How many of an index's shards are in the folder; the first that is not goes to `*absent`. */
static pld_status count_shards(const char *folder, const pld_weight_index *index, size_t *present,
                               const char **absent, pld_error *error) {
    *present = 0;
    *absent = NULL;
    for (size_t i = 0; i < index->shard_count; i++) {
        char *path = pld_format("%s/%s", folder, index->shards[i]);
        if (!path) {
            return pld_fail_memory(error, strlen(index->shards[i]), folder);
        }
        if (access(path, F_OK) == 0) {
            (*present)++;
        } else if (!*absent) {
            *absent = index->shards[i];
        }
        pld_free(path);
    }
    return PLD_OK;
}

/** Open every shard of an index and check that they belong together. `*elsewhere` is set when none is here.
 */
static pld_status open_shards(pld_weight_files *files, const char *folder, const char *path,
                              const pld_weight_index *index, bool *elsewhere, pld_error *error) {
    size_t present = 0;
    const char *absent = NULL;
    PLD_TRY(count_shards(folder, index, &present, &absent, error));
    if (absent) {
        *elsewhere = present == 0;
        return pld_fail(error, PLD_ERROR_MISSING,
                        "%s: expected %zu shards beside it, found %zu; '%s' is missing: download it as well",
                        path, index->shard_count, present, absent);
    }
    files->files = pld_allocate(index->shard_count, sizeof(pld_tensor_file *));
    if (!files->files) {
        return pld_fail_memory(error, index->shard_count * sizeof(pld_tensor_file *), path);
    }
    for (size_t i = 0; i < index->shard_count; i++) {
        PLD_TRY(open_one(files, folder, index->shards[i], error));
    }
    return pld_weight_index_check(path, index, files->files, error);
}

/** Open through the index file `name` of `folder`. */
static pld_status open_index(pld_weight_files *files, const char *folder, const char *name, bool *elsewhere,
                             pld_error *error) {
    char *path = pld_format("%s/%s", folder, name);
    if (!path) {
        return pld_fail_memory(error, strlen(name), folder);
    }
    pld_weight_index index = {0};
    pld_status status = pld_weight_index_load(path, &index, error);
    if (status == PLD_OK) {
        status = open_shards(files, folder, path, &index, elsewhere, error);
    }
    pld_weight_index_free(&index);
    pld_free(path);
    return status;
}

/** Open the single file `name` (see open_one). */
static pld_status open_single(pld_weight_files *files, const char *folder, const char *name,
                              pld_error *error) {
    files->files = pld_allocate(1, sizeof(pld_tensor_file *));
    return files->files ? open_one(files, folder, name, error)
                        : pld_fail_memory(error, sizeof(pld_tensor_file *), name);
}

/** Open one candidate of `folder`, or with `folder` NULL the file at the path candidate->name. `*elsewhere`
 *  is set when it is an index without any of its shards. */
static pld_status open_candidate(const char *folder, const pld_weight_candidate *candidate,
                                 pld_weight_files **files, bool *elsewhere, pld_error *error) {
    pld_weight_files *opened = pld_allocate(1, sizeof *opened);
    if (!opened || !(opened->variant = pld_copy_string(candidate->variant))) {
        pld_free(opened);
        return pld_fail_memory(error, sizeof *opened, candidate->name);
    }
    pld_status status = candidate->index ? open_index(opened, folder, candidate->name, elsewhere, error)
                                         : open_single(opened, folder, candidate->name, error);
    if (status == PLD_OK) {
        status = list_weights(opened, error);
    }
    if (status == PLD_OK) {
        status = pld_weight_files_take_scales(opened, error);
    }
    if (status != PLD_OK) {
        pld_weight_files_close(&opened);
        return status;
    }
    *files = opened;
    return PLD_OK;
}

/** Open the best candidate, passing over indexes whose shards are elsewhere. When nothing is left the error
 *  is that of the best one. */
static pld_status open_first(const char *folder, const pld_weight_candidates *candidates,
                             pld_weight_files **files, pld_error *error) {
    pld_error first = {0};
    for (size_t i = 0; i < candidates->count; i++) {
        pld_error attempt = {0};
        bool elsewhere = false;
        pld_status status = open_candidate(folder, &candidates->items[i], files, &elsewhere, &attempt);
        if (status == PLD_OK) {
            return PLD_OK;
        }
        if (i == 0 || !elsewhere) {
            first = attempt;
        }
        if (!elsewhere) {
            break;
        }
    }
    if (error) {
        *error = first;
    }
    return first.status;
}

pld_status pld_weight_files_open(const char *folder, const char *stem, pld_weight_files **files,
                                 pld_error *error) {
    *files = NULL;
    pld_weight_candidates candidates = {0};
    pld_status status = pld_weight_candidates_find(folder, stem, &candidates, error);
    if (status == PLD_OK) {
        status = open_first(folder, &candidates, files, error);
    }
    pld_weight_candidates_free(&candidates);
    return status;
}

pld_status pld_weight_files_open_file(const char *path, pld_weight_files **files, pld_error *error) {
    *files = NULL;
    bool elsewhere = false;
    pld_weight_candidate candidate = {.name = (char *)path, .variant = (char *)""};
    return open_candidate(NULL, &candidate, files, &elsewhere, error);
}

pld_status pld_weight_files_create_random(const pld_random_weights *weights, pld_weight_files **files,
                                          pld_error *error) {
    *files = NULL;
    pld_weight_files *made = pld_allocate(1, sizeof *made);
    char *header = pld_allocate(weights->used + 1, 1);
    pld_status status = pld_fail_memory(error, weights->used, "random weights");
    if (made && header && (made->variant = pld_copy_string("")) &&
        (made->files = pld_allocate(1, sizeof(pld_tensor_file *)))) {
        memcpy(header, weights->header, weights->used);
        header[weights->used] = '}';
        status = pld_tensor_file_create_random(header, weights->used + 1, weights->bytes, made->files, error);
        made->file_count = status == PLD_OK;
    }
    if (status == PLD_OK) {
        status = list_weights(made, error);
    }
    pld_free(header);
    if (status != PLD_OK) {
        pld_weight_files_close(&made);
    }
    *files = made;
    return status;
}

void pld_weight_files_close(pld_weight_files **files) {
    pld_weight_files *closed = *files;
    *files = NULL;
    if (!closed) {
        return;
    }
    for (size_t i = 0; i < closed->file_count; i++) {
        pld_tensor_file_close(&closed->files[i]);
    }
    pld_free((void *)closed->files);
    pld_free(closed->weights);
    pld_free(closed->by_name);
    pld_free(closed->aliases);
    pld_free(closed->alias_names);
    pld_free(closed->variant);
    pld_free(closed);
}

size_t pld_weight_files_count(const pld_weight_files *files) {
    return files->count;
}

pld_weight pld_weight_files_at(const pld_weight_files *files, size_t index) {
    return files->weights[index];
}

bool pld_weight_files_find(const pld_weight_files *files, const char *name, pld_weight *weight) {
    pld_stored_tensor wanted = {.name = name};
    pld_weight key = {.tensor = &wanted};
    const pld_weight *found =
        bsearch(&key, files->by_name, files->count, sizeof *files->by_name, compare_weights);
    if (!found) {
        return false;
    }
    *weight = *found;
    return true;
}

uint64_t pld_weight_files_bytes(const pld_weight_files *files) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < files->count; i++) {
        bytes += files->weights[i].tensor->bytes;
    }
    return bytes;
}

uint64_t pld_weight_files_elements(const pld_weight_files *files) {
    uint64_t elements = 0;
    for (size_t i = 0; i < files->count; i++) {
        const pld_stored_tensor *tensor = files->weights[i].tensor;
        elements += pld_dtype_elements(tensor->dtype, tensor->bytes);
    }
    return elements;
}

size_t pld_weight_files_file_count(const pld_weight_files *files) {
    return files->file_count;
}

const pld_tensor_file *pld_weight_files_file(const pld_weight_files *files, size_t index) {
    return files->files[index];
}

const char *pld_weight_files_path(const pld_weight_files *files, size_t index) {
    return pld_tensor_file_path(files->files[index]);
}

const char *pld_weight_files_variant(const pld_weight_files *files) {
    return files->variant;
}

/** Elements of a transposed matrix, by way of all of it: such matrices are small (a text projection). */
static pld_status read_transposed(const pld_weight *weight, size_t first_byte, size_t bytes,
                                  unsigned char *destination, pld_error *error) {
    const pld_stored_tensor *tensor = weight->tensor;
    const size_t size = pld_dtype_size(tensor->dtype);
    const size_t rows = (size_t)tensor->shape[0];
    const size_t columns = (size_t)tensor->shape[1];
    unsigned char *stored = pld_allocate(tensor->bytes, 1);
    if (!stored) {
        return pld_fail_memory(error, tensor->bytes, tensor->name);
    }
    pld_status status = pld_tensor_file_read(weight->file, tensor, 0, tensor->bytes, stored, error);
    for (size_t done = 0; status == PLD_OK && done < bytes; done += size) {
        const size_t element = (first_byte + done) / size;
        const size_t source = element % columns * rows + element / columns;
        memcpy(destination + done, stored + source * size, size);
    }
    pld_free(stored);
    return status;
}

/** Rows from the middle on, then those in front of it. */
static pld_status read_turned(const pld_weight *weight, size_t first_byte, size_t bytes,
                              unsigned char *destination, pld_error *error) {
    const size_t turned = (size_t)weight->turned, rest = weight->tensor->bytes - turned;
    if (first_byte < rest) {
        const size_t part = bytes < rest - first_byte ? bytes : rest - first_byte;
        PLD_TRY(pld_tensor_file_read(weight->file, weight->tensor, turned + first_byte, part, destination,
                                     error));
        first_byte += part;
        destination += part;
        bytes -= part;
    }
    return bytes == 0 ? PLD_OK
                      : pld_tensor_file_read(weight->file, weight->tensor, first_byte - rest, bytes,
                                             destination, error);
}

size_t pld_weight_bytes(const pld_weight *weight) {
    return weight->tensor->bytes / (size_t)(weight->steps ? weight->steps : 1);
}

size_t pld_weight_elements(const pld_weight *weight) {
    return pld_dtype_elements(weight->tensor->dtype, weight->tensor->bytes) /
           (size_t)(weight->steps ? weight->steps : 1);
}

/** Bytes of a step of one row and column: [N, C, steps, these]. */
static size_t step_bytes(const pld_stored_tensor *tensor) {
    size_t bytes = pld_dtype_size(tensor->dtype);
    for (int i = 3; i < tensor->rank; i++) {
        bytes *= (size_t)tensor->shape[i];
    }
    return bytes;
}

/** Of every row and column the last step: as many of them at a time as a small block holds. */
static pld_status read_last_steps(const pld_weight *weight, size_t first_byte, size_t bytes,
                                  unsigned char *to, pld_error *error) {
    enum { BLOCK = 1 << 14 };
    unsigned char block[BLOCK];
    const size_t step = step_bytes(weight->tensor), all = step * (size_t)weight->steps, last = all - step;
    while (bytes > 0) {
        const size_t row = first_byte / step, within = first_byte % step;
        size_t part = step - within < bytes ? step - within : bytes;
        if (within > 0 || part < step || all > BLOCK) {
            PLD_TRY(pld_tensor_file_read(weight->file, weight->tensor, row * all + last + within, part, to,
                                         error));
        } else {
            const size_t most = BLOCK / all, rows = bytes / step < most ? bytes / step : most;
            PLD_TRY(pld_tensor_file_read(weight->file, weight->tensor, row * all, rows * all, block, error));
            for (size_t i = 0; i < rows; i++) {
                memcpy(to + i * step, block + i * all + last, step);
            }
            part = rows * step;
        }
        first_byte += part;
        to += part;
        bytes -= part;
    }
    return PLD_OK;
}

pld_status pld_weight_read(const pld_weight *weight, size_t first_byte, size_t bytes, void *destination,
                           pld_error *error) {
    const pld_stored_tensor *tensor = weight->tensor;
    if (!weight->transposed && !weight->steps && !weight->turned) {
        return pld_tensor_file_read(weight->file, tensor, first_byte, bytes, destination, error);
    }
    const size_t size = pld_dtype_size(tensor->dtype), most = pld_weight_bytes(weight);
    if (weight->transposed && pld_dtype_is_quantised(tensor->dtype)) {
        return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                        "%s: tensor '%s': blocks of a row cannot be read by columns",
                        pld_tensor_file_path(weight->file), tensor->name);
    }
    if (first_byte > most || bytes > most - first_byte || first_byte % size || bytes % size) {
        return pld_fail(error, PLD_ERROR_ARGUMENT, "%s: tensor '%s': %zu bytes from byte %zu of %zu",
                        pld_tensor_file_path(weight->file), tensor->name, bytes, first_byte, most);
    }
    return weight->steps    ? read_last_steps(weight, first_byte, bytes, destination, error)
           : weight->turned ? read_turned(weight, first_byte, bytes, destination, error)
                            : read_transposed(weight, first_byte, bytes, destination, error);
}
