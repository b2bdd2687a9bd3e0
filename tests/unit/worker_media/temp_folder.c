#define _GNU_SOURCE
#include "tests/unit/worker_media/temp_folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

void temp_folder_create(temp_folder *self)
{
    const char *base = getenv("TMPDIR");
    snprintf(self->path, sizeof self->path, "%s/reelmill_test_XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    assert_non_null(mkdtemp(self->path));
}

static int temp_folder_unlink(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void temp_folder_remove(temp_folder *self)
{
    (void)nftw(self->path, temp_folder_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

const char *temp_folder_path(const temp_folder *self, const char *name)
{
    static char paths[4][2048];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", self->path, name);
    return path;
}

void temp_folder_write(const temp_folder *self, const char *name, const void *bytes, size_t byte_size)
{
    FILE *file = fopen(temp_folder_path(self, name), "wb");
    assert_non_null(file);
    if (byte_size > 0)
        assert_int_equal(fwrite(bytes, 1, byte_size, file), byte_size);
    assert_int_equal(fclose(file), 0);
}

bool temp_folder_has(const temp_folder *self, const char *name)
{
    struct stat info;
    return lstat(temp_folder_path(self, name), &info) == 0;
}

uint8_t *temp_folder_read(const temp_folder *self, const char *name, size_t *out_size)
{
    FILE *file = fopen(temp_folder_path(self, name), "rb");
    assert_non_null(file);
    struct stat info;
    assert_int_equal(fstat(fileno(file), &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size + 1);
    assert_non_null(bytes);
    *out_size = fread(bytes, 1, (size_t)info.st_size, file);
    assert_int_equal(*out_size, info.st_size);
    fclose(file);
    return bytes;
}

void temp_folder_make(const temp_folder *self, const char *name)
{
    assert_int_equal(mkdir(temp_folder_path(self, name), 0777), 0);
}

uint64_t test_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
