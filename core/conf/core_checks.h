/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of the core's options beyond their type; each is a conf_check (conf.h).
 */
#ifndef CONF_CORE_CHECKS_H
#define CONF_CORE_CHECKS_H

#include "conf/conf.h"

/* "127.0.0.1:8080 [::1]:8080", at least one. */
conf_check check_listen;
/* Module names and absolute paths, none twice. */
conf_check check_modules;
/* "https://app.example.org:8443", or "*". */
conf_check check_origins;
/* "10.0.0.0/8 ::1". */
conf_check check_networks;
/* A libpq address without a password. */
conf_check check_url;

#endif
