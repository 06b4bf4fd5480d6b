/* SPDX-License-Identifier: Apache-2.0 */
/** What memory the plans of a session may take: all weights resident where they fit, else some of them streamed
 * (nn/stretches.h).
 *
 *  Two things bound it: what the system has left, and the budget that the engine was given. Against the budget counts what the
 * process really has in memory at the time (VmRSS), so nothing is forgotten, and what is about to be taken: buffers of plans are
 * written once when they are allocated, so that they are counted from then on. */
#include "core/memory.h"
#include "kernels/panels.h"
#include "nn/read_ahead.h"
#include "pipeline/session/session.h"

/** By how much what nobody plans may grow: a part of the budget. */
static uint64_t growth_of(const pld_session *session) {
    enum { MOST = 96 << 20, PART = 32 };
    const uint64_t budget = session->model->engine->max_memory, part = budget / PART;
    return budget && part < MOST ? part : MOST;
}

/** What is left alone for what nobody plans (stacks, pieces of files, texts, what the heap keeps of it) and for the pictures
 * that a generation hands over. */
static uint64_t reserve_of(const pld_session *session) {
    enum { LEAST = 4 << 20 };
    return LEAST + growth_of(session) + session->picture_bytes;
}

static double gibibytes(uint64_t bytes) {
    return (double)bytes / 1073741824.0;
}

/* ---- estimates, before a plan's ways are chosen ---- */

/** Bytes of a tensor, packed: of matrices a byte a number where those are 8-bit integers; rows that are kept as they are; of other tensors `wide` bytes for each number, or, where that is
 * 0, two of 8-bit floats, four of blocks, and as many as are stored, at most four, of what is no smaller. */
static uint64_t packed_bytes(const pld_stored_tensor *tensor, size_t wide, bool int8) {
    const bool blocks = pld_panels_scaled(tensor->dtype);
    const uint64_t elements = pld_dtype_elements(tensor->dtype, tensor->bytes);
    const uint64_t most = elements * sizeof(float);
    if (int8 && tensor->rank == 2) {
        return elements + elements / (PLD_INT8_DEPTH / 8); /* a scale and a sum with each piece */
    }
    if (tensor->rank == 2 && pld_panels_keep(tensor->dtype, tensor->shape[1]) && (blocks || !wide)) {
        return tensor->bytes;
    }
    if (wide) {
        return elements * wide;
    }
    return pld_dtype_is_f8(tensor->dtype)   ? elements * sizeof(uint16_t)
           : blocks || tensor->bytes > most ? most
                                            : tensor->bytes;
}

/** Bytes that the weights of a component will still take, packed: as in the files, or two bytes each with bfloat16 products
 * (the few that stay float32 are a percent), four if they are split. */
static uint64_t weights_to_come(pld_parameters *parameters, const pld_product_settings *settings) {
    if (settings->streamed && !settings->split) {
        return 0;
    }
    const pld_weight_files *files = pld_parameters_files(parameters);
    const size_t wide = settings->bf16 ? sizeof(uint16_t) : settings->split ? sizeof(float) : 0;
    uint64_t all = 0;
    for (size_t i = 0; i < pld_weight_files_count(files); i++) {
        all += packed_bytes(pld_weight_files_at(files, i).tensor, wide, settings->int8);
    }
    uint64_t held = pld_parameters_resident_bytes(parameters);
    return all > held ? all - held : 0;
}

/** What a plan will take, in bytes. */
typedef struct memory_need {
    uint64_t weights, buffers;
} memory_need;

static bool fits(memory_need need, uint64_t available) {
    return available == 0 || need.weights + need.buffers <= available;
}

static void make_room(pld_session *session, const pld_parameters *kept, const char *what) {
    const size_t bytes = pld_session_make_room(session, kept);
    pld_log_message(&session->model->engine->log, PLD_LOG_DETAIL,
                    "%s: freed %.2f GiB of other weights to save memory", what, gibibytes(bytes));
}

/* ---- plans that may stream ---- */

