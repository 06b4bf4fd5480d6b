/* SPDX-License-Identifier: Apache-2.0 */
#include "request/lora_choice.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "terminal/message.h"
#include "values/base_name.h"

/** The path of a choice; false where it is too long to be one. */
static bool copy_path(const lora_choice *choice, char path[PATH_MAX]) {
    if (choice->path_length >= PATH_MAX) {
        return false;
    }
    memcpy(path, choice->text, choice->path_length);
    path[choice->path_length] = '\0';
    return true;
}

/** Whether two choices have the same name without folders, or are one file. */
static bool same_lora(const lora_choice *a, const lora_choice *b) {
    char path[2][PATH_MAX], name[2][PATH_MAX];
    struct stat status[2];
    if (!copy_path(a, path[0]) || !copy_path(b, path[1])) {
        return false;
    }
    path_base_name(path[0], name[0], PATH_MAX);
    path_base_name(path[1], name[1], PATH_MAX);
    return strcmp(name[0], name[1]) == 0 ||
           (stat(path[0], &status[0]) == 0 && stat(path[1], &status[1]) == 0 &&
            status[0].st_dev == status[1].st_dev && status[0].st_ino == status[1].st_ino);
}

/** Put `given` where the first recorded one of its name is and take out the others; false: there is none. */
static bool replace_recorded(lora_choices *choices, const lora_choice *given) {
    size_t kept = 0;
    bool replaced = false;
    for (size_t i = 0; i < choices->count; i++) {
        const lora_choice item = choices->items[i];
        bool same = item.recorded && same_lora(&item, given);
        if (!same || !replaced) {
            choices->items[kept++] = same ? *given : item;
        }
        replaced = replaced || same;
    }
    choices->count = kept;
    return replaced;
}

bool lora_choices_add(lora_choices *choices, const char *option_name, const char *value) {
    size_t length = 0;
    double weight = 1;
    pld_error error = {0};
    if (pld_lora_parse(value, &length, &weight, &error) != PLD_OK) {
        message_usage("--%s: %s", option_name, error.message);
        return false;
    }
    const lora_choice given = {.text = value, .path_length = length, .weight = weight};
    if (replace_recorded(choices, &given)) {
        return true;
    }
    if (choices->count == MOST_LORAS) {
        message_usage("--%s: expected at most %d of them, found more", option_name, (int)MOST_LORAS);
        return false;
    }
    choices->items[choices->count++] = given;
    return true;
}
