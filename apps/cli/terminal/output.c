/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal/output.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

/** What is printed is collected and handed to the stream in few pieces, without memory of the heap: messages
 * that memory is out come this way too. */
typedef struct sink {
    FILE *stream;
    size_t used;
    char bytes[1024];
} sink;

static void sink_flush(sink *to) {
    fwrite(to->bytes, 1, to->used, to->stream);
    to->used = 0;
}

static void put_bytes(sink *to, const char *bytes, size_t count) {
    while (count > 0) {
        size_t part = sizeof to->bytes - to->used < count ? sizeof to->bytes - to->used : count;
        memcpy(to->bytes + to->used, bytes, part);
        to->used += part;
        bytes += part;
        count -= part;
        if (to->used == sizeof to->bytes) {
            sink_flush(to);
        }
    }
}

static void put_blanks(sink *to, int count) {
    for (int i = 0; i < count; i++) {
        put_bytes(to, " ", 1);
    }
}

enum { PIECE = 256 };

/** The next at most PIECE − 1 bytes of a text, printable; no character is cut in two. Returns how many bytes
 * of the text they were. */
static size_t take_piece(const char *text, size_t length, char piece[PIECE]) {
    size_t count = length < PIECE - 1 ? length : PIECE - 1;
    for (int i = 0; count < length && i < 3 && ((unsigned char)text[count] & 0xc0) == 0x80; i++) {
        count--;
    }
    memcpy(piece, text, count);
    piece[count] = '\0';
    pld_make_printable(piece);
    return count;
}

static int columns_of(const char *piece) {
    const utf8proc_uint8_t *at = (const utf8proc_uint8_t *)piece;
    utf8proc_int32_t character = 0;
    int columns = 0;
    for (utf8proc_ssize_t length; (length = utf8proc_iterate(at, -1, &character)) > 0 && character != 0;
         at += length) {
        columns += utf8proc_charwidth(character);
    }
    return columns;
}

/** One conversion of a format. */
typedef struct conversion {
    char flags[8];
    bool left;
    int width, precision; /* a precision of −1: none */
    char size[3];         /* "", "l", "ll", "z", … */
    char letter;
} conversion;

static void put_text(sink *to, const conversion *how, const char *text) {
    char piece[PIECE];
    text = text != NULL ? text : "(null)";
    const char *end = how->precision >= 0 ? memchr(text, '\0', (size_t)how->precision) : text + strlen(text);
    size_t length = end != NULL ? (size_t)(end - text) : (size_t)how->precision;
    int columns = 0;
    for (size_t at = 0; how->width > 0 && at < length;) {
        at += take_piece(text + at, length - at, piece);
        columns += columns_of(piece);
    }
    put_blanks(to, how->left ? 0 : how->width - columns);
    for (size_t at = 0; at < length;) {
        at += take_piece(text + at, length - at, piece);
        put_bytes(to, piece, strlen(piece));
    }
    put_blanks(to, how->left ? how->width - columns : 0);
}

/** Arguments of a call, which a function can take from and hand back. */
typedef struct arguments {
    va_list list;
} arguments;

/** A width or precision: digits, or "*" for an argument. */
static const char *read_count(const char *at, arguments *from, int *count) {
    if (*at == '*') {
        *count = va_arg(from->list, int);
        return at + 1;
    }
    *count = 0;
    for (; *at >= '0' && *at <= '9'; at++) {
        *count = *count < 1000 ? *count * 10 + (*at - '0') : *count;
    }
    return at;
}

/** Read the conversion behind a "%"; returns what follows it. */
static const char *read_conversion(const char *at, arguments *from, conversion *how) {
    *how = (conversion){.precision = -1};
    size_t flags = strspn(at, "-+ #0");
    memcpy(how->flags, at, flags < sizeof how->flags ? flags : sizeof how->flags - 1);
    how->left = memchr(at, '-', flags) != NULL;
    at = read_count(at + flags, from, &how->width);
    if (how->width < 0) {
        how->left = true;
        how->width = -how->width;
    }
    if (*at == '.') {
        at = read_count(at + 1, from, &how->precision);
    }
    size_t size = strspn(at, "hljztL");
    memcpy(how->size, at, size < sizeof how->size ? size : sizeof how->size - 1);
    at += size;
    how->letter = *at;
    return *at != '\0' ? at + 1 : at;
}

static intmax_t take_signed(const conversion *how, arguments *from) {
    return strcmp(how->size, "ll") == 0  ? va_arg(from->list, long long)
           : strcmp(how->size, "l") == 0 ? va_arg(from->list, long)
           : strcmp(how->size, "z") == 0 ? (intmax_t)va_arg(from->list, size_t)
           : strcmp(how->size, "t") == 0 ? va_arg(from->list, ptrdiff_t)
           : strcmp(how->size, "j") == 0 ? va_arg(from->list, intmax_t)
                                         : va_arg(from->list, int);
}

