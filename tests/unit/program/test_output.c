/* SPDX-License-Identifier: Apache-2.0 */
/* The door to the terminal prints as printf does, but for what would steer a terminal. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "terminal/output.h"

enum { LONGEST = 1 << 16 };

static char said[LONGEST];
static int kept, file;

/** From here to end_capture standard error goes into a file. */
static void begin_capture(void) {
    FILE *temporary = tmpfile();
    assert_non_null(temporary);
    fflush(stderr);
    kept = dup(STDERR_FILENO);
    file = dup(fileno(temporary));
    fclose(temporary);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
}

static void end_capture(void) {
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    const ssize_t size = pread(file, said, LONGEST - 1, 0);
    close(file);
    assert_true(size >= 0);
    said[size] = '\0';
}

#define SAYS(expected, ...)                                                                                  \
    do {                                                                                                     \
        begin_capture();                                                                                     \
        print_message(__VA_ARGS__);                                                                          \
        end_capture();                                                                                       \
        assert_string_equal(said, expected);                                                                 \
    } while (0)

#define AS_PRINTF(...)                                                                                       \
    do {                                                                                                     \
        char expected[1024];                                                                                 \
        snprintf(expected, sizeof expected, __VA_ARGS__);                                                    \
        SAYS(expected, __VA_ARGS__);                                                                         \
    } while (0)

static void numbers_and_widths_are_those_of_printf(void **state) {
    (void)state;
    AS_PRINTF("plain, 100 %%\n");
    AS_PRINTF("%d|%5d|%-5d|%05d|%+d|% d|%*d|%-*d|%.3d", 1, -2, 3, -4, 5, 6, 7, 8, 9, 10, 11);
    AS_PRINTF("%u %x %X %#o %lu %llu %zu %ju", 1U, 255U, 255U, 8U, 2UL, 3ULL, (size_t)4, (uintmax_t)5);
    AS_PRINTF("%ld %lld %jd %td %lld", -1L, -2LL, (intmax_t)-3, (ptrdiff_t)-4, LLONG_MIN);
    AS_PRINTF("%g %.9g %f %8.3f|%-8.1f|%+.1f|%e|%.0f|%*.*f", 0.1, 1.0 / 3, 2.5, -1.0, 2.25, 3.0, 1e300, 2.5,
              9, 2, 1.5);
    AS_PRINTF("%s|%10s|%-10s|%.2s|%.*s|%*s|%-*s|%c|%3c", "a", "b", "c", "defg", 1, "hi", 4, "j", 4, "k", 'l',
              'm');
    AS_PRINTF("%*s|%-34s|%8zu %10.4f %6.2f%%\n", -6, "x", "option", (size_t)3, 0.5, 99.5);
    AS_PRINTF("%f", 1e300);
}

static void what_steers_a_terminal_is_shown(void **state) {
    (void)state;
    SAYS("a?[31mb c d?e\n", "%s\n",
         "a\x1b[31mb\nc\td\x7f"
         "e");
    SAYS("[?] [?] [??] [?]", "[%s] [%s] [%s] [%s]", "\xc2\x9b", "\xff", "\xc3\xc3", "\xe2\x80\xae");
    SAYS("???", "%s", "\xed\xa0\x80");                           /* half of a surrogate pair */
    SAYS("\x1b[1m?\x1b[0m\r\n", "\x1b[1m%s\x1b[0m\r\n", "\x1b"); /* of the program's own making */
    SAYS("?", "%c", '\x1b');
    SAYS("λ = 日本 é", "λ = %s é", "日本");
}

static void widths_count_columns(void **state) {
    (void)state;
    SAYS("|é   |  日本|  e\xcc\x81|", "|%-4s|%6s|%3s|", "é", "日本", "e\xcc\x81");
}

static void long_texts_come_whole(void **state) {
    (void)state;
    static char text[9001], expected[9001];
    for (size_t i = 0; i + 3 <= 9000; i += 3) {
        memcpy(text + i,
               i % 7 == 0   ? "日"
               : i % 5 == 0 ? "a\x1b"
                              "b"
                            : "abc",
               3);
        memcpy(expected + i, i % 7 == 0 ? "日" : i % 5 == 0 ? "a?b" : "abc", 3);
    }
    SAYS(expected, "%s", text);
    SAYS("日a", "%.4s", "日abc");
    SAYS("??", "%.2s", "日abc");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_widths_are_those_of_printf),
        cmocka_unit_test(what_steers_a_terminal_is_shown),
        cmocka_unit_test(widths_count_columns),
        cmocka_unit_test(long_texts_come_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
