/* SPDX-License-Identifier: Apache-2.0 */
/** One job, drawn. */
#ifndef PLADIS_SERVER_DRAW_DRAWING_H
#define PLADIS_SERVER_DRAW_DRAWING_H

#include "draw/drawer.h"

/** Draw all pictures of a job. What became of it is told to the job, but for its end. */
pld_status drawing_run(const drawer_setting *setting, job *drawn, pld_error *error);

#endif
