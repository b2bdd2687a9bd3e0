/** Texts of people: UTF-8 without control characters. Checked before libfyaml sees them, which can loop for ever over others. */
#ifndef COMMON_BASE_PLAIN_TEXT_H
#define COMMON_BASE_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of the UTF-8 sequence at bytes, 0 if it is none (overlong, surrogate, above U+10FFFF, cut short). left: at least 1. */
size_t plain_text_length(const unsigned char *bytes, size_t left);
/** The sequence is a control character: C0 except tab and line ends, DEL, and C1, which some terminals obey. */
bool plain_text_control(const unsigned char *bytes, size_t length);
/**
 * Each empty line inside a text makes libfyaml 0.7.12 read all those that follow: 16,000 of them, 32 KB, take more than a
 * second, and five times as many 25 times that.
 */
enum { PLAIN_TEXT_EMPTY_LINES_MAX = 100 };
/**
 * How many lines have ended without anything but blanks between, the one with the last word included, once this sequence is read;
 * before: the same before it (1 at the start of a text); after_return: it follows a '\r'.
 */
uint32_t plain_text_lines_ended(uint32_t before, const unsigned char *bytes, size_t length, bool after_return);
/**
 * The sequence is shown as nothing or as something else: a control character, tab or line end, or a mark that turns the order
 * of letters. Terminals, pages and reports show '?' in its place.
 */
bool plain_text_hidden(const unsigned char *bytes, size_t length);
/** Writes '?' for what is hidden and for bytes that are not UTF-8. */
void plain_text_disarm(char *text);

#endif
