/** Damaged copies of good bytes for a fuzz target, from one seed: the short run of every fuzz target in the ordinary suite. */
#ifndef TESTS_FUZZ_DAMAGE_H
#define TESTS_FUZZ_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

/** Hands the target the bytes themselves, then `count` copies with one to four damages each; the first `kept` bytes stay. */
void damage_everywhere(const uint8_t *bytes, size_t byte_size, size_t kept, uint32_t count, uint64_t seed);

#endif
