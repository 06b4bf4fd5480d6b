/* SPDX-License-Identifier: Apache-2.0 */
#include "loras/module.h"

#include <math.h>

#include "loras/adapter.h"

#define BIT(factor) (1U << PLD_##factor)

/** The sets of factors that are complete; alpha and a bias go with any of them, a magnitude with those of a
 * rank or two sides. */
static const struct {
    pld_lora_kind kind;
    unsigned factors;
    pld_lora_factor of_rank; /* its first dimension is the rank; COUNT: it has none */
} complete[] = {
    {PLD_KIND_LORA, BIT(LORA_DOWN) | BIT(LORA_UP), PLD_LORA_DOWN},
    {PLD_KIND_LORA, BIT(LORA_DOWN) | BIT(LORA_UP) | BIT(LORA_MIDDLE), PLD_LORA_DOWN},
    {PLD_KIND_LOHA, BIT(LOHA_W1_A) | BIT(LOHA_W1_B) | BIT(LOHA_W2_A) | BIT(LOHA_W2_B), PLD_LOHA_W1_B},
    {PLD_KIND_LOHA,
     BIT(LOHA_W1_A) | BIT(LOHA_W1_B) | BIT(LOHA_W2_A) | BIT(LOHA_W2_B) | BIT(LOHA_T1) | BIT(LOHA_T2),
     PLD_LOHA_W1_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2), PLD_LORA_FACTOR_COUNT},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B) | BIT(LOKR_T2), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2), PLD_LOKR_W1_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B), PLD_LOKR_W2_B},
    {PLD_KIND_LOKR, BIT(LOKR_W1_A) | BIT(LOKR_W1_B) | BIT(LOKR_W2_A) | BIT(LOKR_W2_B) | BIT(LOKR_T2),
     PLD_LOKR_W2_B},
    {PLD_KIND_DIFFERENCE, BIT(LORA_DIFFERENCE), PLD_LORA_FACTOR_COUNT},
    {PLD_KIND_DIFFERENCE, 0, PLD_LORA_FACTOR_COUNT}, /* a bias alone */
};
static const unsigned magnitudes = BIT(LORA_MAGNITUDE) | BIT(LORA_OUTPUT_MAGNITUDE);
static const unsigned with_any =
    BIT(LORA_ALPHA) | BIT(LORA_MAGNITUDE) | BIT(LORA_OUTPUT_MAGNITUDE) | BIT(LORA_BIAS_DIFFERENCE);

static unsigned factors_of(const pld_lora_module *module) {
    unsigned found = 0;
    for (unsigned i = 0; i < PLD_LORA_FACTOR_COUNT; i++) {
        found |= module->factors[i] ? 1U << i : 0;
    }
    return found;
}

bool pld_lora_module_has_magnitude(const pld_lora_module *module) {
    return (factors_of(module) & magnitudes) != 0;
}

/** What the factors `found` lack to be the nearest complete set that they are a part of. */
static unsigned missing_factors(unsigned found) {
    unsigned missing = 0;
    unsigned fewest = 32;
    if (!(found & ~(BIT(LORA_ALPHA) | magnitudes))) {
        return BIT(LORA_DOWN) | BIT(LORA_UP);
    }
    for (size_t i = 0; i < sizeof complete / sizeof complete[0]; i++) {
        const unsigned lacking = complete[i].factors & ~found;
        const unsigned lacking_count = (unsigned)__builtin_popcount(lacking);
        const bool subset = !(found & ~with_any & ~complete[i].factors);
        if (subset && complete[i].factors & found && lacking && lacking_count < fewest) {
            missing = lacking;
            fewest = lacking_count;
        }
    }
    return missing;
}

static pld_status refuse_incomplete(const pld_tensor_file *file, const pld_lora_module *module,
                                    unsigned found, pld_error *error) {
    const unsigned missing = missing_factors(found);
    for (unsigned i = 0; i < PLD_LORA_FACTOR_COUNT; i++) {
        if (missing & 1U << i) {
            return pld_fail(error, PLD_ERROR_FORMAT,
                            "%s: module '%.*s' has no %s, but its other half is there, so the file is "
                            "damaged: download it again",
                            pld_tensor_file_path(file), module->name_length, module->name,
                            pld_lora_factor_name((pld_lora_factor)i));
        }
    }
    return pld_fail(error, PLD_ERROR_FORMAT,
                    "%s: module '%.*s' mixes factors of several kinds of change; expected LoRA, LoHa or LoKr",
                    pld_tensor_file_path(file), module->name_length, module->name);
}

static pld_status read_rank(const pld_tensor_file *file, pld_lora_module *module, pld_lora_factor of_rank,
                            pld_error *error) {
    const pld_stored_tensor *tensor = module->factors[of_rank];
    if (tensor->rank < 2) {
        char found[96];
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: tensor '%s': expected a matrix [rank, …], found shape %s",
                        pld_tensor_file_path(file), tensor->name,
                        pld_shape_text(tensor->shape, tensor->rank, found, sizeof found));
    }
    module->rank = tensor->shape[0];
    return PLD_OK;
}

