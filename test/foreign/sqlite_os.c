// SPDX-License-Identifier: BSD-2-Clause
// What sqlite asks of a system (SQLITE_OS_OTHER), for databases that live in memory: time, randomness, and no files.
// A file that it wants all the same is refused, so a test that should stay in memory and does not is seen.
#include "sqlite3.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static int os_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs, (void)name, (void)flags, (void)out;
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
}

static int os_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs, (void)name, (void)sync;
    return SQLITE_IOERR_DELETE_NOENT;
}

static int os_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs, (void)name, (void)flags;
    *out = 0;
    return SQLITE_OK;
}

static int os_full_pathname(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    (void)vfs;
    sqlite3_snprintf(len, out, "%s", name);
    return SQLITE_OK;
}

static int os_randomness(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    return getentropy(out, (size_t)len) == 0 ? len : 0;
}

static int os_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    usleep((useconds_t)us);
    return us;
}

// Milliseconds since noon of 24 November 4714 BC, as sqlite counts days (Julian day number).
static int os_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = 210866760000000ll + (sqlite3_int64)t.tv_sec * 1000 + t.tv_nsec / 1000000;
    return SQLITE_OK;
}

static int os_last_error(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs, (void)len, (void)out;
    return 0;
}

int sqlite3_os_init(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(sqlite3_file),
        .mxPathname = 512,
        .zName = "none",
        .xOpen = os_open,
        .xDelete = os_delete,
        .xAccess = os_access,
        .xFullPathname = os_full_pathname,
        .xRandomness = os_randomness,
        .xSleep = os_sleep,
        .xGetLastError = os_last_error,
        .xCurrentTimeInt64 = os_time_ms,
    };
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void)
{
    return SQLITE_OK;
}
