/* SPDX-License-Identifier: Apache-2.0 */
/* PLADIS attention from another program: include/pladis/attention.h and the library, nothing else.
 * cc attention.c $(pkg-config --cflags --libs pladis) -o attention */
#include <stdio.h>
#include <stdlib.h>

#include <pladis/attention.h>

enum { HEADS = 8, SIZE = 40, QUERIES = 4096, KEYS = 77, WIDTH = HEADS * SIZE };
static float query[QUERIES * WIDTH], key[KEYS * WIDTH], value[KEYS * WIDTH],
    out[QUERIES * WIDTH]; /* [tokens, WIDTH] */

int main(void) {
    for (int i = 0; i < KEYS * WIDTH; i++) {
        query[i] = (float)(i % 13) - 6, key[i] = (float)(i % 7) - 3, value[i] = (float)(i % 5);
    }
    pld_attention_problem problem;
    pld_attention_problem_init(&problem, sizeof problem);
    problem.heads = HEADS, problem.head_size = SIZE, problem.query_count = QUERIES, problem.key_count = KEYS;
    problem.query = query, problem.query_token_stride = WIDTH, problem.query_head_stride = SIZE;
    problem.key = key, problem.key_token_stride = WIDTH, problem.key_head_stride = SIZE;
    problem.value = value, problem.value_token_stride = WIDTH, problem.value_head_stride = SIZE;
    problem.out = out, problem.out_token_stride = WIDTH, problem.out_head_stride = SIZE;
    problem.rows = PLD_ROWS_PLADIS, problem.lambda = 2.0F, problem.alpha = 1.5F;
    pld_attention_parallel parallel;
    pld_attention_parallel_init(&parallel, sizeof parallel);
    parallel.threads = 2;
    size_t size = pld_attention_scratch_size(&problem, parallel.threads);
    void *scratch = malloc(size);
    pld_error error = {0};
    pld_status status =
        scratch ? pld_attention(&problem, scratch, size, &parallel, &error) : PLD_ERROR_MEMORY;
    printf("%s %s\nout[0] = %g\n", pld_status_text(status), error.message, (double)out[0]);
    free(scratch);
    return status != PLD_OK;
}
