/* LD_PRELOAD: makes writes to some files fail or take long, while the program runs.
 *
 * FAULTS_FOLDER limits it to files below that folder; FAULTS_CONTROL is a file that contains what is wrong now:
 * `ENOSPC`, `EIO` or `EROFS` for writes, `slow N` to wait N milliseconds in every flush, or nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int applies(int fd)
{
    const char *folder = getenv("FAULTS_FOLDER");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length <= 0)
        return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static int wrong(int *wait)
{
    const char *control = getenv("FAULTS_CONTROL");
    char word[32] = "";
    FILE *file = control ? fopen(control, "r") : NULL;
    *wait = 0;
    if (!file)
        return 0;
    if (fscanf(file, "%31s %d", word, wait) < 1)
        word[0] = 0;
    fclose(file);
    if (!strcmp(word, "ENOSPC"))
        return ENOSPC;
    if (!strcmp(word, "EIO"))
        return EIO;
    if (!strcmp(word, "EROFS"))
        return EROFS;
    return 0;
}

static int fails(int fd)
{
    int wait, why;
    if (!applies(fd))
        return 0;
    why = wrong(&wait);
    if (why)
        errno = why;
    return why;
}

#define WRAP(name, type, args, pass, fd)                                                                               \
    type name args                                                                                                    \
    {                                                                                                                 \
        static type(*real) args;                                                                                       \
        if (!real)                                                                                                     \
            real = (type(*) args)dlsym(RTLD_NEXT, #name);                                                              \
        return fails(fd) ? -1 : real pass;                                                                             \
    }

WRAP(write, ssize_t, (int fd, const void *bytes, size_t count), (fd, bytes, count), fd)
WRAP(pwrite, ssize_t, (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at), fd)
WRAP(pwrite64, ssize_t, (int fd, const void *bytes, size_t count, off64_t at), (fd, bytes, count, at), fd)
WRAP(ftruncate, int, (int fd, off_t length), (fd, length), fd)
WRAP(ftruncate64, int, (int fd, off64_t length), (fd, length), fd)

#define FLUSH(name)                                                                                                    \
    int name(int fd)                                                                                                  \
    {                                                                                                                 \
        static int (*real)(int);                                                                                       \
        int wait;                                                                                                     \
        if (!real)                                                                                                     \
            real = (int (*)(int))dlsym(RTLD_NEXT, #name);                                                              \
        if (fails(fd))                                                                                                 \
            return -1;                                                                                                 \
        if (applies(fd) && !wrong(&wait) && wait > 0)                                                                  \
            usleep(wait * 1000);                                                                                       \
        return real(fd);                                                                                               \
    }

FLUSH(fsync)
FLUSH(fdatasync)
