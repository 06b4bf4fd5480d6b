/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "core/memory.h"
#include "io/files/atomic_file.h"
#include "temporary_folder.h"

static pld_error error;

/* What file systems can do, in turn: files without a name that are linked at the end; no files without a
 * name; such files that cannot be linked. These stand before the C library's own functions. */
static enum { NAMELESS, NAMED, UNLINKABLE } file_system;

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    if (file_system == NAMED && (flags & __O_TMPFILE)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    if (file_system == UNLINKABLE) {
        errno = EPERM;
        return -1;
    }
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

static int on_nameless(void **state) {
    (void)state;
    file_system = NAMELESS;
    return 0;
}

static int on_named(void **state) {
    (void)state;
    file_system = NAMED;
    return 0;
}

static int on_unlinkable(void **state) {
    (void)state;
    file_system = UNLINKABLE;
    return 0;
}

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
    assert_int_equal(pld_atomic_file_open(path, NULL, &file, &error), PLD_OK);
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
    assert_int_equal(pld_atomic_file_save(path, "new", 3, NULL, &error), PLD_OK);
    assert_content(path, "new");
    assert_int_equal(pld_atomic_file_save(path, NULL, 0, NULL, &error), PLD_OK);
    assert_content(path, "");
}

static void discard_leaves_the_old_file(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = write_text("work/out.png", "old");
    pld_atomic_file *file = NULL;
    assert_int_equal(pld_atomic_file_open(path, NULL, &file, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_write(file, "new content", 11, &error), PLD_OK);
    assert_int_equal(count_files(folder), file_system == NAMED ? 2 : 1);
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
    assert_int_equal(pld_atomic_file_open(path, NULL, &first, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_open(path, NULL, &second, &error), PLD_OK);
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
    assert_int_equal(pld_atomic_file_save(link, "new", 3, NULL, &error), PLD_OK);
    assert_content(target, "new");
    struct stat facts;
    assert_int_equal(lstat(link, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_int_equal(unlink(target), 0);
    assert_int_equal(pld_atomic_file_save(link, "new", 3, NULL, &error), PLD_OK);
    assert_int_equal(lstat(link, &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
    assert_content(target, "new");
    /* A chain, whose end is not there yet, and whose links are seen from their own folders. */
    fresh_folder();
    assert_int_equal(mkdir(in_folder("work/far"), 0700), 0);
    assert_int_equal(symlink("far/second", in_folder("work/first")), 0);
    assert_int_equal(symlink("third", in_folder("work/far/second")), 0);
    assert_int_equal(pld_atomic_file_save(in_folder("work/first"), "far", 3, NULL, &error), PLD_OK);
    assert_content(in_folder("work/far/third"), "far");
    assert_int_equal(lstat(in_folder("work/far/second"), &facts), 0);
    assert_true(S_ISLNK(facts.st_mode));
}

static void assert_save_fails(const char *path, size_t bytes, const char *part) {
    char data[4096] = {0};
    pld_status status = pld_atomic_file_save(path, data, bytes, NULL, &error);
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
    assert_int_equal(pld_atomic_file_save("/dev/null", "x", 1, NULL, &error), PLD_OK);
    struct stat facts;
    assert_int_equal(stat("/dev/null", &facts), 0);
    assert_true(S_ISCHR(facts.st_mode)); /* and was not replaced by a file */
    if (geteuid() != 0) {                /* nothing is unwritable to root */
        assert_int_equal(chmod(in_folder("work"), 0500), 0);
        assert_save_fails(in_folder("work/out.png"), 1, "choose a folder that you may write to");
        assert_int_equal(chmod(in_folder("work"), 0700), 0);
    }
    assert_int_equal(count_files(in_folder("work")), 1);
}

/** Names up to the longest that the file system has, and one more. */
static void long_names_are_names(void **state) {
    (void)state;
    fresh_folder();
    for (size_t length = 240; length <= 255; length++) {
        char name[300] = "work/";
        memset(name + 5, 'n', length);
        assert_int_equal(pld_atomic_file_check(in_folder(name), NULL, &error), PLD_OK);
        assert_int_equal(count_files(in_folder("work")), length - 240);
        assert_int_equal(pld_atomic_file_save(in_folder(name), "x", 1, NULL, &error), PLD_OK);
        assert_int_equal(pld_atomic_file_save(in_folder(name), "new", 3, NULL, &error), PLD_OK);
        assert_content(in_folder(name), "new");
    }
    char name[300] = "work/";
    memset(name + 5, 'n', 256);
    assert_int_equal(pld_atomic_file_check(in_folder(name), NULL, &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "choose a shorter name"));
}

static void what_is_replaced_keeps_its_permissions(void **state) {
    (void)state;
    fresh_folder();
    struct stat facts;
    const char *path = write_text("work/private", "old");
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(pld_atomic_file_save(path, "new", 3, NULL, &error), PLD_OK);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    if (geteuid() != 0) {
        assert_int_equal(chmod(path, 0400), 0);
        assert_save_fails(path, 1, "write-protected");
        assert_content(path, "new");
    }
}

/** A check says what open would, tells one file by one name, and leaves nothing. */
static void a_check_leaves_nothing(void **state) {
    (void)state;
    fresh_folder();
    char *target = NULL;
    char *other = NULL;
    assert_int_equal(symlink("out.png", in_folder("work/link")), 0);
    assert_int_equal(pld_atomic_file_check(in_folder("work/out.png"), &target, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_check(in_folder("work/../work/./link"), &other, &error), PLD_OK);
    assert_string_equal(target, other);
    assert_int_equal(target[0], '/');
    pld_free(target);
    pld_free(other);
    assert_int_equal(count_files(in_folder("work")), 1);
    assert_int_equal(pld_atomic_file_check("/dev/stdout", &target, &error), PLD_OK);
    assert_string_equal(target, "/proc/self/fd/1");
    pld_free(target);
    assert_int_equal(pld_atomic_file_check("/dev/full", NULL, &error), PLD_OK);
    assert_int_equal(mkfifo(in_folder("work/pipe"), 0600), 0);
    assert_int_equal(pld_atomic_file_check(in_folder("work/pipe"), NULL, &error), PLD_OK);
    assert_int_equal(pld_atomic_file_check(in_folder("work"), NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_atomic_file_check(in_folder("work/none/out.png"), NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_atomic_file_check(in_folder("work/new/"), NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_atomic_file_check("/proc/none.png", NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_atomic_file_check("", NULL, &error), PLD_ERROR_IO);
    assert_int_equal(symlink("round", in_folder("work/round")), 0);
    assert_int_equal(pld_atomic_file_check(in_folder("work/round"), NULL, &error), PLD_ERROR_IO);
    assert_int_equal(pld_atomic_file_check("/dev/fd/999", NULL, &error), PLD_ERROR_IO);
}

/** What is redirected with >> is added to, and the file behind it is not replaced. */
static void a_descriptor_is_written_where_it_stands(void **state) {
    (void)state;
    fresh_folder();
    char name[32];
    const char *path = write_text("work/log", "before ");
    const int descriptor = open(path, O_WRONLY | O_APPEND);
    assert_true(descriptor >= 0);
    snprintf(name, sizeof name, "/dev/fd/%d", descriptor);
    assert_int_equal(pld_atomic_file_save(name, "after", 5, NULL, &error), PLD_OK);
    assert_int_equal(close(descriptor), 0);
    assert_content(path, "before after");
}

static volatile int cancel;

static void *cancel_soon(void *unused) {
    (void)poll(NULL, 0, 100);
    cancel = 1;
    return unused;
}

static void waiting_for_a_reader_can_be_cancelled(void **state) {
    (void)state;
    static char data[1 << 20];
    pthread_t other;
    fresh_folder();
    const char *path = in_folder("work/pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    for (int reader = 0; reader < 2; reader++) { /* nobody, and one who does not read */
        const int end = reader ? open(path, O_RDONLY | O_NONBLOCK) : -1;
        cancel = 0;
        assert_int_equal(pthread_create(&other, NULL, cancel_soon, NULL), 0);
        assert_int_equal(pld_atomic_file_save(path, data, sizeof data, &cancel, &error), PLD_ERROR_CANCELLED);
        assert_int_equal(pthread_join(other, NULL), 0);
        assert_true(reader == 0 || close(end) == 0);
    }
}

static void *read_all(void *path) {
    char block[1000];
    size_t found = 0;
    const int end = open(path, O_RDONLY);
    for (ssize_t got; (got = read(end, block, sizeof block)) > 0;) {
        found += (size_t)got;
    }
    close(end);
    return (void *)(uintptr_t)found;
}

static void *read_a_little(void *path) {
    char block[10];
    const int end = open(path, O_RDONLY);
    (void)!read(end, block, sizeof block);
    close(end);
    return NULL;
}

/** A reader gets everything; one that goes away is an error and no signal. */
static void pipes_are_written(void **state) {
    (void)state;
    static char data[1 << 20];
    pthread_t other;
    void *found = NULL;
    fresh_folder();
    const char *path = in_folder("work/pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&other, NULL, read_all, (void *)(uintptr_t)path), 0);
    assert_int_equal(pld_atomic_file_save(path, data, sizeof data, NULL, &error), PLD_OK);
    assert_int_equal(pthread_join(other, &found), 0);
    assert_int_equal((uintptr_t)found, sizeof data);
    assert_int_equal(pthread_create(&other, NULL, read_a_little, (void *)(uintptr_t)path), 0);
    assert_int_equal(pld_atomic_file_save(path, data, sizeof data, NULL, &error), PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "Broken pipe"));
    assert_int_equal(pthread_join(other, NULL), 0);
}

/** A limit on the size of files stands for a full disk: the write fails half-way. */
static void a_write_that_fails_half_way_leaves_nothing(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {.rlim_cur = 1000, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_DFL); /* which would end the program */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    char data[4096] = {0};
    pld_status status = pld_atomic_file_save(in_folder("work/out.png"), data, sizeof data, NULL, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, PLD_ERROR_IO);
    assert_non_null(strstr(error.message, "limits the size of files"));
    assert_int_equal(count_files(folder), 0);
}

static void every_refused_allocation_is_a_clean_error(void **state) {
    (void)state;
    const char *folder = fresh_folder();
    const char *path = in_folder("work/out.png");
    pld_status status = PLD_ERROR_MEMORY;
    for (long countdown = 0; status != PLD_OK && countdown < 30; countdown++) {
        pld_inject_allocation_failure(countdown);
        status = pld_atomic_file_save(path, "x", 1, NULL, &error);
        pld_inject_allocation_failure(-1);
        assert_true(status == PLD_OK || (status == PLD_ERROR_MEMORY && count_files(folder) == 0));
    }
    assert_int_equal(status, PLD_OK);
}

#define ON_EVERY_FILE_SYSTEM(test)                                                                           \
    cmocka_unit_test_setup(test, on_nameless), cmocka_unit_test_setup(test, on_named),                       \
        cmocka_unit_test_setup(test, on_unlinkable)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_EVERY_FILE_SYSTEM(file_appears_at_commit),
        ON_EVERY_FILE_SYSTEM(discard_leaves_the_old_file),
        ON_EVERY_FILE_SYSTEM(several_writers_do_not_meet),
        ON_EVERY_FILE_SYSTEM(links_are_followed),
        ON_EVERY_FILE_SYSTEM(failures_name_the_remedy),
        ON_EVERY_FILE_SYSTEM(long_names_are_names),
        ON_EVERY_FILE_SYSTEM(what_is_replaced_keeps_its_permissions),
        ON_EVERY_FILE_SYSTEM(a_check_leaves_nothing),
        ON_EVERY_FILE_SYSTEM(a_write_that_fails_half_way_leaves_nothing),
        ON_EVERY_FILE_SYSTEM(every_refused_allocation_is_a_clean_error),
        cmocka_unit_test(a_descriptor_is_written_where_it_stands),
        cmocka_unit_test(waiting_for_a_reader_can_be_cancelled),
        cmocka_unit_test(pipes_are_written),
    };
    return cmocka_run_group_tests(tests, make_temporary_folder, remove_temporary_folder);
}
