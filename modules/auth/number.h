/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The permutation behind numbers and user ids, for number.c and its test.
 */
#ifndef AUTH_NUMBER_H
#define AUTH_NUMBER_H

#include "auth.h"

/* n < a * b to another value < a * b, one to one; `key` has 16 bytes, `width` separates families.
 */
uint64_t number_permute(const uint8_t *key, uint32_t width, uint64_t a, uint64_t b, uint64_t n);
uint64_t number_invert(const uint8_t *key, uint32_t width, uint64_t a, uint64_t b, uint64_t n);

#endif
