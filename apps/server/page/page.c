/* SPDX-License-Identifier: Apache-2.0 */
/** The page and what belongs to it, as the program carries them. */
#include "page/page.h"

#include <string.h>

#include "api/routes_all.h"
#include "http/exchange.h"

static void reply_asset(exchange *asked, const char *type, const unsigned char *bytes, size_t size) {
    reply_header(asked, "Cache-Control", "no-cache");
    reply_bytes(asked, 200, type, bytes, size, NULL);
}

static void get_html(exchange *asked) {
    reply_asset(asked, "text/html; charset=utf-8", page_html, page_html_size);
}

static void get_css(exchange *asked) {
    reply_asset(asked, "text/css; charset=utf-8", page_css, page_css_size);
}

static void get_icon(exchange *asked) {
    reply_asset(asked, "image/svg+xml", page_icon, page_icon_size);
}

static const struct {
    const char *name;
    const unsigned char *bytes;
    const size_t *size;
} scripts[] = {
#define PAGE_SCRIPT(name) {#name ".js", script_##name, &script_##name##_size},
    PAGE_SCRIPT_LIST(PAGE_SCRIPT)
#undef PAGE_SCRIPT
};

static void get_script(exchange *asked) {
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(scripts[i].name, exchange_tail(asked)) == 0) {
            reply_asset(asked, "text/javascript; charset=utf-8", scripts[i].bytes, *scripts[i].size);
            return;
        }
    }
    reply_error(asked, 404, NULL, "there is no such script");
}

const route page_routes[] = {
    {"GET", "/", get_html, .is_open = true},
    {"GET", "/page.css", get_css, .is_open = true},
    {"GET", "/page/*", get_script, .is_open = true},
    {"GET", "/icon.svg", get_icon, .is_open = true},
    {"GET", "/favicon.ico", get_icon, .is_open = true},
    {0},
};
