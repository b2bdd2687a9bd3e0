/** Texts of people: UTF-8 without control characters. Checked before libfyaml sees them, which can loop for ever over others. */
#ifndef COMMON_BASE_PLAIN_TEXT_H
#define COMMON_BASE_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Length of the UTF-8 sequence at bytes, 0 if it is none (overlong, surrogate, above U+10FFFF, cut short). left: at least 1. */
size_t plain_text_length(const unsigned char *bytes, size_t left);
/** The sequence is a control character: C0 except tab and line ends, DEL, and C1, which some terminals obey. */
bool plain_text_control(const unsigned char *bytes, size_t length);
/** Writes '?' for what a terminal may obey: controls, tabs, line ends, marks that turn the order of letters, bytes not UTF-8. */
void plain_text_disarm(char *text);

#endif
