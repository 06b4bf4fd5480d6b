/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/resource.h>

#include "core/memory.h"
#include "io/atomic_file.h"
#include "temporary_folder.h"

static pld_error error;

/** work/, empty. */
static const char *fresh_folder(void) {
    const char *path = in_folder("work");
    chmod(path, 0700);
    remove_tree(path);
    assert_int_equal(mkdir(path, 0700), 0);
    return path;
}

static void assert_content(const char *path, const char *expected) {
    char text[64] = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(expected));
    fclose(file);
    assert_string_equal(text, expected);
}

static void file_appears_at_commit(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = in_folder("work/out.png");
    pld_atomic_file *file = NULL;
    mode_t mask = umask(027);
    assert_int_equal(pld_atomic_file_open(path, &file, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(file, "ab", 2, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(file, "c", 1, &error), PLD_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(pld_atomic_file_commit(&file, &error), PLD_OK);
    umask(mask);
    assert_null(file);
    pld_atomic_file_discard(&file);
    assert_content(path, "abc");
    assert_int_equal(count_files(folder), 1);
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0640);
    assert_int_equal(pld_atomic_file_save(path, "new", 3, &error), PLD_OK);
    assert_content(path, "new");
    assert_int_equal(pld_atomic_file_save(path, NULL, 0, &error), PLD_OK);
    assert_content(path, "");
}

static void discard_leaves_the_old_file(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = write_text("work/out.png", "old");
    pld_atomic_file *file = NULL;
    assert_int_equal(pld_atomic_file_open(path, &file, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(file, "new content", 11, &error), PLD_OK);
    assert_int_equal(count_files(folder), 2);
    pld_atomic_file_discard(&file);
    assert_null(file);
    assert_int_equal(count_files(folder), 1);
    assert_content(path, "old");
}

static void several_writers_do_not_meet(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = in_folder("work/out.png");
    pld_atomic_file *first = NULL;
    pld_atomic_file *second = NULL;
    assert_int_equal(pld_atomic_file_open(path, &first, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_open(path, &second, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(first, "first", 5, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(second, "second", 6, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_commit(&second, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_commit(&first, &error), PLD_OK);
    assert_content(path, "first");
    assert_int_equal(count_files(folder), 1);
}

static void links_are_followed(void **state) {
    (void)state;
    fresh_folder();
    const char *target = write_text("work/target.png", "old");
    const char *link = in_folder("work/link.png");
    assert_int_equal(symlink("target.png", link), 0);
    assert_int_equal(pld_atomic_file_save(link, "new", 3, &error), PLD_OK);
    assert_content(target, "new");
    struct stat facts;
    assert_int_equal(lstat(link, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(unlink(target), 0);
    assert_int_equal(pld_atomic_file_save(link, "new", 3, &error), PLD_OK);
    assert_content(link, "new");
}

static void assert_save_fails(const char *path, size_t bytes, const char *part) {
    char data[4096] = {0};
    pld_status status = pld_atomic_file_save(path, data, bytes, &error);
    if (status == PLD_OK || !strstr(error.message, part)) {
        print_error("%d: %s\n", (int)status, error.message);
    }
    assert_int_equal(status, PLD_ERROR_IO);
    assert_non_null(strstr(error.message, path));
    assert_non_null(strstr(error.message, part));
}

static void failures_name_the_remedy(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    assert_save_fails(folder, 1, "it is a folder; add a file name");
    assert_save_fails(in_folder("work/none/out.png"), 1, "create the folder first");
    write_text("work/plain", "");
    assert_save_fails(in_folder("work/plain/out.png"), 1, "create the folder first");
    assert_save_fails("/dev/full", 100, "No space left on device; free some space");
    assert_int_equal(pld_atomic_file_save("/dev/null", "x", 1, &error), PLD_OK);
    struct stat facts;
    assert_int_equal(stat("/dev/null", &facts), 0);
    assert_true(S_ISCHR(facts.st_mode)); /* and was not replaced by a file */
    if (geteuid() != 0) {                /* nothing is unwritable to root */
        assert_int_equal(chmod(folder, 0500), 0);
        assert_save_fails(in_folder("work/out.png"), 1, "choose a folder that you may write to");
        assert_int_equal(chmod(folder, 0700), 0);
    }
    assert_int_equal(count_files(folder), 1);
}

/** A limit on the size of files stands for a full disk: the write fails half-way. */
static void a_write_that_fails_half_way_leaves_nothing(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {.rlim_cur = 1000, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char data[4096] = {0};
    pld_status status = pld_atomic_file_save(in_folder("work/out.png"), data, sizeof data, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "limits the size of files"));
    assert_int_equal(count_files(folder), 0);
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = in_folder("work/out.png");
    pld_status status = PLD_ERROR_MEMORY;
    for (long countdown = 0; status != PLD_OK && countdown < 20; countdown++) {
        pld_inject_allocation_failure(countdown);
        status = pld_atomic_file_save(path, "x", 1, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && count_files(folder) == 0));
    }
    assert_int_equal(status, PLD_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_appears_at_commit),
        cmocka_unit_test(discard_leaves_the_old_file),
        cmocka_unit_test(several_writers_do_not_meet),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(failures_name_the_remedy),
        cmocka_unit_test(a_write_that_fails_half_way_leaves_nothing),
        cmocka_unit_test(every_refused_allocation_is_a_clean_error),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