static uintmax_t take_unsigned(const conversion *how, arguments *from) {
    return strcmp(how->size, "ll") == 0  ? va_arg(from->list, unsigned long long)
           : strcmp(how->size, "l") == 0 ? va_arg(from->list, unsigned long)
           : strcmp(how->size, "z") == 0 ? va_arg(from->list, size_t)
           : strcmp(how->size, "j") == 0 ? va_arg(from->list, uintmax_t)
                                         : va_arg(from->list, unsigned);
}

/** A number in C's own spelling: the program never sets a locale. */
static void put_number(sink *to, const conversion *how, arguments *from) {
    enum { LONGEST = 400 }; /* DBL_MAX with a precision of some dozens */
    char text[LONGEST], format[24];
    bool real = strchr("eEfFgGaA", how->letter) != NULL;
    snprintf(format, sizeof format, "%%%s*.*%s%c", how->flags, real ? "" : "j", how->letter);
    int width = how->left ? -how->width : how->width;
    int length = real ? snprintf(text, sizeof text, format, width, how->precision, va_arg(from->list, double))
                 : how->letter == 'd' || how->letter == 'i'
                     ? snprintf(text, sizeof text, format, width, how->precision, take_signed(how, from))
                     : snprintf(text, sizeof text, format, width, how->precision, take_unsigned(how, from));
    put_bytes(to, text, length < LONGEST ? (size_t)length : LONGEST - 1);
}

static void put_formatted(sink *to, const char *format, arguments *from) {
    conversion how;
    while (*format != '\0') {
        size_t plain = strcspn(format, "%");
        put_bytes(to, format, plain);
        format += plain;
        if (*format == '\0') {
            break;
        }
        format = read_conversion(format + 1, from, &how);
        if (how.letter == 's') {
            put_text(to, &how, va_arg(from->list, const char *));
        } else if (how.letter == 'c') {
            put_text(to, &how, (char[]){(char)va_arg(from->list, int), '\0'});
        } else if (how.letter == '%') {
            put_bytes(to, "%", 1);
        } else {
            put_number(to, &how, from);
        }
    }
}

static void print_to(FILE *stream, const char *format, va_list list) {
    sink to = {.stream = stream};
    arguments from;
    va_copy(from.list, list);
    put_formatted(&to, format, &from);
    va_end(from.list);
    sink_flush(&to);
}

void print_output(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_to(stdout, format, list);
    va_end(list);
}

void print_message(const char *format, ...) {
    va_list list;
    va_start(list, format);
    print_to(stderr, format, list);
    va_end(list);
}

void print_message_line(const char *label, const char *format, va_list list) {
    sink to = {.stream = stderr};
    arguments from;
    va_copy(from.list, list);
    put_bytes(&to, label, strlen(label));
    put_formatted(&to, format, &from);
    put_bytes(&to, "\n", 1);
    va_end(from.list);
    sink_flush(&to);
}

void print_output_lines(const char *text) {
    sink to = {.stream = stdout};
    while (*text != '\0') {
        size_t length = strcspn(text, "\t\n");
        put_text(&to, &(conversion){.precision = (int)length}, text);
        text += length;
        length = strspn(text, "\t\n");
        put_bytes(&to, text, length);
        text += length;
    }
    sink_flush(&to);
}

/** The character at `at` of JSON that a terminal would obey, or 0: DEL, C1, ends of lines and directions of
 * Unicode. Controls of ASCII are escaped already. `*length`: its bytes. */
static unsigned steering_character(const unsigned char *at, size_t *length) {
    *length = at[0] == 0x7f ? 1 : at[0] == 0xc2 ? 2 : 3;
    if (at[0] == 0x7f) {
        return at[0];
    }
    if (at[0] == 0xc2 && at[1] < 0xa0) {
        return at[1];
    }
    bool lines = at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae;
    bool isolates = at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9;
    return lines || isolates ? 0x2000U | (at[1] & 1U) << 6 | (at[2] & 0x3fU) : 0;
}

void print_output_json(const char *json) {
    sink to = {.stream = stdout};
    for (const unsigned char *at = (const unsigned char *)json; *at != '\0';) {
        size_t length = 0;
        unsigned character = steering_character(at, &length);
        if (character != 0) {
            char escape[8];
            snprintf(escape, sizeof escape, "\\u%04x", character & 0xffffU);
            put_bytes(&to, escape, strlen(escape));
            at += length;
        } else {
            put_bytes(&to, (const char *)at++, 1);
        }
    }
    put_bytes(&to, "\n", 1);
    sink_flush(&to);
}

void print_terminal_codes(const char *codes, size_t size) {
    fwrite(codes, 1, size, stderr);
    fflush(stderr);
}

bool output_flush(void) {
    return fflush(stdout) == 0 && !ferror(stdout);
}
