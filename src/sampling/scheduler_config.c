/* SPDX-License-Identifier: Apache-2.0 */
/* One table describes every field: its type, its place in the struct, and what a file may say. */
#include "sampling/scheduler_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { MAX_LIST = PLD_MAX_TRAIN_TIMESTEPS };

typedef enum field_type {
    FIELD_INTEGER, /* int64_t in [min, max] */
    FIELD_NUMBER,  /* double in [min, max], "inf" and "-inf" included where the range has them */
    FIELD_FLAG,    /* bool */
    FIELD_WORD,    /* an enum, by the words it may be */
    FIELD_PRESENT, /* bool: anything but null stands there */
    FIELD_INTEGERS,
    FIELD_NUMBERS
} field_type;

/** A word of a file and the enum value that it stands for. */
typedef struct word {
    const char *text;
    int value;
} word;

typedef struct field_row {
    const char *name;
    field_type type;
    size_t offset; /* in pld_scheduler_config */
    size_t size;
    double min, max;
    const word *words; /* text NULL at the end */
    bool nullable;     /* null means the same as absence to the classes that have the field */
} field_row;

static const word beta_schedules[] = {{"linear", PLD_BETAS_LINEAR},
                                      {"scaled_linear", PLD_BETAS_SCALED_LINEAR},
                                      {"squaredcos_cap_v2", PLD_BETAS_SQUARED_COSINE},
                                      {"exp", PLD_BETAS_EXP},
                                      {"laplace", PLD_BETAS_OTHER},
                                      {"sigmoid", PLD_BETAS_OTHER},
                                      {NULL, 0}};
static const word predictions[] = {{"epsilon", PLD_PREDICT_EPSILON},   {"v_prediction", PLD_PREDICT_V},
                                   {"sample", PLD_PREDICT_SAMPLE},     {"flow_prediction", PLD_PREDICT_FLOW},
                                   {"trigflow", PLD_PREDICT_TRIGFLOW}, {NULL, 0}};
static const word spacings[] = {{"leading", PLD_SPACING_LEADING},
                                {"trailing", PLD_SPACING_TRAILING},
                                {"linspace", PLD_SPACING_LINSPACE},
                                {NULL, 0}};
static const word timestep_types[] = {
    {"discrete", PLD_TIMESTEP_DISCRETE}, {"continuous", PLD_TIMESTEP_CONTINUOUS}, {NULL, 0}};
static const word interpolations[] = {
    {"linear", PLD_INTERPOLATE_LINEAR}, {"log_linear", PLD_INTERPOLATE_LOG_LINEAR}, {NULL, 0}};
static const word time_shifts[] = {
    {"exponential", PLD_TIME_SHIFT_EXPONENTIAL}, {"linear", PLD_TIME_SHIFT_LINEAR}, {NULL, 0}};
static const word final_sigmas[] = {{"zero", PLD_FINAL_ZERO}, {"sigma_min", PLD_FINAL_SIGMA_MIN}, {NULL, 0}};
static const word solver_types[] = {{"midpoint", PLD_SOLVER_MIDPOINT}, {"heun", PLD_SOLVER_HEUN},
                                    {"bh1", PLD_SOLVER_BH1},           {"bh2", PLD_SOLVER_BH2},
                                    {"logrho", PLD_SOLVER_LOGRHO},     {NULL, 0}};
static const word algorithms[] = {{"dpmsolver++", PLD_ALGORITHM_DPMSOLVER_PP},
                                  {"sde-dpmsolver++", PLD_ALGORITHM_SDE_DPMSOLVER_PP},
                                  {"dpmsolver", PLD_ALGORITHM_DPMSOLVER},
                                  {"sde-dpmsolver", PLD_ALGORITHM_SDE_DPMSOLVER},
                                  {"deis", PLD_ALGORITHM_DEIS},
                                  {NULL, 0}};
static const word variance_types[] = {{"learned", PLD_VARIANCE_LEARNED},
                                      {"learned_range", PLD_VARIANCE_LEARNED_RANGE},
                                      {"fixed_small", PLD_VARIANCE_FIXED},
                                      {"fixed_small_log", PLD_VARIANCE_FIXED},
                                      {"fixed_large", PLD_VARIANCE_FIXED},
                                      {"fixed_large_log", PLD_VARIANCE_FIXED},
                                      {NULL, 0}};

#define SMALLEST_SHIFT 1e-6
#define LARGEST_SHIFT  1e6

#define ROW(field, member, kind, low, high, list, null)                                                      \
    [PLD_FIELD_##field] = {.name = #member,                                                                  \
                           .type = kind,                                                                     \
                           .offset = offsetof(pld_scheduler_config, member),                                 \
                           .size = sizeof(((pld_scheduler_config *)0)->member),                              \
                           .min = low,                                                                       \
                           .max = high,                                                                      \
                           .words = list,                                                                    \
                           .nullable = null}