/** Bytes that this process may still take. */
static uint64_t bytes_left(const pld_session *session) {
    const uint64_t most = session->model->engine->max_memory, available = pld_available_memory();
    /* A little is left to the system, whose files are read through its memory. */
    uint64_t left = available ? available - available / 16 : UINT64_MAX;
    if (most) {
        const uint64_t used = pld_used_memory();
        const uint64_t own = most > used ? most - used : 0;
        left = own < left ? own : left;
    }
    return left;
}

/** Plans that are settled together: those of the denoiser, or one. */
typedef struct plan_group {
    pld_plan *plans[PLD_BRANCHES_ALL + 1];
    size_t count;
    bool in_turn; /* each lends its buffers to the others */
    const char *what;
} plan_group;

/** What a group will take, in bytes. */
typedef struct group_need {
    uint64_t buffers; /* beyond those that are there */
    pld_stretches_need weights;
} group_need;

static group_need need_of(const pld_session *session, const plan_group *group) {
    group_need need = {0};
    for (size_t i = 0; i < group->count; i++) {
        const pld_plan *plan = group->plans[i];
        const pld_stretches_need weights = pld_plan_weights_need(plan);
        const uint64_t bytes = plan->executable->awake ? 0 : pld_plan_memory_bytes(plan);
        need.buffers = group->in_turn ? (bytes > need.buffers ? bytes : need.buffers) : need.buffers + bytes;
        need.weights.all = weights.all > need.weights.all ? weights.all : need.weights.all;
        need.weights.largest =
            weights.largest > need.weights.largest ? weights.largest : need.weights.largest;
        need.weights.making = weights.making > need.weights.making ? weights.making : need.weights.making;
    }
    const pld_executable *first = group->plans[0]->executable;
    const uint64_t spare = first && first->spare ? session->spare.bytes : 0;
    need.buffers = need.buffers > spare ? need.buffers - spare : 0;
    return need;
}

/** Bytes for which there must be room whatever is streamed. */
static uint64_t fixed_bytes(const pld_session *session, const group_need *need) {
    return need->buffers + need->weights.making + reserve_of(session);
}

static pld_status refuse(const pld_session *session, const plan_group *group, const group_need *need,
                         uint64_t left, pld_error *error) {
    enum { MIB = 1 << 20 };
    const uint64_t most = session->model->engine->max_memory, used = pld_used_memory();
    const bool by_budget = most && (most <= used || most - used <= left); /* else the system has less */
    const uint64_t fixed = fixed_bytes(session, need) - need->buffers + (by_budget ? used : 0);
    const uint64_t all = fixed + need->buffers + need->weights.largest;
    const uint64_t there = by_budget ? most : left;
    return pld_fail(
        error, PLD_ERROR_MEMORY,
        "%s needs at least %llu MiB of memory, even with its weights read from the file as they are "
        "used (%llu for buffers, %llu for the largest weight, %llu for what is always there), but "
        "%llu MiB are %s; use a smaller picture%s",
        group->what, (unsigned long long)(all / MIB + 1), (unsigned long long)(need->buffers / MIB + 1),
        (unsigned long long)(need->weights.largest / MIB + 1), (unsigned long long)(fixed / MIB + 1),
        (unsigned long long)(there / MIB), by_budget ? "allowed" : "available",
        by_budget ? " or a larger --max-memory" : " or free memory");
}

/** Say what is resident and what is streamed: where nobody has asked for it a person should know why it takes longer. */
static void tell(pld_session *session, const plan_group *group) {
    const pld_engine *engine = session->model->engine;
    const pld_stretches_share share = pld_plan_weights_share(group->plans[0]);
    if (share.streamed == 0) {
        return;
    }
    pld_log_message(
        &engine->log, engine->max_memory ? PLD_LOG_DETAIL : PLD_LOG_NOTICE,
        "%s: %.2f GiB of its packed weights stay in memory, %.2f GiB are read from the file each time "
        "they are used, as %s",
        group->what, gibibytes(share.resident), gibibytes(share.streamed),
        engine->max_memory ? "--max-memory wants it" : "memory is short");
}

