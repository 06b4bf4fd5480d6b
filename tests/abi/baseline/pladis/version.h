/* SPDX-License-Identifier: Apache-2.0 */
/** @file version.h
 *  The version of these headers. That of the library which is loaded: pld_version (pladis/status.h).
 */
#ifndef PLADIS_VERSION_H
#define PLADIS_VERSION_H

#define PLADIS_VERSION_MAJOR  0
#define PLADIS_VERSION_MINOR  1
#define PLADIS_VERSION_PATCH  0
#define PLADIS_VERSION_STRING "0.1.0"

/** One number that grows: major · 1,000,000 + minor · 1,000 + patch. */
#define PLADIS_VERSION_NUMBER                                                                                \
    (PLADIS_VERSION_MAJOR * 1000000 + PLADIS_VERSION_MINOR * 1000 + PLADIS_VERSION_PATCH)

#endif
