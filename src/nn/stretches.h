/* SPDX-License-Identifier: Apache-2.0 */
/** The packed weights of a plan in the order in which its operators want them, each a *stretch* that is resident or streamed.
 *
 *  A resident stretch is held while the plan lives. A streamed one is made anew, from its file, for every run: a read-ahead
 * (nn/read_ahead.h) makes it while the operators before it compute, into memory that all streamed stretches use in turn. What
 * is made is the same packed weight either way, and so are the bytes of every result.
 */
#ifndef PLD_NN_STRETCHES_H
#define PLD_NN_STRETCHES_H

#include "nn/parameters.h"

typedef struct pld_stretch {
    size_t op; /**< index of the operator */
    pld_parameter *parameter;
    pld_packing packing; /**< with a layout and a context of its own */
    pld_packed *place;   /**< where the operator looks for it */
    bool streamed;       /**< else resident, once they are settled */
    size_t offset;       /**< in the memory of the read-ahead, while it is there */
} pld_stretch;

typedef struct pld_stretches {
    pld_stretch *items; /**< [count], by operator */
    size_t count, capacity;
    size_t *streamed; /**< [streamed_count]: indices of those, once they are settled */
    size_t streamed_count;
    size_t ahead; /**< bytes of memory that the read-ahead wants for them; 0: nothing is streamed */
    size_t least; /**< bytes without which it cannot work: the largest streamed stretch */
} pld_stretches;

/** Bytes that the weights of a plan take, and that of them which is there already. */
typedef struct pld_stretches_need {
    uint64_t all;     /**< were every stretch resident: of those that nobody holds yet */
    uint64_t largest; /**< of one stretch */
    uint64_t making;  /**< of memory while one is made: pld_parameter_making_room */
} pld_stretches_need;

/** What was settled, in bytes. */
typedef struct pld_stretches_share {
    uint64_t resident; /**< those held already included */
    uint64_t streamed; /**< made anew for every run */
} pld_stretches_share;

/** Note that operator `op` wants a packed weight at `place`; operators in their order. The packing is copied. */
pld_status pld_stretches_add(pld_stretches *stretches, size_t op, pld_parameter *parameter,
                             const pld_packing *packing, pld_packed *place, pld_error *error);

pld_stretches_need pld_stretches_need_of(const pld_stretches *stretches);

/** Choose which stretches are resident, so that what they and the read-ahead take beyond what is held stays within `room` bytes,
 * then make those and put them in their places. `all_streamed`: keep none where not all fit. Where even the largest
 * does not fit beside what making it takes the room is overstepped: that is for the caller to refuse. */
pld_status pld_stretches_settle(pld_stretches *stretches, uint64_t room, bool all_streamed, pld_error *error);

pld_stretches_share pld_stretches_share_of(const pld_stretches *stretches);

/** Where a weight of `bytes` begins that lies behind another: whole cache lines. */
size_t pld_stretch_bytes(const pld_stretch *stretch);

/** Choose as pld_stretches_settle does of stretches of `bytes` [count], 0 what takes none: whether each is streamed, and the
 * bytes for the read-ahead, 0 where nothing is. Resident ones stand evenly among the others by bytes, so that what is read
 * while a part of the operators computes is the same all the way. */
size_t pld_stretches_choose(const size_t *bytes, size_t count, uint64_t room, bool all_streamed,
                            bool *streamed);

void pld_stretches_free(pld_stretches *stretches);

#endif