/** Give plans whose ways are chosen their buffers and weights. Buffers come first: what they leave is the weights'. */
static pld_status settle(pld_session *session, const plan_group *group, bool all_streamed, pld_error *error) {
    for (size_t i = 0; i < group->count; i++) {
        for (size_t j = 0; group->in_turn && j < group->count; j++) {
            if (j != i) {
                pld_plan_rest(group->plans[j]);
            }
        }
        PLD_TRY(pld_plan_wake(group->plans[i], error));
    }
    for (size_t i = 0; i < group->count; i++) {
        const uint64_t left = bytes_left(session), reserve = reserve_of(session);
        /* The first takes what there is; others share what it holds, and its memory for what they stream. */
        const bool shares = i > 0 && pld_plan_weights_share(group->plans[0]).streamed > 0;
        const uint64_t given = shares           ? (uint64_t)pld_read_ahead_bytes(session->read_ahead)
                               : left > reserve ? left - reserve
                                                : 0;
        const uint64_t most = session->most_room;
        const uint64_t room = most && most < given ? most : given;
        PLD_TRY(pld_plan_settle(group->plans[i], room, all_streamed || i > 0, error));
    }
    tell(session, group);
    return PLD_OK;
}

static pld_status settle_within(pld_session *session, const plan_group *group, pld_error *error) {
    const pld_parameters *parameters = group->plans[0]->parameters;
    group_need need = need_of(session, group);
    uint64_t left = bytes_left(session);
    if (fixed_bytes(session, &need) + need.weights.all > left) {
        make_room(session, parameters, group->what);
        need = need_of(session, group);
        left = bytes_left(session);
    }
    if (fixed_bytes(session, &need) + need.weights.largest > left) {
        return refuse(session, group, &need, left, error);
    }
    /* What a prompt needs once is not worth the memory of what every evaluation needs. */
    const bool is_context = group->plans[0]->offer_count > 0;
    return settle(session, group, is_context, error);
}

/** The read-ahead of the session, which is made when it is first wanted. */
static pld_status need_read_ahead(pld_session *session, pld_error *error) {
    return session->read_ahead
               ? PLD_OK
               : pld_read_ahead_create(&session->model->engine->device->weights, &session->read_ahead, error);
}

pld_status pld_choose_within_memory(pld_session *session, pld_run *run, const char *what, bool *chosen,
                                    pld_error *error) {
    pld_parameters *parameters = run->plan->parameters;
    PLD_TRY(pld_plan_layout(run->plan, error));
    const memory_need need = {weights_to_come(parameters, &run->settings),
                              run->plan->memory_floats * sizeof(float)};
    const bool budget = session->model->engine->max_memory > 0 || session->most_room > 0;
    if (run->settings.low_memory || (!budget && !fits(need, pld_available_memory()))) {
        make_room(session, parameters, what);
    }
    *chosen = budget || !fits(need, pld_available_memory());
    if (!*chosen) {
        return pld_plan_prepare(run, error);
    }
    PLD_TRY(need_read_ahead(session, error));
    run->read_ahead = session->read_ahead;
    return pld_plan_choose(run, error);
}

pld_status pld_prepare_within_memory(pld_session *session, pld_run *run, const char *what, pld_error *error) {
    bool chosen = false;
    PLD_TRY(pld_choose_within_memory(session, run, what, &chosen, error));
    const plan_group group = {.plans = {run->plan}, .count = 1, .what = what};
    return chosen ? settle_within(session, &group, error) : PLD_OK;
}

pld_status pld_session_settle_denoisers(pld_session *session, pld_error *error) {
    const pld_component *part = pld_denoiser_of(session->model);
    plan_group group = {.what = part->class->title,
                        .in_turn = session->model->denoiser_facts.text_joins_sample};
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        pld_denoiser_plan *denoiser = &session->denoisers[set];
        if (denoiser->unsettled) {
            group.plans[group.count++] = &denoiser->plan;
        }
    }
    PLD_TRY(group.count > 0 ? settle_within(session, &group, error) : PLD_OK);
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        session->denoisers[set].ready = session->denoisers[set].ready || session->denoisers[set].unsettled;
        session->denoisers[set].unsettled = false;
    }
    return PLD_OK;
}

static uint64_t held_by(const pld_plan *plan) {
    return plan->executable && plan->executable->awake ? plan->executable->held_bytes : 0;
}

