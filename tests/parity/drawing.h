/* SPDX-License-Identifier: Apache-2.0 */
/** Whole generations through the public interface. */
#ifndef PLD_TESTS_DRAWING_H
#define PLD_TESTS_DRAWING_H

#include "families.h"
#include "forced_path.h"
#include "pladis/pladis.h"

/** A model with a session, on the forced path. */
typedef struct drawing {
    pld_model *model;
    pld_session *session;
} drawing;

void drawing_open(drawing *d, const char *model);
void drawing_close(drawing *d);

/** Generate, which must succeed, with what each step computed in `dump`; the caller closes it. `report` (may be NULL) gets
 * the report. The picture is the caller's, or freed where `image` is NULL. */
void drawing_make(drawing *d, pld_generate_options *o, pld_image *image, pld_report *report,
                  parity_case *dump);

/** The PNG of tests/data at `path`; the caller frees it. */
void read_png(const char *path, pld_image *image);

/** Fail unless the options are refused as wrong, with `expected` in the message. */
void check_refused(drawing *d, const pld_generate_options *o, const char *what, const char *expected);

#endif
