/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command of the program with memory failing at one place after the other, and checks what comes:
 * exit code 1 with error lines that speak of memory, or 0 with all that the undisturbed run has printed
 * and written; no file but those of the undisturbed run, whole; nothing left allocated that the undisturbed
 * run has freed.
 *
 * usage: sweep INJECTOR MOST FOLDER PROGRAM ARGUMENTS...
 * MOST: at most so many places, spread evenly over the ways to an allocation; "ways": all of them; "all":
 * every single allocation. FOLDER: for the runs; its file "seen" holds the ways that other commands have led
 * to, which are passed over but with "all". Times differ from run to run: numbers in texts do not count. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/** What a run left. Texts are allocated. */
typedef struct outcome {
    int code; /* 128 + number of a signal */
    char *out, *err;
    size_t out_size;
    long count, fired, left;
    long *places, place_count;
    unsigned long long *hashes;
} outcome;

static const char *injector, *folder;
static char **command;

static _Noreturn void stop(const char *what) {
    fprintf(stderr, "sweep: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void *must(void *memory) {
    if (!memory) {
        stop("memory");
    }
    return memory;
}

static char *join(const char *a, const char *b) {
    char *path = NULL;
    if (asprintf(&path, "%s/%s", a, b) < 0) {
        stop("memory");
    }
    return path;
}

static char *read_all(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;
    size_t capacity = 0;
    *size = 0;
    if (!file) {
        return must(calloc(1, 1));
    }
    do {
        capacity = 2 * capacity + 4096;
        bytes = must(realloc(bytes, capacity));
        *size += fread(bytes + *size, 1, capacity - 1 - *size, file);
    } while (*size == capacity - 1);
    fclose(file);
    bytes[*size] = '\0';
    return bytes;
}

/** Numbers become "#". A number's sign, point and exponent are part of it. */
static void mask(char *text, size_t *size) {
    size_t used = 0;
    for (size_t i = 0; i < *size;) {
        if (text[i] >= '0' && text[i] <= '9') {
            used -= used > 0 && (text[used - 1] == '-' || text[used - 1] == '+');
            while (i < *size && text[i] && strchr("0123456789.eE+-", text[i])) {
                i++;
            }
            text[used++] = '#';
        } else {
            text[used++] = text[i++];
        }
    }
    *size = used;
}

static bool ends_with(const char *name, const char *end) {
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

static bool same_file(const char *a, const char *b) {
    size_t size_a = 0, size_b = 0;
    char *text_a = read_all(a, &size_a), *text_b = read_all(b, &size_b);
    if (!ends_with(a, ".png") && !ends_with(a, ".safetensors")) {
        mask(text_a, &size_a);
        mask(text_b, &size_b);
    }
    size_t first = 0;
    while (first < size_a && first < size_b && text_a[first] == text_b[first]) {
        first++;
    }
    /* lines that a later run goes on with */
    const bool lines = ends_with(a, ".jsonl") && (size_a == 0 || text_a[size_a - 1] == '\n');
    const bool same = first == size_a && (size_a == size_b || lines);
    if (!same) {
        printf("  %zu of %zu and %zu: \"%.40s\", expected \"%.40s\"\n", first, size_a, size_b, text_a + first,
               text_b + first);
    }
    free(text_a);
    free(text_b);
    return same;
}

/** Each file of `found` is in `wanted` too, and the same; `all`: and the other way round by name. */
static bool check_files(const char *found, const char *wanted, bool all) {
    DIR *open = opendir(found);
    bool good = open != NULL;
    for (struct dirent *entry; good && (entry = readdir(open));) {
        struct stat facts;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char *path = join(found, entry->d_name), *other = join(wanted, entry->d_name);
        if (stat(path, &facts) != 0 || access(other, F_OK) != 0) {
            printf("  %s: not a file of the undisturbed run\n", path);
            good = false;
        } else if (S_ISDIR(facts.st_mode)) {
            good = check_files(path, other, all);
        } else if (!same_file(path, other)) {
            printf("  %s: not whole\n", path);
            good = false;
        }
        free(path);
        free(other);
    }
    if (open) {
        closedir(open);
    }
    open = all ? opendir(wanted) : NULL;
    for (struct dirent *entry; open && good && (entry = readdir(open));) {
        char *path = join(found, entry->d_name);
        if (access(path, F_OK) != 0) {
            printf("  %s: missing\n", path);
            good = false;
        }
        free(path);
    }
    if (open) {
        closedir(open);
    }
    return good;
}

static void remove_tree(const char *path) {
    DIR *open = opendir(path);
    for (struct dirent *entry; open && (entry = readdir(open));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            char *inside = join(path, entry->d_name);
            if (unlink(inside) != 0) {
                remove_tree(inside);
            }
            free(inside);
        }
    }
    if (open) {
        closedir(open);
    }
    rmdir(path);
}

static void redirect(int descriptor, const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, descriptor) < 0) {
        stop(path);
    }
}

static void start(const char *place, long at, bool on, const char *out, const char *err, const char *result) {
    char number[32];
    snprintf(number, sizeof number, "%ld", at);
    if (chdir(place) != 0) {
        stop(place);
    }
    if (at >= 0) {
        setenv("PLADIS_FAULT_AT", number, 1);
    }
    if (on) {
        setenv("PLADIS_FAULT_ON", "1", 1);
    }
    setenv("PLADIS_FAULT_RESULT", result, 1);
    setenv("LD_PRELOAD", injector, 1);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    redirect(STDOUT_FILENO, out);
    redirect(STDERR_FILENO, err);
    execv(command[0], command);
    _exit(127);
}

