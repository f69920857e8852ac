// SPDX-License-Identifier: BSD-2-Clause
// The date of a time, in all the range of time_t: a year that struct tm cannot hold is EOVERFLOW, as in glibc.
// picolibc's gmtime_r computes modulo 2^32 there, and gives the date of some other time.
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <time.h>

#include <sys/_tz_structs.h> // needs <time.h>

#include "guest/lib/internal.h"

#define DAY_S 86400
#define ERA_DAYS 146097 // 400 years
#define ERA_YEARS 400

int __tzcalc_limits(int year); // picolibc: finds when summer time begins and ends in this year, by TZ

// The day, as a number since 1970-01-01, as year, month, day of month and of year. False: the year does not fit.
// The algorithm is Howard Hinnant's civil_from_days: years begin in March, so that the leap day comes last.
static bool set_date(struct tm *out, int64_t day)
{
    static const short days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t since = day + 719468; // days since 1 March of the year 0
    int64_t era = (since >= 0 ? since : since - (ERA_DAYS - 1)) / ERA_DAYS;
    int in_era = (int)(since - era * ERA_DAYS);
    int era_year = (in_era - in_era / 1460 + in_era / 36524 - in_era / (ERA_DAYS - 1)) / 365;
    int in_year = in_era - (365 * era_year + era_year / 4 - era_year / 100);
    int march_month = (5 * in_year + 2) / 153;
    int month = march_month < 10 ? march_month + 2 : march_month - 10; // 0 is January
    int64_t year = era * ERA_YEARS + era_year + (month <= 1);
    if (year - 1900 < INT_MIN || year - 1900 > INT_MAX)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    out->tm_year = (int)(year - 1900);
    out->tm_mon = month;
    out->tm_mday = in_year - (153 * march_month + 2) / 5 + 1;
    out->tm_yday = days_before[month] + out->tm_mday - 1 + (month > 1 && leap);
    return true;
}

struct tm *gmtime_r(const time_t *restrict at, struct tm *restrict out)
{
    int64_t day = *at / DAY_S, second = *at % DAY_S;
    if (second < 0) {
        second += DAY_S;
        day--;
    }
    *out = (struct tm){
        .tm_hour = (int)(second / 3600),
        .tm_min = (int)(second / 60 % 60),
        .tm_sec = (int)(second % 60),
        .tm_wday = (int)((day % 7 + 11) % 7), // day 0 was a Thursday
    };
    if (set_date(out, day))
        return out;
    errno = EOVERFLOW;
    return NULL;
}

// Is it summer time then? picolibc knows from 1970 on when it begins; the calendar repeats itself every 400 years.
static bool is_summer(time_t at)
{
    const __tzinfo_type *tz = __gettzinfo();
    struct tm date;
    at %= (time_t)ERA_DAYS * DAY_S;
    if (at < 0)
        at += (time_t)ERA_DAYS * DAY_S;
    int year = gmtime_r(&at, &date)->tm_year + 1900;
    if (!_daylight || (year != tz->__tzyear && !__tzcalc_limits(year)))
        return false;
    bool begun = at >= tz->__tzrule[0].change, ended = at >= tz->__tzrule[1].change;
    return tz->__tznorth ? begun && !ended : begun || !ended;
}

struct tm *localtime_r(const time_t *restrict at, struct tm *restrict out)
{
    tzset();
    bool summer = is_summer(*at);
    time_t there;
    if (__builtin_sub_overflow(*at, __gettzinfo()->__tzrule[summer].offset, &there)) {
        errno = EOVERFLOW;
        return NULL;
    }
    if (!gmtime_r(&there, out))
        return NULL;
    out->tm_isdst = summer;
    return out;
}
