/* SPDX-License-Identifier: Apache-2.0 */
/** The LoRAs of a request: those of its field and those of its prompt's tags. */
#ifndef PLADIS_SERVER_DRAW_LORA_LIST_H
#define PLADIS_SERVER_DRAW_LORA_LIST_H

#include "jobs/job.h"
#include "shelf/shelf.h"

enum { LORA_LIST_MOST = 64 };

typedef struct lora_list {
    pld_lora given[LORA_LIST_MOST]; /* of the field [given_count] */
    char *paths[LORA_LIST_MOST];
    size_t given_count;
    pld_prompt_loras *of_prompt;           /* NULL: a literal prompt */
    const pld_lora *items[LORA_LIST_MOST]; /**< [count], the field's first */
    size_t count;
} lora_list;

/** Find the files of all LoRAs of a request. Free with lora_list_free in any case. */
pld_status lora_list_make(const job_request *request, shelf *things, lora_list *list, pld_error *error);
void lora_list_free(lora_list *list);

/** The prompt without tags. */
const char *lora_list_prompt(const lora_list *list, const job_request *request);

/** A text that two lists share where they are the same, which the caller frees; NULL: memory is out. */
char *lora_list_key(const lora_list *list);

#endif
