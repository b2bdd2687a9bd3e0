/**
 * The keys of secured links: CURVE key pairs in files. A public key is written as 64 hexadecimal digits, which no shell
 * and no YAML reads as anything else; it is the identity that the coordinator's allow-list names. A secret file holds
 * the word "secret" and the secret key, is closed to others, and never leaves its machine.
 */
#ifndef PROTO_KEY_FILE_H
#define PROTO_KEY_FILE_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_BYTES = 32, KEY_TEXT_BYTES = 2 * KEY_BYTES + 1 };

typedef struct key_pair {
    uint8_t public_key[KEY_BYTES];
    uint8_t secret_key[KEY_BYTES];
} key_pair;

MUST_USE status key_pair_make(key_pair *out_pair, error_detail *detail);
/** Overwrites it in memory. */
void key_pair_forget(key_pair *self);

/** Writes FOLDER/reelmill.secret (mode 0600) and FOLDER/reelmill.public; makes the folder, replaces nothing. */
MUST_USE status key_pair_write(const key_pair *self, const char *folder, error_detail *detail);
/** Reads a secret file; one that others may read is refused. */
MUST_USE status key_pair_read(key_pair *out_pair, const char *path, error_detail *detail);
/** text: a public key, or the path of a file that holds one. */
MUST_USE status key_public_read(uint8_t out_key[KEY_BYTES], const char *text, error_detail *detail);

void key_format(const uint8_t key[KEY_BYTES], char out_text[KEY_TEXT_BYTES]);
/** False unless text is 64 hexadecimal digits. */
bool key_parse(const char *text, size_t size, uint8_t out_key[KEY_BYTES]);

#endif
