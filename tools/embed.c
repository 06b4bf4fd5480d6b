/* SPDX-License-Identifier: Apache-2.0 */
/** Write a file's bytes as a C array that HEADER declares, at build time. usage: embed NAME HEADER INPUT OUTPUT.c */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    FILE *input = argc == 5 ? fopen(argv[3], "rb") : NULL;
    FILE *output = input != NULL ? fopen(argv[4], "w") : NULL;
    size_t size = 0;
    int byte = 0;
    if (output == NULL) {
        fprintf(stderr, "usage: embed NAME HEADER INPUT OUTPUT.c\n");
        return EXIT_FAILURE;
    }
    fprintf(output, "#include \"%s\"\nconst unsigned char %s[] = {", argv[2], argv[1]);
    while ((byte = fgetc(input)) != EOF) {
        fprintf(output, "%s%d,", size++ % 32 == 0 ? "\n" : "", byte);
    }
    fprintf(output, "\n};\nconst size_t %s_size = %zu;\n", argv[1], size);
    const int failed = ferror(input) || ferror(output);
    fclose(input);
    return fclose(output) == 0 && !failed && size > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
