/**
 * Unrolls the loop that follows (a literal count): arrays of registers need it, and -O2 alone does not promise it.
 */
#ifndef WORKER_DSP_DSP_UNROLL_H
#define WORKER_DSP_DSP_UNROLL_H

#define DSP_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define DSP_UNROLL(times) DSP_PRAGMA(unroll)
#else
#define DSP_UNROLL(times) DSP_PRAGMA(GCC unroll times)
#endif

#endif
