/* SPDX-License-Identifier: Apache-2.0 */
/** The weights of one component, bound by name: found, checked against the wanted shape, converted and packed
 * once.
 *
 *  Binding happens when a network is first built; what was bound is remembered, so that left-over tensors can
 * be named. Converted and packed data is made on first use and kept, guarded by a mutex: sessions of several
 * threads share it. Plans hold what they use; where memory is short the rest can be dropped, and is made
 * again when it is asked for.
 */
#ifndef PLD_NN_PARAMETERS_H
#define PLD_NN_PARAMETERS_H

#include "io/tensors/weight_files.h"
#include "nn/weight_backend.h"
#include "nn/weight_change.h"
#include "nn/weight_values.h"

typedef struct pld_parameters pld_parameters;

/** One bound tensor; owned by its pld_parameters. */
typedef struct pld_parameter pld_parameter;

/** Parameters over the opened files of one component; they take `files` over, on failure too. `backend` converts stored
 * types and computes changes. */
pld_status pld_parameters_create(pld_weight_files *files, const pld_weight_backend *backend,
                                 pld_parameters **parameters, pld_error *error);

/** Parameters without files, which note what a network asks for, until pld_parameters_settle_random makes
 * random weights (io/tensors/random_weights.h) of all that was bound. For measuring networks whose weights are not at
 * hand. */
pld_status pld_parameters_create_random(const pld_weight_backend *backend, pld_parameters **parameters,
                                        pld_error *error);
pld_status pld_parameters_settle_random(pld_parameters *parameters, pld_error *error);

void pld_parameters_destroy(pld_parameters **parameters);

const pld_weight_files *pld_parameters_files(const pld_parameters *parameters);

/** Bytes of converted and packed weights held at present. */
size_t pld_parameters_resident_bytes(pld_parameters *parameters);

/** True when a tensor of this name is in the files; false without parameters (NULL) and before random ones
 * are settled. */
bool pld_parameters_has(const pld_parameters *parameters, const char *name);

/** Bind `name` with the wanted shape. A linear weight [N, C] also accepts [N, C, 1, 1] and the other way
 * round, since 1×1 convolutions are stored both ways. PLD_ERROR_MISSING and PLD_ERROR_FORMAT name file and
 * tensor. */
pld_status pld_parameters_bind(pld_parameters *parameters, const char *name, int rank, const int64_t *shape,
                               pld_parameter **parameter, pld_error *error);

/** The same for the kernel of a causal convolution over `steps` frames, stored as [N, C, steps, kernel, kernel], of
 * which the last step is wanted, as one frame meets zeros before it: `shape` [N, C, kernel, kernel]. Nothing of the
 * other steps is kept. */
pld_status pld_parameters_bind_last_step(pld_parameters *parameters, const char *name, const int64_t shape[4],
                                         int64_t steps, pld_parameter **parameter, pld_error *error);

/** Mark a tensor as known and not needed (`position_ids`). */
void pld_parameters_ignore(pld_parameters *parameters, const char *name);

/** PLD_ERROR_FORMAT naming the first tensor of the files that was neither bound nor ignored, and their
 * number. */
pld_status pld_parameters_check_all_used(pld_parameters *parameters, pld_error *error);

/** The values as dense float32. They stay at least until pld_parameter_release. */
pld_status pld_parameter_values(pld_parameter *parameter, const float **values, pld_error *error);

/** Elements [first, first + count) as float32 into `out`: for tables of which a few rows are needed. */
pld_status pld_parameter_read(pld_parameter *parameter, size_t first, size_t count, float *out,
                              pld_error *error);

/** Whether pld_parameter_read gives rows of it as fast as its file does: it is in one, in this order, and unchanged. */
bool pld_parameter_is_streamable(const pld_parameter *parameter);

