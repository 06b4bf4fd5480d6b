/* SPDX-License-Identifier: Apache-2.0 */
/** The page's files, as the build embeds them. */
#ifndef PLADIS_SERVER_PAGE_PAGE_H
#define PLADIS_SERVER_PAGE_PAGE_H

#include <stddef.h>

/** The scripts, X(name), each a file of page/script. */
#define PAGE_SCRIPT_LIST(X)                                                                                  \
    X(controls)                                                                                              \
    X(dom)                                                                                                   \
    X(grid)                                                                                                  \
    X(history)                                                                                               \
    X(main)                                                                                                  \
    X(mask)                                                                                                  \
    X(server)                                                                                                \
    X(stage)                                                                                                 \
    X(wipe)                                                                                                  \
    X(words)

extern const unsigned char page_html[], page_css[], page_icon[];
extern const size_t page_html_size, page_css_size, page_icon_size;

#define PAGE_DECLARE(name)                                                                                   \
    extern const unsigned char script_##name[];                                                              \
    extern const size_t script_##name##_size;
PAGE_SCRIPT_LIST(PAGE_DECLARE)
#undef PAGE_DECLARE

#endif
