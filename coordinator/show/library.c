#include "coordinator/show/library_texts.h"

/* Filled by the first caller with the same constants as by any other. */
static library shipped;

const library *library_shipped(void)
{
    shipped = (library){.recipe_count = library_recipes_count,
                        .recipes = library_recipes,
                        .spec_count = library_specs_count,
                        .specs = library_specs};
    return &shipped;
}
