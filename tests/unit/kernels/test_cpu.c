/* SPDX-License-Identifier: Apache-2.0 */
/** Which instruction sets a CPU runs and what `--dtype auto` becomes on it, for CPUs that no single machine
 * is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/cpu.h"

enum {
    SCALAR = 1 << PLD_ISA_SCALAR,
    AVX2 = SCALAR | 1 << PLD_ISA_AVX2,
    AVXVNNI = 1 << PLD_ISA_AVXVNNI, /* which AVX-512 does not bring along */
    AVX512 = AVX2 | 1 << PLD_ISA_AVX512,
    AVX512VNNI = AVX512 | 1 << PLD_ISA_AVX512VNNI,
    AVX512BF16 = AVX512VNNI | 1 << PLD_ISA_AVX512BF16,
    AMX = AVX512BF16 | 1 << PLD_ISA_AMX
};

/** Flags as makers and Linux name them; `sets`: what it runs; `best` is what `--isa auto` takes, `bf16` whether `--dtype auto`
 * takes that. */
static const struct {
    const char *name;
    pld_cpu cpu;
    int sets;
    pld_isa best;
    bool bf16;
} cpus[] = {
    {"Intel Westmere", {.intel = true}, SCALAR, PLD_ISA_SCALAR, false},
    {"AMD Bulldozer: FMA, no AVX2", {0}, SCALAR, PLD_ISA_SCALAR, false},
    {"Intel Haswell", {.intel = true, .avx2 = true}, AVX2, PLD_ISA_AVX2, false},
    {"AMD Zen 3", {.avx2 = true}, AVX2, PLD_ISA_AVX2, false},
    {"Intel Alder Lake",
     {.intel = true, .avx2 = true, .avxvnni = true},
     AVX2 | AVXVNNI,
     PLD_ISA_AVXVNNI,
     false},
    {"Intel Skylake-X", {.intel = true, .avx2 = true, .avx512 = true}, AVX512, PLD_ISA_AVX512, false},
    {"Intel Ice Lake",
     {.intel = true, .avx2 = true, .avx512 = true, .avx512vnni = true},
     AVX512VNNI,
     PLD_ISA_AVX512VNNI,
     false},
    {"Intel Cooper Lake: AVX512_BF16, no AMX",
     {.intel = true, .avx2 = true, .avx512 = true, .avx512bf16 = true, .avx512vnni = true},
     AVX512BF16,
     PLD_ISA_AVX512BF16,
     false},
    {"AMD Zen 4",
     {.avx2 = true, .avx512 = true, .avx512bf16 = true, .avx512vnni = true},
     AVX512BF16,
     PLD_ISA_AVX512BF16,
     true},
    {"Intel Sapphire Rapids",
     {.intel = true,
      .avx2 = true,
      .avx512 = true,
      .avx512bf16 = true,
      .amx = true,
      .avxvnni = true,
      .avx512vnni = true},
     AMX | AVXVNNI,
     PLD_ISA_AMX,
     true},
    {"a virtual machine that hides AVX-512 and not what builds on it",
     {.avx2 = true, .avx512bf16 = true, .amx = true, .avx512vnni = true},
     AVX2,
     PLD_ISA_AVX2,
     false},
    {"a virtual machine that hides AVX2 alone",
     {.avx512 = true, .avx512bf16 = true, .avxvnni = true, .avx512vnni = true},
     SCALAR,
     PLD_ISA_SCALAR,
     false},
    {"a virtual machine that hides AVX512_BF16 alone",
     {.intel = true, .avx2 = true, .avx512 = true, .amx = true, .avx512vnni = true},
     AVX512VNNI,
     PLD_ISA_AVX512VNNI,
     false},
    {"a virtual machine that hides AVX512_VNNI alone",
     {.avx2 = true, .avx512 = true, .avx512bf16 = true, .amx = true},
     AVX512,
     PLD_ISA_AVX512,
     false},
};

static void each_cpu_has_its_sets(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        pld_isa best = PLD_ISA_SCALAR;
        for (int isa = 0; isa < PLD_ISA_COUNT; isa++) {
            const bool runs = pld_cpu_runs(&cpus[i].cpu, (pld_isa)isa);
            best = runs ? (pld_isa)isa : best;
            if (runs != (cpus[i].sets >> isa & 1)) {
                fail_msg("%s: %s", cpus[i].name, pld_isa_name((pld_isa)isa));
            }
        }
        assert_int_equal(best, cpus[i].best);
        assert_false(pld_cpu_runs(&cpus[i].cpu, PLD_ISA_COUNT));
    }
}

static void bfloat16_is_taken_where_it_is_faster(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cpus / sizeof *cpus; i++) {
        if (pld_cpu_prefers_bf16(&cpus[i].cpu, cpus[i].best) != cpus[i].bf16) {
            fail_msg("%s: expected %s", cpus[i].name, cpus[i].bf16 ? "bf16" : "f32");
        }
        for (int isa = 0; isa < PLD_ISA_COUNT; isa++) { /* capped by --isa: never an emulation */
            assert_true(pld_isa_has_bf16((pld_isa)isa) || !pld_cpu_prefers_bf16(&cpus[i].cpu, (pld_isa)isa));
        }
    }
}

/** What the library says of this CPU is what the rules say of its facts, for sets that are in the build. */
static void this_cpu_is_one_of_them(void **state) {
    (void)state;
    const pld_cpu cpu = pld_cpu_here(true);
    for (int isa = 0; isa < PLD_ISA_COUNT; isa++) {
        assert_true(!pld_isa_supported((pld_isa)isa) || pld_cpu_runs(&cpu, (pld_isa)isa));
        assert_int_equal(pld_isa_prefers_bf16((pld_isa)isa), pld_cpu_prefers_bf16(&cpu, (pld_isa)isa));
    }
    const pld_isa best = pld_kernels_get(PLD_ISA_BEST)->isa;
    assert_true(pld_isa_supported(best) && pld_cpu_runs(&cpu, best));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_cpu_has_its_sets),
        cmocka_unit_test(bfloat16_is_taken_where_it_is_faster),
        cmocka_unit_test(this_cpu_is_one_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
