/* SPDX-License-Identifier: Apache-2.0 */
#include "lora_choice.h"

#include <string.h>

#include "message.h"
#include "number.h"

bool lora_choices_add(lora_choices *choices, const char *option_name, const char *value) {
    const char *colon = strrchr(value, ':');
    size_t length = strlen(value);
    double weight = 1;
    if (colon != NULL && number_real(colon + 1, &weight)) {
        length = (size_t)(colon - value);
    } else if (colon != NULL && strchr(colon, '.') == NULL && strchr(colon, '/') == NULL) {
        message_usage("--%s: found \"%s\" behind the colon of \"%s\", expected a number: FILE:WEIGHT",
                      option_name, colon + 1, value);
        return false;
    }
    if (length == 0 || weight < -1000 || weight > 1000) {
        message_usage("--%s: found \"%s\", expected FILE or FILE:WEIGHT with a weight from -1000 to 1000",
                      option_name, value);
        return false;
    }
    if (choices->count == MOST_LORAS) {
        message_usage("--%s: given more than %d times", option_name, (int)MOST_LORAS);
        return false;
    }
    choices->items[choices->count++] = (lora_choice){value, length, weight};
    return true;
}
