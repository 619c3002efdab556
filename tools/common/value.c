// SPDX-License-Identifier: LGPL-2.1-or-later
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "common/utf8.h"
#include "value.h"

struct json_object *value_object(void)
{
	return command_memory(json_object_new_object());
}

struct json_object *value_array(void)
{
	return command_memory(json_object_new_array());
}

struct json_object *value_number(long long number)
{
	return command_memory(json_object_new_int64(number));
}

struct json_object *value_bool(bool is_so)
{
	return command_memory(json_object_new_boolean(is_so));
}

struct json_object *value_bytes(const char *bytes, size_t len)
{
	char *copy = command_memory(malloc(len + 1));
	struct json_object *string;
	size_t n;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_character(bytes + i, len - i);
		if (n)
			memcpy(copy + i, bytes + i, n);
		else
			copy[i] = '?';
	}
	string = command_memory(json_object_new_string_len(copy, len));
	free(copy);
	return string;
}

struct json_object *value_text(const char *text)
{
	return value_bytes(text, strlen(text));
}

struct json_object *value_numbers(const char *text)
{
	struct json_object *array = value_array();
	char *end;
	long n;

	for (; *text; text = *end == ',' ? end + 1 : end) {
		n = strtol(text, &end, 10);
		if (end == text)
			break;
		json_object_array_add(array, value_number(n));
	}
	return array;
}

struct json_object *value_texts(const char *text)
{
	struct json_object *array = value_array();

	for (size_t len; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		json_object_array_add(array, value_bytes(text, len));
	}
	return array;
}

struct json_object *value_list(const dre_list_t list)
{
	struct json_object *array = value_array();

	for (size_t i = 0; list[i]; i++)
		json_object_array_add(array, value_text(list[i]));
	return array;
}
