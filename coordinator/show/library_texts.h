/** The shipped recipes and specs, embedded at configure time from deploy/ (deploy/cmake/embed_texts.cmake). */
#ifndef COORDINATOR_SHOW_LIBRARY_TEXTS_H
#define COORDINATOR_SHOW_LIBRARY_TEXTS_H

#include "coordinator/show/show_file.h"

extern const named_text library_recipes[];
extern const size_t library_recipes_count;
extern const named_text library_specs[];
extern const size_t library_specs_count;

#endif