/** Buffers of all plans, which rest or are dropped for one that needs the memory. */
static uint64_t held_bytes(const pld_session *session) {
    uint64_t bytes = held_by(&session->decoder.plan) + held_by(&session->conditioner.plan);
    for (int i = 0; i < PLD_MAX_TEXT_ENCODERS; i++) {
        bytes += held_by(&session->text[i].plan);
    }
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        bytes += held_by(&session->denoisers[set].plan);
    }
    return bytes;
}

/** Refuse what a plan that is never run would need too much memory for. */
static pld_status check_plan(pld_session *session, pld_plan *plan, const char *what,
                             const volatile int *cancel, pld_error *error) {
    pld_run run = pld_session_run(session, plan, cancel);
    PLD_TRY(pld_plan_layout(plan, error));
    PLD_TRY(need_read_ahead(session, error));
    run.read_ahead = session->read_ahead;
    PLD_TRY(pld_plan_choose(&run, error));
    const plan_group group = {.plans = {plan}, .count = 1, .what = what};
    group_need need = need_of(session, &group);
    uint64_t left = bytes_left(session); /* and what would be dropped for it */
    for (int part = 0; part < session->model->part_count; part++) {
        pld_parameters *parameters = session->model->parts[part].parameters;
        left += parameters ? pld_parameters_resident_bytes(parameters) : 0;
    }
    left += held_bytes(session) + session->spare.bytes + pld_read_ahead_bytes(session->read_ahead);
    /* What is always there grows a little until then. A refusal must come now, and not behind an hour of work. */
    need.buffers += growth_of(session);
    return fixed_bytes(session, &need) + need.weights.largest > left
               ? refuse(session, &group, &need, left, error)
               : PLD_OK;
}

static pld_status check_denoiser(pld_session *session, int64_t height, int64_t width,
                                 const volatile int *cancel, pld_error *error) {
    const pld_component *part = pld_denoiser_of(session->model);
    const int64_t multiple = session->model->denoiser_facts.text_multiple;
    const pld_denoiser_shape shape = {1, height, width, NULL, multiple ? multiple : 1};
    pld_denoiser_values values;
    pld_plan plan;
    pld_plan_init(&plan, part->parameters);
    pld_status status = part->class->denoiser->build(&plan, part->config, &shape, &values, error);
    status = status == PLD_OK ? check_plan(session, &plan, part->class->title, cancel, error) : status;
    pld_plan_free(&plan);
    return status;
}

static pld_status check_decoder(pld_session *session, int64_t height, int64_t width,
                                const volatile int *cancel, pld_error *error) {
    const pld_component *part = pld_autoencoder_of(session->model);
    pld_autoencoder_values values;
    pld_plan plan;
    pld_plan_init(&plan, part->parameters);
    pld_status status =
        part->class->autoencoder->decoder(&plan, part->config, 1, height, width, &values, error);
    status = status == PLD_OK ? check_plan(session, &plan, "the autoencoder", cancel, error) : status;
    pld_plan_free(&plan);
    return status;
}

pld_status pld_session_check_memory(pld_session *session, int64_t height, int64_t width,
                                    const volatile int *cancel, pld_error *error) {
    if (!session->model->engine->max_memory ||
        (session->checked_height == height && session->checked_width == width)) {
        return PLD_OK;
    }
    PLD_TRY(check_denoiser(session, height, width, cancel, error));
    PLD_TRY(check_decoder(session, height, width, cancel, error));
    session->checked_height = height;
    session->checked_width = width;
    return PLD_OK;
}

pld_stretches_share pld_session_denoiser_share(const pld_session *session) {
    pld_stretches_share most = {0};
    for (pld_branch_set set = 1; set <= PLD_BRANCHES_ALL; set++) {
        const pld_denoiser_plan *denoiser = &session->denoisers[set];
        const pld_stretches_share share =
            denoiser->ready ? pld_plan_weights_share(&denoiser->plan) : (pld_stretches_share){0};
        most =
            share.streamed + share.resident > most.streamed + most.resident || share.streamed > most.streamed
                ? share
                : most;
    }
    return most;
}

double pld_session_waited(const pld_session *session) {
    return session->read_ahead ? pld_read_ahead_waited(session->read_ahead) : 0;
}