/** A form of a weight that is made once and shared, or of two weights of one shape that are computed together. */
typedef struct pld_packing {
    const void *layout;     /**< bytes that tell this form from others, compared as they are */
    size_t layout_size;     /**< > 0 */
    size_t bytes;           /**< of the packed weight */
    pld_parameter *partner; /**< the second weight; NULL: there is none */
    /** Read the dense values and write them as `packed`, 64-byte aligned. `partner`: NULL where there is none. */
    pld_status (*pack)(const void *context, const pld_weight_reader *reader, const pld_weight_reader *partner,
                       void *packed, pld_error *error);
    const void *context;
    size_t
        context_size; /**< bytes of the context, which names nothing that dies before the plan: it may be copied */
    size_t room;      /**< bytes of memory that `pack` takes beside the packed weight, while it works */
} pld_packing;

/** A packed weight that is held. */
typedef struct pld_packed {
    const void *data;
    pld_parameter *holder; /**< to which pld_parameter_release gives it back */
} pld_packed;

/** The weight in the form of `packing`. It stays at least until pld_parameter_release. */
pld_status pld_parameter_packed(pld_parameter *parameter, const pld_packing *packing, pld_packed *packed,
                                pld_error *error);

/** Whether that form is there already, so that holding it takes no memory. */
bool pld_parameter_holds(pld_parameter *parameter, const pld_packing *packing);

/** Make the form anew into `data`, 64-byte aligned, which is nobody's but the caller's. PLD_ERROR_IO where a file is no longer
 * as it was opened, too. May be called from several threads. */
pld_status pld_parameter_make(const pld_parameter *parameter, const pld_packing *packing, void *data,
                              pld_error *error);

/** Bytes of memory that making it takes beside `data`: those of `packing`, and all values of what is changed. */
size_t pld_parameter_making_room(const pld_parameter *parameter, const pld_packing *packing);

/** Tell the system that the form will be made soon. */
void pld_parameter_expect(const pld_parameter *parameter, const pld_packing *packing);

/** Give back what pld_parameter_values gave, or the data of a pld_packed to its holder (NULL: nothing). It is kept for
 * whoever asks next, until pld_parameters_drop_unused. */
void pld_parameter_release(pld_parameter *parameter, const void *data);

/** Free the converted and packed weights that nobody holds, those of the base too; how many bytes that were.
 */
size_t pld_parameters_drop_unused(pld_parameters *parameters);

/** The smallest type that holds every value: the stored one, or float32 where the weight is scaled or changed. */
pld_dtype pld_parameter_dtype(const pld_parameter *parameter);

/** The type in which rows of a weight are kept: as it is stored; of a changed one whose type is 8 bits or fewer Q8_0, which is
 * finer than what it was, and of other changed ones float32. */
pld_dtype pld_parameter_kept_dtype(const pld_parameter *parameter);

bool pld_parameter_is_changed(const pld_parameter *parameter);

/** By what its stored values are multiplied, 1 where they are as they are. */
float pld_parameter_scale(const pld_parameter *parameter);

/** The weights of `base` with changes: nothing is copied, and what stays unchanged is read and packed in
 * `base` and shared with it. Everything must have been bound in `base`, which must outlive the result. */
pld_status pld_parameters_derive(pld_parameters *base, pld_parameters **parameters, pld_error *error);

/** Tensors of the files, and the name under which a network bound one; NULL: none did. `index` < count. */
size_t pld_parameters_count(const pld_parameters *parameters);
const char *pld_parameters_name(const pld_parameters *parameters, size_t index);

/** Add a change to a tensor of derived parameters, before any network is bound to them. The names are the
 * base's. The change's file must outlive the parameters. PLD_ERROR_FORMAT when it does not fit the tensor. */
pld_status pld_parameters_change(pld_parameters *parameters, size_t index, const pld_weight_change *change,
                                 pld_error *error);

/** The file that the weights come from, for messages; "network" where there is none, as with random ones. NULL: none. */
const char *pld_parameters_path(const pld_parameters *parameters);

#endif
