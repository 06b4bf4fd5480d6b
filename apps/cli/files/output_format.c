/* SPDX-License-Identifier: Apache-2.0 */
#include "files/output_format.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "terminal/message.h"
#include "values/ascii.h"

const output_format output_png = {"PNG", {"png"}}, output_json = {"JSON", {"json"}},
                    output_csv = {"CSV", {"csv"}},
                    output_safetensors = {"safetensors", {"safetensors", "sft"}},
                    output_gguf = {"GGUF", {"gguf"}}, output_statistics = {"JSON or CSV", {"json", "csv"}},
                    output_folder = {"a folder", {NULL}};

/** Endings by which programs tell formats; others (".5", ".final", ".txt") promise nothing. */
static const struct {
    const char *title, *endings; /* blanks between */
} known[] = {
    {"PNG", "png apng"},
    {"JPEG", "jpg jpeg jpe jfif"},
    {"WebP", "webp"},
    {"GIF", "gif"},
    {"BMP", "bmp dib"},
    {"TIFF", "tif tiff"},
    {"AVIF", "avif"},
    {"HEIF", "heic heif"},
    {"JPEG XL", "jxl"},
    {"JPEG 2000", "jp2 j2k"},
    {"QOI", "qoi"},
    {"Targa", "tga"},
    {"netpbm", "ppm pgm pbm pnm pam pfm"},
    {"OpenEXR", "exr"},
    {"Radiance HDR", "hdr"},
    {"an icon", "ico"},
    {"Photoshop", "psd"},
    {"SVG", "svg svgz"},
    {"PDF", "pdf"},
    {"PostScript", "ps eps"},
    {"a video", "mp4 webm mkv mov avi"},
    {"JSON", "json jsonl"},
    {"CSV", "csv"},
    {"TSV", "tsv"},
    {"a spreadsheet", "xls xlsx ods"},
    {"HTML", "html htm"},
    {"Markdown", "md"},
    {"XML", "xml"},
    {"YAML", "yaml yml"},
    {"TOML", "toml"},
    {"safetensors", "safetensors sft"},
    {"GGUF", "gguf"},
    {"GGML", "ggml"},
    {"a Python pickle", "ckpt pt pth bin pkl pickle"},
    {"NumPy", "npy npz"},
    {"ONNX", "onnx"},
    {"HDF5", "h5 hdf5"},
    {"Parquet", "parquet"},
    {"a database", "db sqlite"},
    {"compressed", "gz bz2 xz zst lz4 br"},
    {"an archive", "zip tar tgz 7z rar"},
};

/** What stands behind the last dot of the last part of a path; NULL without one. */
static const char *ending_of(const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return dot != NULL && dot != base && dot[1] != '\0' ? dot + 1 : NULL;
}

bool output_format_ends_in(const char *path, const char *ending) {
    const char *found = ending_of(path);
    return found != NULL && ascii_equal(found, ending);
}

const char *output_format_promised(const char *path) {
    const char *ending = ending_of(path);
    const size_t length = ending != NULL ? strlen(ending) : 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        for (const char *at = known[i].endings; length > 0 && *at != '\0';) {
            const size_t word = strcspn(at, " ");
            if (word == length && ascii_same(at, ending, length)) {
                return known[i].title;
            }
            at += word;
            at += strspn(at, " ");
        }
    }
    return NULL;
}

static bool is_own(const output_format *format, const char *ending) {
    for (size_t i = 0; i < sizeof format->endings / sizeof *format->endings && format->endings[i] != NULL;
         i++) {
        if (ascii_equal(format->endings[i], ending)) {
            return true;
        }
    }
    return false;
}

/** Whether nothing is to be said of a name: its ending is right, or it is no plain file's. */
static bool is_fine(const char *path, const output_format *format) {
    struct stat facts;
    const char *ending = ending_of(path);
    return path[0] == '\0' || strcmp(path, "-") == 0 || (ending != NULL && is_own(format, ending)) ||
           (stat(path, &facts) == 0 && !S_ISREG(facts.st_mode));
}

int output_format_check(const char *option, const char *path, const output_format *format) {
    const char *promised = is_fine(path, format) ? NULL : output_format_promised(path);
    if (promised == NULL) {
        return EXIT_DONE;
    }
    const char *ending = ending_of(path);
    if (format->endings[0] == NULL) {
        return message_usage(
            "--%s: %s would be %s, judging by its name, but this writes a folder; leave out .%s", option,
            path, promised, ending);
    }
    return message_usage("--%s: %s would be %s, judging by its name, but this writes %s; name it %.*s%s",
                         option, path, promised, format->title, (int)(ending - path), path,
                         format->endings[0]);
}

void output_format_note(const char *option, const char *path, const output_format *format) {
    if (format->endings[0] != NULL && !is_fine(path, format)) {
        message_note("--%s: %s does not end in .%s, but %s is written all the same", option, path,
                     format->endings[0], format->title);
    }
}
