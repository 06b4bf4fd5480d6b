/* SPDX-License-Identifier: Apache-2.0 */
/* The list of checks times the list of instruction sets. usage: checkasm DATA_FOLDER [ISA [CHECKS]]
 * With ISA only that one is checked, and its absence is a failure; with CHECKS only those that the pattern
 * matches. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "checkasm.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_BUFFERS = 512, CANARY_BYTES = 64, CANARY = 0xa5 };

static struct {
    void *map;
    size_t map_bytes;
    unsigned char *data;
} buffers[MAX_BUFFERS];
static size_t buffer_count;
static uint64_t random_state;
static const char *data_folder;

void *check_bytes(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t body = (bytes + CANARY_BYTES + page - 1) / page * page;
    void *map = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || buffer_count == MAX_BUFFERS ||
        mprotect((char *)map + body, page, PROT_NONE) != 0) {
        fail_msg("no memory for a buffer of %zu bytes", bytes);
    }
    unsigned char *data = (unsigned char *)map + body - bytes;
    memset(data - CANARY_BYTES, CANARY, CANARY_BYTES);
    memset(data, 0xff, bytes); /* NaN as float32 */
    buffers[buffer_count].map = map;
    buffers[buffer_count].map_bytes = body + page;
    buffers[buffer_count++].data = data;
    return data;
}

float *check_floats(size_t count) {
    return check_bytes(count * sizeof(float));
}

void check_release(void) {
    bool intact = true;
    for (size_t i = 0; i < buffer_count; i++) {
        for (int c = 1; c <= CANARY_BYTES; c++) {
            intact = intact && *(buffers[i].data - c) == CANARY;
        }
        munmap(buffers[i].map, buffers[i].map_bytes);
    }
    buffer_count = 0;
    if (!intact) {
        fail_msg("bytes in front of a buffer were overwritten");
    }
}

void check_seed(uint64_t seed) {
    random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

double check_random(double low, double high) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return low + (high - low) * (double)(random_state >> 11) * 0x1p-53;
}

void check_fill(float *x, size_t count, double low, double high) {
    for (size_t i = 0; i < count; i++) {
        x[i] = (float)check_random(low, high);
    }
}

void check_near(const char *what, const float *found, const double *expected, size_t count, double absolute,
                double relative) {
    for (size_t i = 0; i < count; i++) {
        double bound = absolute + relative * fabs(expected[i]);
        bool equal = (double)found[i] == expected[i] || (isnan(found[i]) && isnan(expected[i]));
        if (!equal && !(fabs((double)found[i] - expected[i]) <= bound)) {
            fail_msg("%s: element %zu of %zu is %.9g, expected %.9g, bound %.3g", what, i, count,
                     (double)found[i], expected[i], bound);
        }
    }
}

void check_same(const char *what, const void *found, const void *expected, size_t bytes) {
    const unsigned char *a = found;
    const unsigned char *b = expected;
    for (size_t i = 0; i < bytes; i++) {
        if (a[i] != b[i]) {
            fail_msg("%s: byte %zu of %zu differs", what, i, bytes);
        }
    }
}

const pld_kernels *check_scalar(void) {
    return pld_kernels_get(PLD_ISA_SCALAR);
}

const char *check_data_folder(void) {
    return data_folder;
}

typedef struct check {
    const char *name;
    void (*run)(const pld_kernels *kernels);
    const pld_kernels *kernels;
} check;

static const check checks[] = {
#define PLD_CHECK_ENTRY(type, name, arguments) {#name, check_##name, NULL},
    PLD_KERNEL_LIST(PLD_CHECK_ENTRY)
#undef PLD_CHECK_ENTRY
        {"group_norm (helper)", check_group_norm, NULL},
    {"attention properties", check_attention_properties, NULL},
    {"attention arguments", check_attention_arguments, NULL},
    {"attention strides", check_attention_strides, NULL},
    {"attention threads", check_attention_threads, NULL},
    {"attention logits", check_attention_logits, NULL},
    {"attention order", check_attention_order, NULL},
    {"attention zero keys", check_attention_zero_keys, NULL},
    {"joint attention", check_joint_attention, NULL},
    {"matrix", check_matrix, NULL},
    {"int8 layers", check_int8_layers, NULL},
    {"grouped", check_grouped, NULL},
    {"patches", check_patches, NULL},
    {"winograd", check_winograd, NULL},
    {"convolution", check_convolution, NULL},
    {"row properties", check_row_properties, NULL},
    {"row edges", check_row_edges, NULL},
};

