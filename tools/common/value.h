/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Values in JSON. They exit if there is no memory.
 */
#ifndef DRE_VALUE_H
#define DRE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include <dre.h>

struct json_object;

struct json_object *value_object(void);
struct json_object *value_array(void);
struct json_object *value_number(long long number);
struct json_object *value_bool(bool is_so);

/* JSON has characters only, what a container has a say in may be any bytes: what is no character becomes "?". */
struct json_object *value_text(const char *text);
struct json_object *value_bytes(const char *bytes, size_t len);

/* Arrays of "1,2,3", as far as that are numbers, and of "a,b,c". */
struct json_object *value_numbers(const char *text);
struct json_object *value_texts(const char *text);
struct json_object *value_list(const dre_list_t list);

#endif /* DRE_VALUE_H */