#define FLAG(field, member)          ROW(field, member, FIELD_FLAG, 0, 1, NULL, false)
#define WORD(field, member, list)    ROW(field, member, FIELD_WORD, 0, 0, list, false)
#define NUMBER(field, member, a, b)  ROW(field, member, FIELD_NUMBER, a, b, NULL, false)
#define INTEGER(field, member, a, b) ROW(field, member, FIELD_INTEGER, a, b, NULL, false)

static const field_row rows[PLD_FIELD_COUNT] = {
    INTEGER(NUM_TRAIN_TIMESTEPS, num_train_timesteps, 2, PLD_MAX_TRAIN_TIMESTEPS),
    NUMBER(BETA_START, beta_start, 0, 1),
    NUMBER(BETA_END, beta_end, 0, 1),
    WORD(BETA_SCHEDULE, beta_schedule, beta_schedules),
    ROW(TRAINED_BETAS, trained_betas, FIELD_NUMBERS, 0, 1, NULL, true),
    FLAG(RESCALE_BETAS_ZERO_SNR, rescale_betas_zero_snr),
    WORD(PREDICTION_TYPE, prediction_type, predictions),
    WORD(TIMESTEP_SPACING, timestep_spacing, spacings),
    INTEGER(STEPS_OFFSET, steps_offset, 0, PLD_MAX_TRAIN_TIMESTEPS),
    ROW(TIMESTEP_TYPE, timestep_type, FIELD_WORD, 0, 0, timestep_types, true),
    FLAG(SET_ALPHA_TO_ONE, set_alpha_to_one),
    FLAG(CLIP_SAMPLE, clip_sample),
    NUMBER(CLIP_SAMPLE_RANGE, clip_sample_range, 0, 1e30),
    FLAG(SKIP_PRK_STEPS, skip_prk_steps),
    FLAG(USE_KARRAS_SIGMAS, use_karras_sigmas),
    FLAG(USE_EXPONENTIAL_SIGMAS, use_exponential_sigmas),
    FLAG(USE_BETA_SIGMAS, use_beta_sigmas),
    ROW(SIGMA_MIN, sigma_min, FIELD_NUMBER, 0, 1e30, NULL, true),
    ROW(SIGMA_MAX, sigma_max, FIELD_NUMBER, 0, 1e30, NULL, true),
    WORD(INTERPOLATION_TYPE, interpolation_type, interpolations),
    WORD(FINAL_SIGMAS_TYPE, final_sigmas_type, final_sigmas),
    INTEGER(SOLVER_ORDER, solver_order, 1, 1000),
    WORD(SOLVER_TYPE, solver_type, solver_types),
    WORD(ALGORITHM_TYPE, algorithm_type, algorithms),
    FLAG(LOWER_ORDER_FINAL, lower_order_final),
    FLAG(EULER_AT_FINAL, euler_at_final),
    NUMBER(LAMBDA_MIN_CLIPPED, lambda_min_clipped, -INFINITY, INFINITY),
    ROW(VARIANCE_TYPE, variance_type, FIELD_WORD, 0, 0, variance_types, true),
    FLAG(PREDICT_X0, predict_x0),
    ROW(DISABLE_CORRECTOR, disable_corrector, FIELD_INTEGERS, -PLD_MAX_TRAIN_TIMESTEPS,
        PLD_MAX_TRAIN_TIMESTEPS, NULL, false),
    ROW(SOLVER_P, solver_p, FIELD_PRESENT, 0, 0, NULL, true),
    INTEGER(ORIGINAL_INFERENCE_STEPS, original_inference_steps, 1, PLD_MAX_TRAIN_TIMESTEPS),
    NUMBER(TIMESTEP_SCALING, timestep_scaling, -1e30, 1e30),
    FLAG(THRESHOLDING, thresholding),
    FLAG(USE_LU_LAMBDAS, use_lu_lambdas),
    FLAG(USE_FLOW_SIGMAS, use_flow_sigmas),
    FLAG(USE_DYNAMIC_SHIFTING, use_dynamic_shifting),
    ROW(SHIFT_TERMINAL, shift_terminal, FIELD_NUMBER, 0, 0.999, NULL, true),
    NUMBER(SHIFT, shift, SMALLEST_SHIFT, LARGEST_SHIFT),
    ROW(FLOW_SHIFT, flow_shift, FIELD_NUMBER, SMALLEST_SHIFT, LARGEST_SHIFT, NULL, true),
    WORD(TIME_SHIFT_TYPE, time_shift_type, time_shifts),
    ROW(BASE_SHIFT, base_shift, FIELD_NUMBER, -100, 100, NULL, true),
    ROW(MAX_SHIFT, max_shift, FIELD_NUMBER, -100, 100, NULL, true),
    ROW(BASE_IMAGE_SEQ_LEN, base_image_seq_len, FIELD_INTEGER, 1, 1000000000, NULL, true),
    ROW(MAX_IMAGE_SEQ_LEN, max_image_seq_len, FIELD_INTEGER, 1, 1000000000, NULL, true),
    FLAG(INVERT_SIGMAS, invert_sigmas),
    FLAG(STOCHASTIC_SAMPLING, stochastic_sampling),
    ROW(SCALE_FACTORS, scale_factors, FIELD_PRESENT, 0, 0, NULL, true),
    NUMBER(SIGMA_DATA, sigma_data, 1e-6, 1e6),
};

