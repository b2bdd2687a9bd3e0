// links: coordinator_show
/*
 * The texts people write: the first byte chooses show file, recipe or spec. Whatever the bytes are, reading ends, and
 * with STATUS_OK exactly when no error is in the list of problems; a show that reads well can be resolved or says why not.
 */
#include "common/base/ensure.h"
#include "coordinator/show/recipe.h"
#include "coordinator/show/show_file.h"
#include "coordinator/show/spec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size);

static void fuzz_show(const char *text, size_t size, arena *memory, problem_list *problems)
{
    static show film;
    film = (show){0};
    status code = show_file_parse(&film, text, size, "show.yaml", memory, problems);
    ENSURE((code == STATUS_OK) == (problems->error_count == 0));
    if (code != STATUS_OK)
        return;
    code = show_resolve(&film, library_shipped(), memory, problems);
    ENSURE((code == STATUS_OK) == (problems->error_count == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t byte_size)
{
    if (byte_size < 1)
        return 0;
    /* A copy of its own: reading one byte too far is seen. */
    size_t size = byte_size - 1;
    char *text = malloc(size == 0 ? 1 : size);
    ENSURE(text != NULL);
    memcpy(text, bytes + 1, size);
    arena memory;
    arena_init(&memory);
    problem_list problems = {0};
    if (bytes[0] % 3 == 0) {
        fuzz_show(text, size, &memory, &problems);
    } else if (bytes[0] % 3 == 1) {
        static recipe mix;
        status code = recipe_parse(&mix, "mix", text, size, "mix.yaml", library_shipped(), &memory, &problems);
        ENSURE((code == STATUS_OK) == (problems.error_count == 0));
    } else {
        static spec limits;
        status code = spec_parse(&limits, "limits", text, size, "limits.yaml", &memory, &problems);
        ENSURE((code == STATUS_OK) == (problems.error_count == 0));
    }
    ENSURE(problem_list_text(&problems, &memory) != NULL);
    arena_deinit(&memory);
    free(text);
    return 0;
}
