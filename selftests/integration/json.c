// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * json POINTER: reads one JSON value, strictly, and prints the part of it that
 * POINTER (RFC 6901; "" is all) names, as JSON on one line.
 */
#include <json.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static char text[1 << 20];
	size_t len = fread(text, 1, sizeof(text), stdin);
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *all, *part;

	if (argc != 2)
		return 2;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	all = json_tokener_parse_ex(tokener, text, len);
	if (json_tokener_get_error(tokener) != json_tokener_success || !all) {
		fprintf(stderr, "json: %s\n",
			json_tokener_error_desc(json_tokener_get_error(tokener)));
		return 1;
	}
	if (strspn(text + json_tokener_get_parse_end(tokener), " \n\t") !=
	    len - json_tokener_get_parse_end(tokener)) {
		fputs("json: something follows the value\n", stderr);
		return 1;
	}
	if (json_pointer_get(all, argv[1], &part)) {
		fprintf(stderr, "json: there is no %s\n", argv[1]);
		return 1;
	}
	puts(json_object_to_json_string_ext(part, JSON_C_TO_STRING_PLAIN));
	return 0;
}
