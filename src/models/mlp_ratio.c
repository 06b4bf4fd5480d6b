/* SPDX-License-Identifier: Apache-2.0 */
#include "models/mlp_ratio.h"

pld_status pld_mlp_width_read(const pld_json *top, int64_t width, int64_t *hidden, pld_error *error) {
    const double rounding = 1e-6; /* of a ratio that was written as a decimal number */
    double ratio = 4;
    PLD_TRY(pld_json_get_number(top, "mlp_ratio", PLD_JSON_OPTIONAL, &ratio, error));
    if (!(ratio > 0 && ratio <= 64 && ratio * (double)width >= 1)) {
        return pld_fail(error, PLD_ERROR_FORMAT,
                        "%s: field 'mlp_ratio': expected a number above 0 and at most 64, found %g",
                        top->file, ratio);
    }
    *hidden = (int64_t)(ratio * (double)width + rounding);
    return PLD_OK;
}