/* Fields that only modify one that is refused or ignored, so that their value never matters. */
static const char *const passed_over[] = {"dynamic_thresholding_ratio", "sample_max_value", "upscale_mode",
                                          "rho", NULL};

const char *pld_scheduler_field_name(pld_scheduler_field field) {
    return rows[field].name;
}

/** Where a field lies in `config`. Every member is at least as aligned as its type asks. */
static void *place(pld_scheduler_config *config, const field_row *row) {
    return (char *)config + row->offset;
}

/** PLD_ERROR_FORMAT for a number outside a row's range. */
static pld_status check_range(const pld_json *at, const field_row *row, double value, pld_error *error) {
    if (value >= row->min && value <= row->max) {
        return PLD_OK;
    }
    return pld_fail(error, PLD_ERROR_FORMAT, "%s: field '%s': %g lies outside %g…%g", at->file, row->name,
                    value, row->min, row->max);
}

static pld_status read_number(const pld_json *at, const field_row *row, double *value, pld_error *error) {
    double found = 0;
    if (isinf(row->max)) {
        PLD_TRY(pld_json_get_number_or_infinity(at, row->name, PLD_JSON_REQUIRED, &found, error));
    } else {
        PLD_TRY(pld_json_get_number(at, row->name, PLD_JSON_REQUIRED, &found, error));
    }
    PLD_TRY(check_range(at, row, found, error));
    *value = found;
    return PLD_OK;
}

/** One of a row's words; another word is PLD_ERROR_UNSUPPORTED, since it may be a newer scheduler's. */
static pld_status read_word(const pld_json *at, const field_row *row, void *value, pld_error *error) {
    const char *text = NULL;
    PLD_TRY(pld_json_get_string(at, row->name, PLD_JSON_REQUIRED, &text, error));
    char choices[256] = "";
    size_t used = 0;
    for (const word *w = row->words; w->text; w++) {
        if (strcmp(w->text, text) == 0) {
            memcpy(value, &w->value, sizeof w->value); /* every enum here is an int */
            return PLD_OK;
        }
        int written = snprintf(choices + used, sizeof choices - used, "%s%s", used ? ", " : "", w->text);
        used += used + (size_t)written < sizeof choices ? (size_t)written : 0;
    }
    return pld_fail(error, PLD_ERROR_UNSUPPORTED,
                    "%s: field '%s': unknown value '%.64s'; the known values are %s", at->file, row->name,
                    text, choices);
}

static pld_status read_list(const pld_json *at, const field_row *row, void *list, pld_error *error) {
    pld_json child;
    PLD_TRY(pld_json_array(at, row->name, PLD_JSON_REQUIRED, &child, error));
    size_t count = json_array_size(child.value);
    if (count == 0 && row->type == FIELD_NUMBERS) { /* of timesteps nobody disables, an empty list is fine */
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field '%s': expected numbers or null, found an empty list", at->file, row->name);
    }
    if (count > MAX_LIST) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field '%s': found a list of %zu values, expected at most %d", at->file,
                        row->name, count, (int)MAX_LIST);
    }
    void *values = pld_allocate(count, sizeof(double));
    if (!values) {
        return pld_fail_memory(error, count * sizeof(double), row->name);
    }
    pld_status status;
    if (row->type == FIELD_INTEGERS) {
        status = pld_json_get_integers(at, row->name, PLD_JSON_REQUIRED, (int64_t)row->min, (int64_t)row->max,
                                       count, values, &count, error);
        *(pld_integer_list *)list = (pld_integer_list){values, count};
    } else {
        status = pld_json_get_numbers(at, row->name, PLD_JSON_REQUIRED, count, values, &count, error);
        for (size_t i = 0; status == PLD_OK && i < count; i++) {
            status = check_range(at, row, ((const double *)values)[i], error);
        }
        *(pld_number_list *)list = (pld_number_list){values, count};
    }
    return status;
}

