/* SPDX-License-Identifier: Apache-2.0 */
/* PLADIS attention from another program, on its own arrays: include/pladis/attention.h and the library, nothing else;
 * then the mistakes that the call refuses.
 * cc attention.c $(pkg-config --cflags --libs pladis) -o attention */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pladis/attention.h>

enum { HEADS = 8, SIZE = 40, QUERIES = 4096, KEYS = 77, WIDTH = HEADS * SIZE };
static float query[QUERIES * WIDTH], key[KEYS * WIDTH], value[KEYS * WIDTH],
    out[QUERIES * WIDTH]; /* [tokens, WIDTH] */

/* A problem on the arrays above. */
static pld_attention_problem make_problem(void) {
    pld_attention_problem problem;
    pld_attention_problem_init(&problem, sizeof problem);
    problem.heads = HEADS, problem.head_size = SIZE, problem.query_count = QUERIES, problem.key_count = KEYS;
    problem.query = query, problem.query_token_stride = WIDTH, problem.query_head_stride = SIZE;
    problem.key = key, problem.key_token_stride = WIDTH, problem.key_head_stride = SIZE;
    problem.value = value, problem.value_token_stride = WIDTH, problem.value_head_stride = SIZE;
    problem.out = out, problem.out_token_stride = WIDTH, problem.out_head_stride = SIZE;
    problem.rows = PLD_ROWS_PLADIS, problem.lambda = 2.0F, problem.alpha = 1.5F;
    return problem;
}

/* Nothing is written to `out` where a problem is refused, and the message says why. Gives 1 if it was not. */
static int expect_refusal(const char *mistake, const pld_attention_problem *problem, void *scratch,
                          size_t size) {
    pld_error error = {0};
    const pld_status status = pld_attention(problem, scratch, size, NULL, &error);
    printf("%-30s %s\n", mistake, error.message);
    return status != PLD_ERROR_ARGUMENT;
}

static int make_mistakes(void *scratch, size_t size) {
    int taken = 0;
    pld_attention_problem problem = make_problem();
    problem.key_head_stride = 0;
    taken += expect_refusal("a forgotten stride", &problem, scratch, size);
    problem = make_problem();
    problem.query_token_stride = SIZE;
    taken += expect_refusal("a stride for one head", &problem, scratch, size);
    problem = make_problem();
    problem.value = NULL;
    taken += expect_refusal("a missing array", &problem, scratch, size);
    problem = make_problem();
    problem.alpha = 1.0F;
    taken += expect_refusal("alpha for softmax", &problem, scratch, size);
    problem = make_problem();
    problem.lambda = (float)NAN;
    taken += expect_refusal("lambda that is no number", &problem, scratch, size);
    problem = make_problem();
    taken += expect_refusal("too little scratch", &problem, scratch, size / 2);
    problem.rows = PLD_ROWS_IDENTITY;
    taken += expect_refusal("identity of text", &problem, scratch, size);
    problem = make_problem();
    problem.struct_size = 0;
    taken += expect_refusal("no init", &problem, scratch, size);
    return taken;
}

int main(void) {
    for (int i = 0; i < KEYS * WIDTH; i++) {
        query[i] = (float)(i % 13) - 6, key[i] = (float)(i % 7) - 3, value[i] = (float)(i % 5);
    }
    pld_attention_problem problem = make_problem();
    pld_attention_parallel parallel;
    pld_attention_parallel_init(&parallel, sizeof parallel);
    parallel.threads = 2;
    const size_t size = pld_attention_scratch_size(&problem, parallel.threads);
    const size_t size_of_one = pld_attention_scratch_size(&problem, 1);
    void *scratch = malloc(size);
    pld_error error = {0};
    pld_status status =
        scratch ? pld_attention(&problem, scratch, size, &parallel, &error) : PLD_ERROR_MEMORY;
    printf("%s %s\nout[1] = %g\n", pld_status_text(status), error.message, (double)out[1]);
    const int taken = status == PLD_OK ? make_mistakes(scratch, size_of_one) : 0;
    free(scratch);
    return status != PLD_OK || taken > 0;
}
