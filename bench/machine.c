/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: its name, what its cores can do at best, and its memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/measure.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/text.h"

/** The text after the colon of the first line of `path` that begins with `field`; false when
 * there is none. */
static bool read_field(const char *path, const char *field, char *text, size_t size) {
    FILE *file = fopen(path, "r");
    char line[512];
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, field, strlen(field)) == 0) {
            line[strcspn(line, "\n")] = 0;
            colon += 1 + strspn(colon + 1, " \t");
            snprintf(text, size, "%s", colon);
            found = true;
        }
    }
    if (file) {
        fclose(file);
    }
    return found;
}

static uint64_t read_kilobytes(const char *path, const char *field) {
    char text[64];
    uint64_t kilobytes = 0;
    if (read_field(path, field, text, sizeof text)) {
        (void)pld_parse_natural(text, UINT64_MAX / 1024, &kilobytes, NULL);
    }
    return kilobytes * 1024;
}

void bench_read_machine(bench_machine *machine) {
    if (!read_field("/proc/cpuinfo", "model name", machine->cpu, sizeof machine->cpu)) {
        snprintf(machine->cpu, sizeof machine->cpu, "unknown");
    }
    machine->memory_bytes = read_kilobytes("/proc/meminfo", "MemTotal");
}

uint64_t bench_peak_memory(void) {
    return read_kilobytes("/proc/self/status", "VmHWM");
}

bool bench_reset_peak_memory(void) {
    int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    bool done = file >= 0 && write(file, "5", 1) == 1;
    if (file >= 0) {
        close(file);
    }
    return done;
}

#define PEAK_DECLARE(enumerator, symbol, text)                                                               \
    double bench_peak_##symbol(long rounds, float *sink);                                                    \
    double bench_peak_pairs_##symbol(long rounds, float *sink);
PLD_ISA_LIST(PEAK_DECLARE)
#undef PEAK_DECLARE

typedef double peak_loop(long rounds, float *sink);

/* Of float32, and of bfloat16; NULL: scalar, or not part of this build. */
static peak_loop *const loops[PLD_ISA_COUNT][2] = {
#ifdef BENCH_HAVE_AVX2
    [PLD_ISA_AVX2] = {bench_peak_avx2, bench_peak_pairs_avx2},
    [PLD_ISA_AVXVNNI] = {bench_peak_avx2, bench_peak_pairs_avx2},
#endif
#ifdef BENCH_HAVE_AVX512
    [PLD_ISA_AVX512] = {bench_peak_avx512, bench_peak_pairs_avx512},
    [PLD_ISA_AVX512VNNI] = {bench_peak_avx512, bench_peak_pairs_avx512},
#endif
#ifdef BENCH_HAVE_AVX512BF16
    [PLD_ISA_AVX512BF16] = {bench_peak_avx512bf16, bench_peak_pairs_avx512bf16},
#endif
#ifdef BENCH_HAVE_AMX
    [PLD_ISA_AMX] = {bench_peak_amx, bench_peak_pairs_amx},
#endif
};

enum { MOST_THREADS = 256, PEAK_ROUNDS = 4000000, TRIES = 7 };

typedef struct peak_run {
    peak_loop *run;
    double operations[MOST_THREADS];
    float sinks[MOST_THREADS];
} peak_run;

static void run_peak(void *context, size_t begin, size_t end, int thread) {
    peak_run *run = context;
    for (size_t i = begin; i < end; i++) {
        run->operations[thread] += run->run(PEAK_ROUNDS, &run->sinks[thread]);
    }
}

double bench_peak(pld_isa isa, bool bf16, int threads) {
    peak_run run = {.run = loops[isa][bf16]};
    if (!run.run || threads > MOST_THREADS) {
        return 0;
    }
    double best = 0;
    for (int attempt = 0; attempt < TRIES; attempt++) {
        memset(run.operations, 0, sizeof run.operations);
        const double start = bench_now(threads);
        pld_parallel_for(threads, (size_t)threads, run_peak, &run);
        const double seconds = bench_now(threads) - start;
        double operations = 0;
        for (int i = 0; i < threads; i++) {
            operations += run.operations[i];
        }
        best = operations / seconds > best ? operations / seconds : best;
    }
    return best;
}

typedef struct read_run {
    const uint64_t *words;
    uint64_t sums[MOST_THREADS]; /* so that no reading is left out */
} read_run;

enum { READ_WORDS = 1 << 24 }; /* 128 MiB: more than caches hold */

static void run_read(void *context, size_t begin, size_t end, int thread) {
    read_run *run = context;
    uint64_t sum = 0;
    for (size_t i = begin; i < end; i++) {
        sum ^= run->words[i];
    }
    run->sums[thread] ^= sum;
}

double bench_bandwidth(int threads) {
    uint64_t *words = pld_allocate_aligned(READ_WORDS, sizeof *words);
    read_run *run = pld_allocate(1, sizeof *run);
    double best = 0;
    if (words && run && threads <= MOST_THREADS) {
        run->words = words;
        for (size_t i = 0; i < READ_WORDS; i++) {
            words[i] = i; /* pages of their own */
        }
        for (int attempt = 0; attempt < TRIES; attempt++) {
            const double start = bench_now(threads);
            pld_parallel_for(threads, READ_WORDS, run_read, run);
            const double rate = sizeof *words * (double)READ_WORDS / (bench_now(threads) - start);
            best = rate > best ? rate : best;
        }
    }
    pld_free(words);
    pld_free(run);
    return best;
}