static void read_result(const char *path, outcome *came) {
    FILE *file = fopen(path, "r");
    enum { MOST_PLACES = 1 << 16 };
    came->places = must(calloc(MOST_PLACES, sizeof *came->places));
    came->hashes = must(calloc(MOST_PLACES, sizeof *came->hashes));
    if (file && fscanf(file, "%ld %ld %ld", &came->count, &came->fired, &came->left) == 3) {
        while (came->place_count < MOST_PLACES && fscanf(file, "%ld %llx", &came->places[came->place_count],
                                                         &came->hashes[came->place_count]) == 2) {
            came->place_count++;
        }
    }
    if (file) {
        fclose(file);
    }
}

/** Run in a new folder `place`; with `on` all allocations fail from `at` on. */
static outcome run(const char *place, long at, bool on) {
    outcome came = {.count = -1};
    char *out = join(folder, "out"), *err = join(folder, "err"), *result = join(folder, "result");
    remove_tree(place);
    unlink(result);
    if (mkdir(place, 0700) != 0) {
        stop(place);
    }
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        start(place, at, on, out, err, result);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        stop("fork");
    }
    came.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    size_t size = 0;
    came.out = read_all(out, &came.out_size);
    came.err = read_all(err, &size);
    mask(came.out, &came.out_size);
    read_result(result, &came);
    free(out);
    free(err);
    free(result);
    return came;
}

static void release(outcome *came) {
    free(came->out);
    free(came->err);
    free(came->places);
    free(came->hashes);
}

/** Take out the places whose hashes stand in the file "seen", and enter the others. */
static void pass_over_seen(outcome *came) {
    enum { MOST_SEEN = 1 << 20 };
    char *path = join(folder, "seen");
    unsigned long long *seen = must(calloc(MOST_SEEN, sizeof *seen));
    size_t count = 0;
    FILE *file = fopen(path, "r");
    while (file && count < MOST_SEEN && fscanf(file, "%llx", &seen[count]) == 1) {
        count++;
    }
    if (file) {
        fclose(file);
    }
    file = fopen(path, "a");
    if (!file) {
        stop(path);
    }
    long kept = 0;
    for (long i = 0; i < came->place_count; i++) {
        bool known = false;
        for (size_t j = 0; j < count && !known; j++) {
            known = seen[j] == came->hashes[i];
        }
        if (!known) {
            fprintf(file, "%016llx\n", came->hashes[i]);
            came->places[kept++] = came->places[i];
        }
    }
    came->place_count = kept;
    fclose(file);
    free(seen);
    free(path);
}

/** There is an error line, and each speaks of memory. */
static bool speaks_of_memory(const char *err) {
    static const char label[] = "pladis: error: ";
    const char *line = strstr(err, label);
    bool good = line != NULL;
    while (good && line) {
        const char *found = strstr(line, "emory");
        good = found && found < line + strcspn(line, "\n");
        line = strstr(line + 1, label);
    }
    return good;
}

static bool check(const outcome *came, const outcome *wanted, const char *place, const char *undisturbed) {
    bool good = true;
    if (came->count < 0) {
        printf("  the process ended itself, code %d\n", came->code);
        return false;
    }
    if (came->code == 1) {
        good = speaks_of_memory(came->err);
        if (!good) {
            printf("  expected error lines about memory\n");
        }
        good = check_files(place, undisturbed, false) && good;
    } else if (came->code == wanted->code) {
        good = came->out_size == wanted->out_size && memcmp(came->out, wanted->out, came->out_size) == 0;
        if (!good) {
            printf("  exit code %d, but the output differs\n", came->code);
        }
        good = check_files(place, undisturbed, true) && good;
    } else {
        printf("  exit code %d\n", came->code);
        good = false;
    }
    if (came->left > wanted->left) {
        printf("  %ld allocations are not freed, %ld without a fault\n", came->left, wanted->left);
        good = false;
    }
    return good;
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: sweep INJECTOR MOST FOLDER PROGRAM ARGUMENTS...\n");
        return 2;
    }
    injector = argv[1];
    folder = argv[3];
    command = argv + 4;
    const bool all = strcmp(argv[2], "all") == 0, ways = strcmp(argv[2], "ways") == 0;
    const long most = all || ways ? LONG_MAX : strtol(argv[2], NULL, 10);
    char *undisturbed = join(folder, "undisturbed"), *place = join(folder, "run");
    outcome wanted = run(undisturbed, -1, false);
    if (wanted.code != 0 || wanted.count <= 0) {
        printf("the undisturbed run ended with %d: %s\n", wanted.code, wanted.err);
        return 1;
    }
    const long all_ways = wanted.place_count;
    if (!all) {
        pass_over_seen(&wanted);
    }
    const long places = all ? wanted.count : wanted.place_count;
    const long tried = places < most ? places : most;
    long failed = 0, done_without = 0;
    for (long i = 0; i < tried; i++) {
        const long index = tried == places ? i : i * places / tried;
        const long at = all ? index : wanted.places[index];
        const bool on =
            i % 2 == 1; /* memory that is short stays short; a single refusal may pass unnoticed */
        outcome came = run(place, at, on);
        if (!check(&came, &wanted, place, undisturbed)) {
            printf("allocation %ld%s of %ld: code %d, said: %.300s\n", at, on ? " and all after it" : "",
                   wanted.count, came.code, came.err);
            failed++;
        } else if (came.code == 0 && came.fired > 0) {
            done_without++;
        }
        release(&came);
    }
    printf("%s: %ld allocations on %ld ways, %ld of them new; %ld tried: %ld refused in order, %ld done "
           "without, %ld wrong\n",
           command[1], wanted.count, all_ways, wanted.place_count, tried, tried - failed - done_without,
           done_without, failed);
    release(&wanted);
    free(undisturbed);
    free(place);
    return failed > 0;
}
