/** Assertions about our own code, alive in release builds. What others send us is never asserted; it earns a status. */
#ifndef COMMON_BASE_ENSURE_H
#define COMMON_BASE_ENSURE_H

/** Prints the condition and its place on stderr and aborts. */
_Noreturn void ensure_failed(const char *condition, const char *file, int line);

#define ENSURE(condition) ((condition) ? (void)0 : ensure_failed(#condition, __FILE__, __LINE__))

#endif
