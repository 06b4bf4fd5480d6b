/* SPDX-License-Identifier: Apache-2.0 */
/** What every fuzz target shares. A target is one file that defines LLVMFuzzerTestOneInput: libFuzzer calls
 * it in a build with -Dfuzz=true, driver.c in all others. */
#ifndef PLD_TESTS_FUZZ_H
#define PLD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/** Feed one input to the code under test; returns 0. A fault shows as a crash, a sanitizer report or a trap.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Stop when something that must hold does not. */
#define FUZZ_REQUIRE(condition)                                                                              \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            __builtin_trap();                                                                                \
        }                                                                                                    \
    } while (0)

/** A path under which the input can be opened, until the next call. It lies in memory. */
const char *fuzz_file(const uint8_t *data, size_t size);

/** An empty folder that is removed when the program ends; the same one on each call. */
const char *fuzz_folder(void);

/** Write a file into fuzz_folder(). */
void fuzz_write(const char *name, const uint8_t *data, size_t size);

/** Remove it again. */
void fuzz_remove(const char *name);

/** From here on what the program says on stderr goes nowhere; reports of sanitizers are still seen. */
void fuzz_quiet(void);

/** Gather what is printed on stdout, until fuzz_printed, which gives it: valid until the next begin. */
void fuzz_print_begin(void);
const char *fuzz_printed(size_t *size);

/** 1 once controls of every kind and broken UTF-8 of files are made printable everywhere: in tables of info,
 * not only C0 controls; in JSON; in what bench --compare prints of the other file. */
enum { FUZZ_ALL_MADE_PRINTABLE = 1 };

/** Stop unless a printed text is free of control characters but line feeds and tabs, and of broken UTF-8. */
void fuzz_require_plain(const char *text, size_t size);

#endif
