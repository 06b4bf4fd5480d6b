/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tensors/gguf_types.h"

#include <stddef.h>

/** Types of tensors by their number, and what is said of those that are not read. */
static const struct {
    uint32_t number;
    pld_dtype dtype; /* PLD_DTYPE_COUNT: not read */
    const char *name;
} tensor_types[] = {
    {0, PLD_DTYPE_F32, NULL},         {1, PLD_DTYPE_F16, NULL},        {2, PLD_DTYPE_Q4_0, NULL},
    {3, PLD_DTYPE_Q4_1, NULL},        {6, PLD_DTYPE_Q5_0, NULL},       {7, PLD_DTYPE_Q5_1, NULL},
    {8, PLD_DTYPE_Q8_0, NULL},        {10, PLD_DTYPE_Q2_K, NULL},      {11, PLD_DTYPE_Q3_K, NULL},
    {12, PLD_DTYPE_Q4_K, NULL},       {13, PLD_DTYPE_Q5_K, NULL},      {14, PLD_DTYPE_Q6_K, NULL},
    {20, PLD_DTYPE_IQ4_NL, NULL},     {24, PLD_DTYPE_I8, NULL},        {25, PLD_DTYPE_I16, NULL},
    {26, PLD_DTYPE_I32, NULL},        {27, PLD_DTYPE_I64, NULL},       {28, PLD_DTYPE_F64, NULL},
    {30, PLD_DTYPE_BF16, NULL},       {9, PLD_DTYPE_COUNT, "Q8_1"},    {15, PLD_DTYPE_COUNT, "Q8_K"},
    {16, PLD_DTYPE_COUNT, "IQ2_XXS"}, {17, PLD_DTYPE_COUNT, "IQ2_XS"}, {18, PLD_DTYPE_COUNT, "IQ3_XXS"},
    {19, PLD_DTYPE_COUNT, "IQ1_S"},   {21, PLD_DTYPE_COUNT, "IQ3_S"},  {22, PLD_DTYPE_COUNT, "IQ2_S"},
    {23, PLD_DTYPE_COUNT, "IQ4_XS"},  {29, PLD_DTYPE_COUNT, "IQ1_M"},  {34, PLD_DTYPE_COUNT, "TQ1_0"},
    {35, PLD_DTYPE_COUNT, "TQ2_0"},   {39, PLD_DTYPE_COUNT, "MXFP4"},
};

enum { TYPES = sizeof tensor_types / sizeof *tensor_types };

pld_dtype pld_gguf_type_dtype(uint64_t number, const char **name) {
    *name = NULL;
    for (size_t i = 0; i < TYPES; i++) {
        if (tensor_types[i].number == number) {
            *name = tensor_types[i].name;
            return tensor_types[i].dtype;
        }
    }
    return PLD_DTYPE_COUNT;
}

bool pld_gguf_type_number(pld_dtype dtype, uint32_t *number) {
    for (size_t i = 0; i < TYPES && dtype != PLD_DTYPE_COUNT; i++) {
        if (tensor_types[i].dtype == dtype) {
            *number = tensor_types[i].number;
            return true;
        }
    }
    return false;
}