enum { CHECKS = sizeof checks / sizeof checks[0] };

static void run_check(void **state) {
    const check *one = *state;
    check_seed(1);
    one->run(one->kernels);
    check_release();
}

static int run_tables(const char *label, const pld_kernels *kernels) {
    static check runs[CHECKS];
    static struct CMUnitTest tests[CHECKS];
    for (size_t i = 0; i < CHECKS; i++) {
        runs[i] = checks[i];
        runs[i].kernels = kernels;
        tests[i] = (struct CMUnitTest){checks[i].name, run_check, NULL, NULL, &runs[i]};
    }
    return _cmocka_run_group_tests(label, tests, CHECKS, NULL, NULL);
}

/** The source of a wider instruction set, compiled for AVX2. */
typedef struct emulated_table {
    const char *name, *what;
    const pld_kernels *kernels;
} emulated_table;

#ifdef PLD_HAVE_WIDE
extern const pld_kernels pld_kernels_wide, pld_kernels_modelled, pld_kernels_tiles, pld_kernels_vnni;
#endif

static const emulated_table emulated[] = {
#ifdef PLD_HAVE_WIDE
    {"wide", "the 512-bit source, lowered to this machine's vectors", &pld_kernels_wide},
    {"modelled", "the source for AVX512_BF16 and AVX512_VNNI, their instructions written in C",
     &pld_kernels_modelled},
    {"vnni", "the source for AVX_VNNI, its instruction written in C", &pld_kernels_vnni},
    {"tiles", "the source for AMX, its instructions written in C", &pld_kernels_tiles},
#endif
    {NULL, NULL, NULL}};

static int run_emulated(const emulated_table *table) {
    if (!pld_isa_supported(PLD_ISA_AVX2)) {
        fprintf(stderr, "checkasm: %s SKIPPED: this CPU lacks avx2\n", table->name);
        return 0;
    }
    fprintf(stderr, "checkasm: %s RUNS: %s\n", table->name, table->what);
    return run_tables(table->name, table->kernels);
}

static int run_one(const char *name) {
    for (const emulated_table *table = emulated; table->name; table++) {
        if (strcmp(table->name, name) == 0) {
            return run_emulated(table) != 0;
        }
    }
    pld_isa isa = pld_isa_from_name(name);
    if (!pld_isa_supported(isa)) {
        fprintf(stderr, "checkasm: %s is not in this build or not on this CPU\n", name);
        return 2;
    }
    fprintf(stderr, "checkasm: %s RUNS\n", name);
    return run_tables(name, pld_kernels_get(isa)) != 0;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: checkasm DATA_FOLDER [ISA [CHECKS]]\n");
        return 2;
    }
    data_folder = argv[1];
    if (argc == 4) {
        cmocka_set_test_filter(argv[3]);
    }
    if (argc >= 3) {
        return run_one(argv[2]);
    }
    int failures = 0;
    for (int isa = 0; isa < PLD_ISA_COUNT; isa++) {
        const char *name = pld_isa_name((pld_isa)isa);
        if (pld_isa_supported((pld_isa)isa)) {
            fprintf(stderr, "checkasm: %s RUNS\n", name);
            failures += run_tables(name, pld_kernels_get((pld_isa)isa));
        } else {
            fprintf(stderr, "checkasm: %s SKIPPED: not in this build or not on this CPU\n", name);
        }
    }
    for (const emulated_table *table = emulated; table->name; table++) {
        failures += run_emulated(table);
    }
    return failures != 0;
}