/** A magnitude belongs to one change, and is stated once. */
static pld_status check_magnitudes(const pld_tensor_file *file, const pld_lora_module *module, unsigned found,
                                   pld_error *error) {
    if ((found & magnitudes) == 0 ||
        (module->kind != PLD_KIND_DIFFERENCE && (found & magnitudes) != magnitudes)) {
        return PLD_OK;
    }
    return pld_fail(
        error, PLD_ERROR_FORMAT,
        "%s: module '%.*s' has %s; expected one magnitude beside the factors of a LoRA, LoHa or LoKr",
        pld_tensor_file_path(file), module->name_length, module->name,
        module->kind == PLD_KIND_DIFFERENCE ? "a magnitude without a change of a weight" : "two magnitudes");
}

pld_status pld_lora_module_complete(const pld_tensor_file *file, pld_lora_module *module, pld_error *error) {
    const unsigned found = factors_of(module);
    const bool nothing = !(found & ~(BIT(LORA_ALPHA) | magnitudes));
    for (size_t i = 0; !nothing && i < sizeof complete / sizeof complete[0]; i++) {
        if (complete[i].factors == (found & ~with_any)) {
            module->kind = complete[i].kind;
            PLD_TRY(check_magnitudes(file, module, found, error));
            return complete[i].of_rank == PLD_LORA_FACTOR_COUNT
                       ? PLD_OK
                       : read_rank(file, module, complete[i].of_rank, error);
        }
    }
    return refuse_incomplete(file, module, found, error);
}

/** The single number of an alpha tensor. */
static pld_status read_alpha(const pld_tensor_file *file, const pld_stored_tensor *tensor, double *alpha,
                             pld_error *error) {
    unsigned char element[8] = {0};
    PLD_TRY(pld_tensor_file_read(file, tensor, 0, tensor->bytes, element, error));
    *alpha = pld_dtype_value(tensor->dtype, element);
    return PLD_OK;
}

/** A stated rank must be that of the tensors, and so must a stated DoRA. */
static pld_status check_terms(const pld_lora_adapter *adapter, const pld_lora_module *module,
                              const pld_lora_terms *terms, pld_error *error) {
    if (module->rank > 0 && module->rank != terms->rank) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: states rank %lld for module '%.*s', whose tensors have rank %lld; the "
                        "configuration belongs to another file",
                        adapter->place, (long long)terms->rank, module->name_length, module->name,
                        (long long)module->rank);
    }
    if (terms->states_dora && module->kind == PLD_KIND_LORA &&
        terms->dora != pld_lora_module_has_magnitude(module)) {
        return pld_fail(
            error, PLD_ERROR_FORMAT,
            "%s: states that use_dora is %s, but module '%.*s' has %s magnitude; half of a DoRA cannot be "
            "applied",
            adapter->place, terms->dora ? "true" : "false", module->name_length, module->name,
            terms->dora ? "no" : "a");
    }
    return PLD_OK;
}

/** `*scale` from an alpha: over the rank, or its root. */
static pld_status scale_of(const pld_tensor_file *file, const pld_lora_module *module, double alpha,
                           double rank, double *scale, pld_error *error) {
    if (!isfinite(alpha) || alpha == 0) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: module '%.*s': alpha is %g; expected a number other than zero (the change is "
                        "scaled by alpha / rank)",
                        pld_tensor_file_path(file), module->name_length, module->name, alpha);
    }
    *scale = alpha / rank;
    return PLD_OK;
}

pld_status pld_lora_module_settle_scale(const pld_tensor_file *file, pld_lora_adapter *adapter,
                                        pld_lora_module *module, pld_error *error) {
    const pld_stored_tensor *tensor = module->factors[PLD_LORA_ALPHA];
    pld_lora_terms terms;
    double alpha = 0;
    PLD_TRY(pld_lora_adapter_check(adapter, module->part, error));
    if (tensor && module->rank > 0) {
        PLD_TRY(read_alpha(file, tensor, &alpha, error));
        return scale_of(file, module, alpha, (double)module->rank, &module->scale, error);
    }
    PLD_TRY(pld_lora_adapter_terms(adapter, module, &terms, error));
    if (!terms.stated || tensor) {
        /* LyCORIS writes an alpha beside two whole sides of a LoKr and does not mean it; PEFT states one and
         * does */
        module->unscaled = module->rank > 0 && !terms.stated;
        return PLD_OK;
    }
    PLD_TRY(check_terms(adapter, module, &terms, error));
    const double rank = (double)terms.rank;
    return module->kind == PLD_KIND_DIFFERENCE
               ? PLD_OK
               : scale_of(file, module, terms.alpha, terms.root ? sqrt(rank) : rank, &module->scale, error);
}