/** Read one field that is there. */
static pld_status read_field(const pld_json *at, const field_row *row, pld_scheduler_config *config,
                             pld_error *error) {
    void *value = place(config, row);
    switch (row->type) {
    case FIELD_INTEGER:
        return pld_json_get_integer(at, row->name, PLD_JSON_REQUIRED, (int64_t)row->min, (int64_t)row->max,
                                    value, error);
    case FIELD_NUMBER:
        return read_number(at, row, value, error);
    case FIELD_FLAG:
        return pld_json_get_flag(at, row->name, value, error);
    case FIELD_WORD:
        return read_word(at, row, value, error);
    case FIELD_PRESENT:
        *(bool *)value = true;
        return PLD_OK;
    case FIELD_INTEGERS:
    case FIELD_NUMBERS:
        break;
    }
    return read_list(at, row, value, error);
}

/** Tell `log` of fields that no scheduler here knows. */
static void report_unknown_fields(const json_t *document, const char *file, const pld_log *log) {
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)document, name, value) {
        bool known = name[0] == '_' || json_is_null(value);
        for (size_t i = 0; !known && i < PLD_FIELD_COUNT; i++) {
            known = strcmp(rows[i].name, name) == 0;
        }
        for (size_t i = 0; !known && passed_over[i]; i++) {
            known = strcmp(passed_over[i], name) == 0;
        }
        if (!known) {
            pld_log_message(log, PLD_LOG_NOTICE, "%s: unknown field '%.64s' is not used", file, name);
        }
    }
}

pld_status pld_scheduler_config_read(const json_t *document, const char *file, const pld_log *log,
                                     pld_scheduler_config *stated, pld_error *error) {
    *stated = (pld_scheduler_config){0};
    snprintf(stated->file, sizeof stated->file, "%s", file);
    pld_json top;
    PLD_TRY(pld_json_top(document, file, &top, error));
    const char *class_name = "";
    PLD_TRY(pld_json_get_string(&top, "_class_name", PLD_JSON_NULLABLE, &class_name, error));
    snprintf(stated->class_name, sizeof stated->class_name, "%s", class_name);
    for (size_t i = 0; i < PLD_FIELD_COUNT; i++) {
        if (!json_object_get(document, rows[i].name) ||
            (rows[i].nullable && pld_json_is_null(&top, rows[i].name))) {
            continue;
        }
        pld_status status = read_field(&top, &rows[i], stated, error);
        if (status != PLD_OK) {
            pld_scheduler_config_clear(stated);
            return status;
        }
        stated->stated |= UINT64_C(1) << i;
    }
    report_unknown_fields(document, file, log);
    return PLD_OK;
}

void pld_scheduler_config_clear(pld_scheduler_config *config) {
    pld_free(config->trained_betas.values);
    pld_free(config->disable_corrector.values);
    *config = (pld_scheduler_config){0};
}

const char *pld_scheduler_field_text(const pld_scheduler_config *config, pld_scheduler_field field,
                                     char *text, size_t size) {
    const field_row *row = &rows[field];
    const void *value = (const char *)config + row->offset;
    switch (row->type) {
    case FIELD_INTEGER:
        snprintf(text, size, "%" PRId64, *(const int64_t *)value);
        break;
    case FIELD_NUMBER:
        pld_print_text(text, size, "%g", *(const double *)value);
        break;
    case FIELD_FLAG:
    case FIELD_PRESENT:
        snprintf(text, size, "%s", *(const bool *)value ? row->type == FIELD_FLAG ? "true" : "set" : "false");
        break;
    case FIELD_WORD: {
        int number = 0;
        memcpy(&number, value, sizeof number);
        const word *w = row->words;
        while (w->text && w->value != number) {
            w++;
        }
        snprintf(text, size, "%s", w->text ? w->text : "none");
        break;
    }
    case FIELD_INTEGERS:
        snprintf(text, size, "a list of %zu", ((const pld_integer_list *)value)->count);
        break;
    case FIELD_NUMBERS:
        snprintf(text, size, "a list of %zu", ((const pld_number_list *)value)->count);
        break;
    }
    return text;
}

void pld_scheduler_config_apply(pld_scheduler_config *config, const pld_scheduler_config *stated,
                                uint64_t fields) {
    for (size_t i = 0; i < PLD_FIELD_COUNT; i++) {
        if (stated->stated & fields & UINT64_C(1) << i) {
            memcpy(place(config, &rows[i]), (const char *)stated + rows[i].offset, rows[i].size);
            config->stated |= UINT64_C(1) << i;
        }
    }
}
