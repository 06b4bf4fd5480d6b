/* SPDX-License-Identifier: Apache-2.0 */
#include "text/token_list.h"

#include "core/memory.h"

bool pld_token_list_reserve(pld_token_list *list, size_t count) {
    size_t wanted = 0;
    void *ids = list->ids;
    if (!pld_add(list->count, count, &wanted) ||
        !pld_grow(&ids, &list->capacity, wanted, sizeof *list->ids)) {
        return false;
    }
    list->ids = ids;
    return true;
}

bool pld_token_list_append(pld_token_list *list, int32_t id) {
    if (!pld_token_list_reserve(list, 1)) {
        return false;
    }
    list->ids[list->count++] = id;
    return true;
}

void pld_token_list_free(pld_token_list *list) {
    pld_free(list->ids);
    *list = (pld_token_list){0};
}
